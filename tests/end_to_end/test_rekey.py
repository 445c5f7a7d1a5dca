"""Keys follow the membership: everything that the Media Distributor forwarded is tried with the keys of one who came
late and went early, and with the keys of those who stayed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import cycle, groupby, pairwise
from statistics import median

import pytest

from perc.srtp.packet import RtpPacket
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.seams import ForwardedPacket, Tamper
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.listener import Listener, Sent, sent
from tests.end_to_end.observed_worker import LOSSES, ObservedWorker
from tests.end_to_end.people import JOIN_LIMIT, Person, see_and_hear_one_another
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


async def rekeyed(worker: ObservedWorker, before: int) -> None:
    """Waits until somebody has a newer EKTKey than the first `before`."""
    await worker.until(f"probe.heard.filter(({{ type }}) => type === 'ekt_key').length > {before}")


@pytest.mark.parametrize("go", [leave, be_removed])
async def test_a_joiner_opens_nothing_of_before_and_who_goes_nothing_of_after(
    go: Going, come: Come, deployment: Deployment
) -> None:
    alice, bob, ben = [await ObservedWorker.of(await come(name)) for name in ("alice", "bob", "ben")]
    with deployment.recorded() as recording:
        await check_keys_follow_the_membership(go, alice, bob, ben, recording.packets)


async def check_keys_follow_the_membership(
    go: Going, alice: ObservedWorker, bob: ObservedWorker, ben: ObservedWorker, forwarded: list[ForwardedPacket]
) -> None:
    """Everything is recorded from the start: a source may announce its key long before it is of interest here."""
    stayers = (alice, bob)
    link = await alice.person.open_room(f"rekey-{go.__name__}")
    await asyncio.gather(bob.person.join(link), ben.person.follow(link))
    await see_and_hear_one_another([alice.person, bob.person])

    before_joining = len(forwarded)
    losses = [await alice.drops(LOSSES, bob), await bob.drops(LOSSES, alice)]
    await ben.person.page.get_by_role("button", name="Join").click()
    await ben.person.expect_state("in-call")
    await asyncio.gather(ben.person.sees(alice.person), ben.person.sees(bob.person), bob.person.sees(ben.person))

    bens_keys = await ben.ekt_keys()
    keys = [len(await worker.ekt_keys()) for worker in stayers]
    await go(alice.person, ben.person)
    async with asyncio.timeout(REKEY_LIMIT):
        await asyncio.gather(*map(rekeyed, stayers, keys))
    await asyncio.sleep(LONGEST_OVERLAP)
    after_overlap = len(forwarded)
    while len(forwarded) < after_overlap + ENOUGH:
        await asyncio.sleep(0.1)

    everything = sent(forwarded)
    bobs_keys = await bob.ekt_keys()
    ben_listens, bob_listens = Listener(bens_keys, everything), Listener(bobs_keys, everything)
    opened = [each.position for each in everything if ben_listens.opens(each) is not None]
    assert before_joining < opened[0]
    # For those who stay it was as if nothing had happened.
    spis = {each: bob_listens.opens(each) for each in everything if each.position >= before_joining}
    assert None not in spis.values()
    assert [await alice.drops(LOSSES, bob), await bob.drops(LOSSES, alice)] == losses
    # When it ends, every source has changed over to a key that ben never had; before that none goes back to an old one.
    assert bobs_keys[-1].spi not in {key.spi for key in bens_keys}
    for source in by_source(each for each in spis if each.position >= after_overlap):
        assert spis[source[-1]] == bobs_keys[-1].spi
    for source in by_source(spis):
        runs = [is_opened for is_opened, _ in groupby(source, lambda each: ben_listens.opens(each) is not None)]
        assert runs.count(True) <= 1
    await asyncio.gather(alice.person.sees_move(bob.person), bob.person.sees_move(alice.person))
    check_changes({each: bob_listens.opens(each) for each in everything}, before_joining)


def by_source(everything: Iterable[Sent]) -> list[list[Sent]]:
    sources: defaultdict[int, list[Sent]] = defaultdict(list)
    for each in everything:
        sources[each.last.ssrc].append(each)
    return list(sources.values())


def check_changes(spis: dict[Sent, int | None], since: int) -> None:
    """How each source announced its keys, and when it changed over to them.

    A Worker on a busy machine may be late for some frames; to the millisecond it is in `vectors/transform`.
    """
    assert all(each.told is not None or not each.is_key_frame for each in spis)
    sources = by_source(spis)
    overlaps = [overlap for source in sources for overlap in changes([(each, spis[each]) for each in source], since)]
    assert len(overlaps) >= len(sources)
    assert OVERLAP / 2 < median(overlaps) < LONGEST_OVERLAP


def changes(source: list[tuple[Sent, int | None]], since: int) -> Iterator[float]:
    """For each new key of a source: seconds from its first announcement to the first frame under it."""
    for at, ((_, old), (each, new)) in enumerate(pairwise(source), start=1):
        if old != new and each.position >= since:
            first = next(i for i in range(at) if source[i][0].told == new)
            told = [source[i][0].told for i in range(first, min(first + CONSECUTIVE, at))]
            assert told == [new] * len(told)
            yield each.seconds_after(source[first][0])


class RecordedInstead(Tamper):
    """Gives one endpoint what was recorded of each source, again and again."""

    def __init__(self, recorded: Iterable[Rtp], victim: str) -> None:
        packets: defaultdict[int, list[Rtp]] = defaultdict(list)
        for packet in recorded:
            packets[packet.ssrc].append(packet)
        self._recorded = {ssrc: cycle(each) for ssrc, each in packets.items()}
        self._victim = victim

    def forwarded(self, packet: RtpPacket, source: Source, receiver: str) -> RtpPacket | None:
        if receiver != self._victim or packet.ssrc not in self._recorded:
            return packet
        return replay(packet, next(self._recorded[packet.ssrc]))


async def test_what_was_recorded_before_is_not_shown_to_a_joiner(come: Come, deployment: Deployment) -> None:
    alice, bob, ben = [await ObservedWorker.of(await come(name)) for name in ("alice", "bob", "ben")]
    with deployment.recorded() as recording:
        link = await alice.person.open_room("recorded")
        await bob.person.join(link)
        await asyncio.gather(bob.person.sees(alice.person), alice.person.sees(bob.person))
    recorded = [Rtp.read(packet.received) for packet in recording.packets]
    past = {frame.data for worker in (alice, bob) for frame in await worker.encoded()}
    conference = deployment.conference("recorded")
    members = {endpoint.endpoint_id for endpoint in conference.endpoints}

    await ben.person.join(link)
    await asyncio.gather(ben.person.sees(alice.person), ben.person.sees(bob.person))
    [joiner] = {endpoint.endpoint_id for endpoint in conference.endpoints} - members
    dropped = await ben.drops(LOSSES)
    with deployment.attack.by(RecordedInstead(recorded, joiner)):
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while (await ben.drops(LOSSES) - dropped).total() < ENOUGH:
                await asyncio.sleep(0.1)
    await ben.person.sees_move(alice.person)
    assert past.isdisjoint(frame.data for frame in await ben.played())
