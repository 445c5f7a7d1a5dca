"""A Media Distributor that gives people one another's streams: not one frame plays under a wrong name.

Every frame that reached a decoder is compared with what the person encoded whose name the tile had at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle, permutations
from typing import Any
from unittest.mock import patch

import pytest
from playwright.async_api import Browser

from perc_server.media_distributor.carriage import Carriage
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.forwarder import Forwarder
from perc_server.media_distributor.hop import Hop
from perc_server.media_distributor.packet_path import Leg
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.opened_worker import OpenedWorker, give_ekt_key
from tests.end_to_end.people import Person, see_and_hear_one_another
from tests.end_to_end.wire import Rtp, replay

pytestmark = pytest.mark.chromium

DROPS = ("not-authentic", "other-speaker", "not-in-roster", "replayed", "awaiting-key-frame", "unknown-spi", "no-key")
ENOUGH = 20


@dataclass(frozen=True)
class Call:
    """Alice, bob, to whom everything is done, and ben."""

    alice: OpenedWorker
    bob: OpenedWorker
    ben: OpenedWorker
    conference: Conference
    encoded: set[tuple[str, bytes]] = field(default_factory=set)
    """By whom, and what."""

    @property
    def everybody(self) -> tuple[OpenedWorker, OpenedWorker, OpenedWorker]:
        return self.alice, self.bob, self.ben

    def sources(self, kind: str) -> tuple[int, int]:
        """Alice's and ben's SSRC, in the order in which they came."""
        ssrcs = [each.ssrc for endpoint in self.conference.endpoints for each in endpoint.sources if each.kind == kind]
        return ssrcs[0], ssrcs[-1]

    @property
    def victim(self) -> str:
        """Bob's endpoint."""
        return list(self.conference.endpoints)[1].endpoint_id

    async def expect_dropped(self) -> None:
        before = (await self.bob.drops(DROPS)).total()
        while (await self.bob.drops(DROPS)).total() < before + ENOUGH:
            await asyncio.sleep(0.05)

    async def check_names(self) -> int:
        """Every frame that anybody played since the last time was by whom its tile named; how many there were."""
        played = [frame for worker in self.everybody for frame in await worker.played()]
        for worker in self.everybody:
            self.encoded.update((frame.identity, frame.data) for frame in await worker.encoded())
        assert all((frame.identity, frame.data) in self.encoded for frame in played)
        return len(played)


@pytest.fixture(scope="module")
async def call(browser: Browser, deployment: Deployment) -> AsyncIterator[Call]:  # noqa: F811
    people = [await Person.at_a_browser(name, browser, deployment) for name in ("alice", "bob", "ben")]
    workers = [await OpenedWorker.of(person) for person in people]
    alice, *others = people
    link = await alice.open_room("swapped")
    for person in others:
        await person.join(link)
    conference = deployment.media_distributor.conference("swapped")
    assert conference is not None
    yield Call(workers[0], workers[1], workers[2], conference)
    for person in reversed(people):
        await person.leave()


@contextlib.contextmanager
def exchanged_ssrcs(call: Call, kind: str) -> Iterator[None]:
    """Two sources have each other's SSRC; their sequence numbers go on smoothly."""
    path, (left, right) = call.conference.path, call.sources(kind)
    sequences = {ssrc: path._streams[ssrc].sequence for ssrc in (left, right)}
    last = {ssrc: sequence.highest for ssrc, sequence in sequences.items() if sequence}
    partner = {left: right, right: left}

    def accept(stream: Any, carriage: Carriage, received: bytes, now: float) -> None:
        packet, other = carriage.received, partner.get(carriage.received.ssrc)
        if other is not None:
            sequence = (packet.sequence_number - last[packet.ssrc] + last[other]) % 2**16
            carriage = replace(carriage, received=replace(packet, ssrc=other, sequence_number=sequence))
            stream = path._streams[other]
        Forwarder._accept(path, stream, carriage, received, now)

    with patch.object(path, "_accept", accept):
        yield


@contextlib.contextmanager
def exchanged_slots(call: Call, kind: str) -> Iterator[None]:
    """Two sources come to the other's place in bob's page, each as it was sent."""
    streams = [call.conference.path._streams[ssrc].receivers[call.victim] for ssrc in call.sources(kind)]
    legs = [stream.leg for stream in streams]
    for stream, leg in zip(streams, reversed(legs), strict=True):
        stream.leg = leg
    yield
    for stream, leg in zip(streams, legs, strict=True):
        stream.leg = leg


Exchange = Callable[[Call, str], contextlib.AbstractContextManager[None]]


@pytest.mark.parametrize("kind", ["audio", "video"])
@pytest.mark.parametrize("exchange", [exchanged_ssrcs, exchanged_slots])
async def test_nobody_plays_under_anothers_name(exchange: Exchange, kind: str, call: Call) -> None:
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    with exchange(call, kind):
        if exchange is exchanged_ssrcs:
            await call.expect_dropped()
        await asyncio.sleep(0.5)
        # In the middle of it keys change.
        await give_ekt_key(*call.everybody)
        await asyncio.sleep(1)
    await call.check_names()
    # And back again.
    await give_ekt_key(*call.everybody)
    for one, other in permutations(call.everybody, 2):
        await one.person.sees_move(other.person)
    assert await call.check_names() > ENOUGH
    await see_and_hear_one_another([worker.person for worker in call.everybody])


async def test_who_was_removed_is_not_shown_again(call: Call, deployment: Deployment) -> None:
    """The Media Distributor goes on with what it has of ben, in alice's place and under his own SSRC."""
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    ssrcs = {ssrc: call.sources(kind)[1] for kind in ("audio", "video") for ssrc in [call.sources(kind)[0]]}
    old = {ssrc: recorded(deployment, ssrc) for ssrc in ssrcs.values()}
    victim = call.conference.path._links[call.victim].hop
    past = {frame.data for frame in await call.ben.encoded()}
    await call.alice.person.remove(call.ben.person)
    await call.bob.until("session.roster.members.length === 2")
    await call.bob.played()

    def protect(carriage: Carriage, leg: Leg, sequence_number: int, hop: Hop) -> bytes:
        received, ssrc = carriage.received, ssrcs.get(carriage.received.ssrc)
        if hop is victim and ssrc is not None:
            packet = next(old[ssrc])
            carriage = replace(carriage, received=replay(received, packet))
        return Forwarder._protect(carriage, leg, sequence_number, hop)

    with patch.object(call.conference.path, "_protect", protect):
        await call.expect_dropped()
    await call.bob.person.sees_move(call.alice.person)
    assert past.isdisjoint(frame.data for frame in await call.bob.played())


def recorded(deployment: Deployment, ssrc: int) -> Iterator[Rtp]:
    """What was forwarded of a source, again and again."""
    packets = [Rtp.read(packet.received) for packet in deployment.forwarded]
    return cycle([packet for packet in packets if packet.ssrc == ssrc])
