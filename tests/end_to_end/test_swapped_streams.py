"""A Media Distributor that gives people one another's streams: not one frame plays under a wrong name.

Every frame that reached a decoder is compared with what the person encoded whose name the tile had at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
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
from perc_server.media_distributor.rtp import ssrc_of
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.opened_worker import OpenedWorker, give_ekt_key
from tests.end_to_end.people import JOIN_LIMIT, Person, see_and_hear_one_another
from tests.end_to_end.wire import Rtp, replay

pytestmark = pytest.mark.chromium

ENOUGH = 20
"""Frames: less than a second of what is sent."""

RECORDED = 500
"""Packets: while they are read, the Media Distributor of this process forwards nothing."""


@dataclass(frozen=True)
class Call:
    """Alice, bob, to whom everything is done, and ben."""

    alice: OpenedWorker
    bob: OpenedWorker
    ben: OpenedWorker
    conference: Conference
    link: str
    encoded: set[tuple[str, bytes]] = field(default_factory=set)
    """By whom, and what."""

    @property
    def everybody(self) -> tuple[OpenedWorker, OpenedWorker, OpenedWorker]:
        return self.alice, self.bob, self.ben

    async def sources(self, kind: str) -> tuple[int, int]:
        """Alice's and ben's SSRC: as the roster has them now, because who had to join again has another."""
        return await own_ssrc(self.alice, kind), await own_ssrc(self.ben, kind)

    async def victim(self) -> str:
        """Bob's endpoint."""
        return self.conference.path._streams[await own_ssrc(self.bob, "audio")].endpoint

    async def expect_dropped(self, reason: str) -> None:
        """Bob's Worker drops frames for this reason from now on."""
        before = (await self.bob.drops([reason])).total()
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while (await self.bob.drops([reason])).total() < before + ENOUGH:
                await asyncio.sleep(0.05)

    async def check_names(self, *guests: OpenedWorker) -> int:
        """Every frame that anybody played since the last time was by whom its tile named; how many there were."""
        everybody = (*self.everybody, *guests)
        played = [frame for worker in everybody for frame in await worker.played()]
        for worker in everybody:
            self.encoded.update((frame.identity, frame.data) for frame in await worker.encoded())
        assert all((frame.identity, frame.data) in self.encoded for frame in played)
        return len(played)


async def own_ssrc(worker: OpenedWorker, kind: str) -> int:
    ssrc: int = await worker.evaluate(f"session.roster.own.sources.find((each) => each.kind === '{kind}').ssrc")
    return ssrc


@pytest.fixture(scope="module")
async def call(browser: Browser, deployment: Deployment) -> AsyncIterator[Call]:  # noqa: F811
    deployment.forwarded.clear()
    people = [await Person.at_a_browser(name, browser, deployment) for name in ("alice", "bob", "ben")]
    workers = [await OpenedWorker.of(person) for person in people]
    alice, *others = people
    link = await alice.open_room("swapped")
    for person in others:
        await person.join(link)
    conference = deployment.media_distributor.conference("swapped")
    assert conference is not None
    yield Call(workers[0], workers[1], workers[2], conference, link)
    for person in reversed(people):
        await person.leave()


@contextlib.asynccontextmanager
async def exchanged_ssrcs(call: Call, kind: str) -> AsyncIterator[None]:
    """Two sources have each other's SSRC; their sequence numbers go on smoothly."""
    path, (left, right) = call.conference.path, await call.sources(kind)
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


@contextlib.asynccontextmanager
async def newcomers_take(call: Call, kind: str) -> AsyncIterator[None]:
    """Whoever comes next is put in alice's place in bob's page, where she is still sent to, too."""
    path, victim = call.conference.path, await call.victim()
    present, (alices, _) = set(path._streams), await call.sources(kind)
    place = path._streams[alices].receivers[victim].leg

    def connect(ssrc: int, receiver: str, leg: Leg) -> None:
        is_newcomer = ssrc not in present and path._streams[ssrc].source.kind == kind
        Forwarder.connect(path, ssrc, receiver, place if is_newcomer and receiver == victim else leg)

    with patch.object(path, "connect", connect):
        yield


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_two_who_are_exchanged(kind: str, call: Call) -> None:
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    async with exchanged_ssrcs(call, kind):
        await call.expect_dropped("not-authentic")
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


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_a_newcomer_in_anothers_place(kind: str, call: Call, come: Come) -> None:
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    anna = await OpenedWorker.of(await come("anna"))
    async with newcomers_take(call, kind):
        await anna.person.join(call.link)
        await call.expect_dropped("other-speaker")
        await give_ekt_key(*call.everybody, anna)
        await call.expect_dropped("other-speaker")
        await call.check_names(anna)
    await anna.person.page.get_by_role("button", name="Leave").click()
    await call.bob.until("session.roster.members.length === 3")
    for worker in call.everybody:
        await worker.played()
    await call.bob.person.sees_move(call.alice.person)
    await call.bob.person.hears(call.alice.person)
    await call.check_names()


async def test_who_was_removed_is_not_shown_again(call: Call, deployment: Deployment) -> None:
    """The Media Distributor goes on with what it has of ben, in the others' places and under his own SSRC."""
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    old = {kind: recorded(deployment, await own_ssrc(call.ben, kind)) for kind in ("audio", "video")}
    path = call.conference.path
    past = {frame.data for frame in await call.ben.encoded()}
    await call.alice.person.remove(call.ben.person)
    await call.bob.until("session.roster.members.length === 2")
    await call.bob.played()

    def protect(carriage: Carriage, leg: Leg, sequence_number: int, hop: Hop) -> bytes:
        packet = next(old[path._streams[carriage.received.ssrc].source.kind])
        carriage = replace(carriage, received=replay(carriage.received, packet))
        return Forwarder._protect(carriage, leg, sequence_number, hop)

    with patch.object(path, "_protect", protect):
        await call.expect_dropped("not-in-roster")
    await call.bob.person.sees_move(call.alice.person)
    assert past.isdisjoint(frame.data for frame in await call.bob.played())


def recorded(deployment: Deployment, ssrc: int) -> Iterator[Rtp]:
    """What was forwarded of a source, again and again."""
    packets = [packet.received for packet in deployment.forwarded if ssrc_of(packet.received) == ssrc]
    return cycle([Rtp.read(packet) for packet in packets[:RECORDED]])
