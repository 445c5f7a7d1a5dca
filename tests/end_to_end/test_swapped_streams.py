"""A Media Distributor that gives people one another's streams: not one frame plays under a wrong name.

Every frame that reached a decoder is compared with what the person encoded whose name the tile had at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, cycle, islice, permutations

import pytest

from perc.srtp.packet import RtpPacket
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.packet_path import Leg
from perc_server.media_distributor.rtp import ssrc_of
from perc_server.media_distributor.seams import Tamper
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.observed_worker import ObservedWorker, give_ekt_key
from tests.end_to_end.people import JOIN_LIMIT, see_and_hear_one_another
from tests.end_to_end.tampering import Attack
from tests.end_to_end.wire import Rtp, replay
from tests.media_distributor.recording import Recording

pytestmark = pytest.mark.chromium

ENOUGH = 20
"""Frames: less than a second of what is sent."""

RECORDED = 500
"""Packets: while they are read, the Media Distributor of this process forwards nothing."""


@dataclass(frozen=True)
class Call:
    """Alice, bob, to whom everything is done, and ben."""

    alice: ObservedWorker
    bob: ObservedWorker
    ben: ObservedWorker
    conference: Conference
    link: str
    attack: Attack
    recording: Recording
    encoded: set[tuple[str, bytes]] = field(default_factory=set)
    """By whom, and what."""

    def packets_of(self, ssrc: int, *, newest_first: bool = False) -> Iterator[Rtp]:
        """What was forwarded of a source."""
        packets = self.recording.packets
        ordered = reversed(packets) if newest_first else iter(packets)
        return (Rtp.read(packet.received) for packet in ordered if ssrc_of(packet.received) == ssrc)

    @property
    def everybody(self) -> tuple[ObservedWorker, ObservedWorker, ObservedWorker]:
        return self.alice, self.bob, self.ben

    async def sources(self, kind: str) -> tuple[int, int]:
        """Alice's and ben's SSRC: as the roster has them now, because who had to join again has another."""
        return await own_ssrc(self.alice, kind), await own_ssrc(self.ben, kind)

    async def victim(self) -> str:
        """Bob's endpoint."""
        owner = self.conference.switchboard.owner(await own_ssrc(self.bob, "audio"))
        assert owner is not None
        return owner.endpoint_id

    async def expect_dropped(self, reason: str) -> None:
        """Bob's Worker drops frames for this reason from now on."""
        before = (await self.bob.drops([reason])).total()
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while (await self.bob.drops([reason])).total() < before + ENOUGH:
                await asyncio.sleep(0.05)

    async def check_names(self, *guests: ObservedWorker) -> int:
        """Every frame that anybody played since the last time was by whom its tile named; how many there were."""
        everybody = (*self.everybody, *guests)
        played = [frame for worker in everybody for frame in await worker.played()]
        for worker in everybody:
            self.encoded.update((frame.identity, frame.data) for frame in await worker.encoded())
        assert all((frame.identity, frame.data) in self.encoded for frame in played)
        return len(played)


async def own_ssrc(worker: ObservedWorker, kind: str) -> int:
    ssrc: int = await worker.evaluate(f"probe.session.roster.own.sources.find((each) => each.kind === '{kind}').ssrc")
    return ssrc


@pytest.fixture(scope="module")
async def call(stay: Come, deployment: Deployment) -> AsyncIterator[Call]:
    people = [await stay(name) for name in ("alice", "bob", "ben")]
    workers = [await ObservedWorker.of(person) for person in people]
    alice, *others = people
    with deployment.recorded() as recording:
        link = await alice.open_room("swapped")
        for person in others:
            await person.join(link)
        yield Call(*workers, deployment.conference("swapped"), link, deployment.attack, recording)


class ExchangedSsrcs(Tamper):
    """Gives two sources each other's SSRC; their sequence numbers continue without a gap."""

    def __init__(self, left: int, right: int, last: dict[int, int]) -> None:
        self._partner = {left: right, right: left}
        self._last = last

    @classmethod
    async def of(cls, call: Call, kind: str) -> ExchangedSsrcs:
        left, right = await call.sources(kind)
        last = {ssrc: next(call.packets_of(ssrc, newest_first=True)).sequence for ssrc in (left, right)}
        return cls(left, right, last)

    def received(self, packet: RtpPacket) -> RtpPacket:
        other = self._partner.get(packet.ssrc)
        if other is None:
            return packet
        sequence = (packet.sequence_number - self._last[packet.ssrc] + self._last[other]) % 2**16
        return replace(packet, ssrc=other, sequence_number=sequence)


