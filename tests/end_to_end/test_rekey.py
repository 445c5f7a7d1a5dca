"""Keys follow the membership: everything that the Media Distributor forwarded is tried with the keys of one who came
late and went early, and with the keys of those who stayed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle, pairwise
from statistics import median

import pytest

from perc_server.media_distributor.carriage import Carriage
from perc_server.media_distributor.forwarder import Forwarder
from perc_server.media_distributor.hop import Hop
from perc_server.media_distributor.packet_path import Leg
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.listener import Listener, Sent, sent
from tests.end_to_end.opened_worker import LOSSES, OpenedWorker
from tests.end_to_end.people import JOIN_LIMIT, Person
from tests.end_to_end.wire import Rtp, replay

pytestmark = pytest.mark.chromium

OVERLAP, LONGEST_OVERLAP = 0.25, 0.5
"""Seconds: for which a sender goes on with its old key once it has told the new one, and after the arrival of an EKTKey
at which the old one is gone in any case (docs/key-channel.md)."""
REKEY_LIMIT = 20
"""Seconds for a rekey on a busy machine. The next one that is not for somebody who went comes after 150."""
CONSECUTIVE = 3
ENOUGH = 400
"""Packets: some seconds of sound and pictures of two."""

Going = Callable[[Person, Person], Awaitable[None]]


async def leave(_host: Person, person: Person) -> None:
    await person.page.get_by_role("button", name="Leave").click()


async def be_removed(host: Person, person: Person) -> None:
    await host.remove(person)


async def rekeyed(worker: OpenedWorker, before: int) -> None:
    """Waits until somebody has a newer EKTKey than the first `before`."""
    while len(await worker.ekt_keys()) <= before:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("go", [leave, be_removed])
async def test_a_joiner_opens_nothing_of_before_and_who_goes_nothing_of_after(
    go: Going, come: Come, deployment: Deployment
) -> None:
    alice, bob, ben = [await OpenedWorker.of(await come(name)) for name in ("alice", "bob", "ben")]
    stayers = (alice, bob)
    forwarded = deployment.forwarded
    link = await alice.person.open_room(f"rekey-{go.__name__}")
    await bob.person.join(link)
    await bob.person.sees(alice.person)
    await alice.person.sees(bob.person)
    forwarded.clear()

    await ben.person.follow(link)
    before_joining = len(forwarded)
    losses = [await alice.drops(LOSSES, bob), await bob.drops(LOSSES, alice)]
    await ben.person.page.get_by_role("button", name="Join").click()
    await ben.person.expect_state("in-call")
    await ben.person.sees(alice.person)
    await ben.person.sees(bob.person)
    await bob.person.sees(ben.person)

    bens_keys = await ben.ekt_keys()
    keys = [len(await worker.ekt_keys()) for worker in stayers]
    await go(alice.person, ben.person)
    async with asyncio.timeout(REKEY_LIMIT):
        for worker, before in zip(stayers, keys, strict=True):
            await rekeyed(worker, before)
    await asyncio.sleep(LONGEST_OVERLAP)
    after_overlap = len(forwarded)
    while len(forwarded) < after_overlap + ENOUGH:
        await asyncio.sleep(0.1)

    everything = sent(forwarded)
    ben_listens, bob_listens = Listener(bens_keys, everything), Listener(await bob.ekt_keys(), everything)
    opened = [each.position for each in everything if ben_listens.opens(each) is not None]
    assert before_joining < opened[0] < opened[-1] < after_overlap
    # For those who stay it was as if nothing had happened.
    spis = [bob_listens.opens(each) for each in everything]
    assert None not in spis
    assert [await alice.drops(LOSSES, bob), await bob.drops(LOSSES, alice)] == losses
    await alice.person.sees_move(bob.person)
    await bob.person.sees_move(alice.person)
    check_changes(everything, spis)


def check_changes(everything: list[Sent], spis: list[int | None]) -> None:
    """How each source told its keys, and when it changed over to them.

    A Worker on a busy machine may be late for some frames; to the millisecond it is in `vectors/transform`.
    """
    sources: defaultdict[int, list[tuple[Sent, int | None]]] = defaultdict(list)
    for each, spi in zip(everything, spis, strict=True):
        assert each.told is not None or not each.is_key_frame
        sources[each.last.ssrc].append((each, spi))
    overlaps = [overlap for source in sources.values() for overlap in changes(source)]
    assert len(overlaps) >= len(sources)
    assert OVERLAP / 2 < median(overlaps) < LONGEST_OVERLAP


def changes(source: list[tuple[Sent, int | None]]) -> Iterator[float]:
    """For each new key of a source: seconds from its first announcement to the first frame under it."""
    for at, ((_, old), (each, new)) in enumerate(pairwise(source), start=1):
        if old != new:
            first = next(i for i in range(at) if source[i][0].told == new)
            told = [source[i][0].told for i in range(first, min(first + CONSECUTIVE, at))]
            assert told == [new] * len(told)
            yield each.seconds_after(source[first][0])


def recorded_instead(recorded: Iterable[Rtp], victim: Hop) -> Callable[[Carriage, Leg, int, Hop], bytes]:
    """`Forwarder._protect` that gives one endpoint what was recorded of each source, again and again."""
    packets: defaultdict[int, list[Rtp]] = defaultdict(list)
    for packet in recorded:
        packets[packet.ssrc].append(packet)
    old = {ssrc: cycle(each) for ssrc, each in packets.items()}

    def protect(carriage: Carriage, leg: Leg, sequence_number: int, hop: Hop) -> bytes:
        received = carriage.received
        if hop is victim and received.ssrc in old:
            carriage = replace(carriage, received=replay(received, next(old[received.ssrc])))
        return Forwarder._protect(carriage, leg, sequence_number, hop)

    return protect


async def test_what_was_recorded_before_is_not_shown_to_a_joiner(
    come: Come, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, ben = [await OpenedWorker.of(await come(name)) for name in ("alice", "bob", "ben")]
    deployment.forwarded.clear()
    link = await alice.person.open_room("recorded")
    await bob.person.join(link)
    await bob.person.sees(alice.person)
    await alice.person.sees(bob.person)
    recorded = [Rtp.read(packet.received) for packet in deployment.forwarded]
    past = {frame.data for worker in (alice, bob) for frame in await worker.encoded()}
    conference = deployment.media_distributor.conference("recorded")
    assert conference is not None
    members = {endpoint.endpoint_id for endpoint in conference.endpoints}

    await ben.person.join(link)
    await ben.person.sees(alice.person)
    await ben.person.sees(bob.person)
    [joiner] = {endpoint.endpoint_id for endpoint in conference.endpoints} - members
    dropped = await ben.drops(LOSSES)
    with monkeypatch.context() as attack:
        attack.setattr(conference.path, "_protect", recorded_instead(recorded, conference.path._links[joiner].hop))
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while (await ben.drops(LOSSES) - dropped).total() < ENOUGH:
                await asyncio.sleep(0.1)
    await ben.person.sees_move(alice.person)
    assert past.isdisjoint(frame.data for frame in await ben.played())