@dataclass
class NewcomerInPlace(Tamper):
    """Forwards the next newcomer's source to one receiver on the leg of a member's, which is forwarded there, too."""

    kind: str
    victim: str
    place: Leg
    present: frozenset[int]

    @classmethod
    async def of(cls, call: Call, kind: str) -> NewcomerInPlace:
        """A newcomer in alice's place in bob's page."""
        victim, (alices, _) = await call.victim(), await call.sources(kind)
        present = frozenset(source.ssrc for endpoint in call.conference.endpoints for source in endpoint.sources)
        return cls(kind, victim, call.attack.legs[alices, victim], present)

    def leg(self, source: Source, receiver: str, leg: Leg) -> Leg:
        is_newcomer = source.ssrc not in self.present and source.kind == self.kind
        return self.place if is_newcomer and receiver == self.victim else leg


class RecordedInstead(Tamper):
    """Sends one receiver recorded packets of a source in the place of everything of the same kind.

    Their sequence numbers continue those of the source on that hop; others would not pass the hop's own replay check.
    """

    def __init__(self, recorded: dict[str, Iterator[Rtp]], last: dict[int, int], victim: str) -> None:
        self._recorded = recorded
        self._sequence = {ssrc: count(sequence + 1) for ssrc, sequence in last.items()}
        self._victim = victim

    @classmethod
    async def of(cls, call: Call, kinds: dict[str, int]) -> RecordedInstead:
        """Of these SSRCs, by kind, to bob."""
        victim = await call.victim()
        sent = [packet.sent for packet in call.recording.packets if packet.receiver_endpoint == victim]
        last = {ssrc_of(packet): int.from_bytes(packet[2:4], "big") for packet in sent}
        recorded = {kind: cycle(list(islice(call.packets_of(ssrc), RECORDED))) for kind, ssrc in kinds.items()}
        return cls(recorded, {ssrc: last[ssrc] for ssrc in kinds.values()}, victim)

    def forwarded(self, packet: RtpPacket, source: Source, receiver: str) -> RtpPacket | None:
        if receiver != self._victim:
            return None
        replayed = replay(packet, next(self._recorded[source.kind]))
        return replace(replayed, sequence_number=next(self._sequence[replayed.ssrc]) % 2**16)


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_two_who_are_exchanged(kind: str, call: Call) -> None:
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    with call.attack.by(await ExchangedSsrcs.of(call, kind)):
        await call.expect_dropped("not-authentic")
        # In the middle of it keys change.
        await give_ekt_key(*call.everybody)
        await asyncio.sleep(1)
        await call.check_names()
    # And back again.
    await give_ekt_key(*call.everybody)
    await asyncio.gather(*(one.person.sees_move(other.person) for one, other in permutations(call.everybody, 2)))
    assert await call.check_names() > ENOUGH
    await see_and_hear_one_another([worker.person for worker in call.everybody])


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_a_newcomer_in_anothers_place(kind: str, call: Call, come: Come) -> None:
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    anna = await ObservedWorker.of(await come("anna"))
    with call.attack.by(await NewcomerInPlace.of(call, kind)):
        await anna.person.join(call.link)
        await call.expect_dropped("other-speaker")
        await give_ekt_key(*call.everybody, anna)
        await call.expect_dropped("other-speaker")
        await call.check_names(anna)
    await anna.person.page.get_by_role("button", name="Leave").click()
    await call.bob.until("probe.session.roster.members.length === 3")
    for worker in call.everybody:
        await worker.played()
    await asyncio.gather(call.bob.person.sees_move(call.alice.person), call.bob.person.hears(call.alice.person))
    await call.check_names()


async def test_who_was_removed_is_not_shown_again(call: Call) -> None:
    """The Media Distributor goes on with what it has of ben, in the others' places and under his own SSRC."""
    await see_and_hear_one_another([worker.person for worker in call.everybody])
    ssrcs = {kind: await own_ssrc(call.ben, kind) for kind in ("audio", "video")}
    past = {frame.data for frame in await call.ben.encoded()}
    await call.alice.person.remove(call.ben.person)
    await call.bob.until("probe.session.roster.members.length === 2")
    await call.bob.played()

    with call.attack.by(await RecordedInstead.of(call, ssrcs)):
        await call.expect_dropped("not-in-roster")
    await call.bob.person.sees_move(call.alice.person)
    assert past.isdisjoint(frame.data for frame in await call.bob.played())
