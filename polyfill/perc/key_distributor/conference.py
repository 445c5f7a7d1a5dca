"""The members of the conference: who holds the EKTKey, and what everyone is told of everyone.

A member is told the EKTKey and the roster on its own association, so what it learns is what this Key Distributor says,
and nothing that the Media Distributor could have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from perc.crypto.provider import CryptoProvider
from perc.ekt.ekt_key import EKTCipher
from perc.ekt.key_channel import MEMBER_ID_LENGTH, Announce, EktKeyAck, Member
from perc.errors import ApiMisuse, IllegalParameter
from perc.key_distributor.association import EndpointAssociation
from perc.key_distributor.ekt_keys import EktKeys
from perc.key_distributor.events import EndpointKeyed, Event, RosterChanged, SourceRefused
from perc.key_distributor.rekey import RekeyPolicy, RekeySchedule
from perc.key_distributor.roster import ConferenceRoster
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName

ROSTER_INTERVAL = 0.1
"""Seconds between rosters: fifty who join at once are told of one another in a few messages, not in thousands."""

ACKNOWLEDGEMENTS_INTERVAL = 0.4
"""Seconds between rosters that only say who has acknowledged a key: after a rekey each of fifty does so by itself."""

ACKNOWLEDGEMENT_LIMIT = 30.0
"""Seconds that a member may take for a key: until then the roster shows that it has an older one, or none."""


@dataclass(slots=True)
class _Seat:
    association: EndpointAssociation
    roster_version: int = 0
    is_keyed: bool = False
    overdue: float | None = None
    """When it will have had no EKTKey acknowledged for too long, counted from the first one after its last word."""


class Conference:
    """Gives keys and rosters to the members it has."""

    def __init__(
        self,
        provider: CryptoProvider,
        policy: RekeyPolicy,
        ekt_cipher: EKTCipher = EKTCipher.AESKW128,
        trace: Trace = NO_TRACE,
    ) -> None:
        self._random_bytes = provider.random_bytes
        self._trace = trace
        self._roster = ConferenceRoster()
        self._keys = EktKeys(provider.random_bytes, ekt_cipher)
        self._rekeys = RekeySchedule(policy)
        self._seats: dict[UUID, _Seat] = {}
        self._announced_version = 0
        self._roster_due: float | None = None
        self._roster_sent = float("-inf")
        self._has_news = False
        """Whether who is here, or who sends what, is another than in the last roster."""
        self._is_paused = False

    def __contains__(self, association_id: UUID) -> bool:
        return association_id in self._seats

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone who was admitted and has not left."""
        return self._roster.members

    @property
    def ekt_cipher(self) -> EKTCipher:
        """What all EKTKeys of the conference are for."""
        return self._keys.cipher

    @property
    def spi(self) -> int | None:
        """The SPI of the EKTKey in use; a member whose own is another has not acknowledged it."""
        return self._keys.spi

    def has_room_for(self, association: EndpointAssociation) -> bool:
        """Whether the one who has authenticated on this association is a member, or can become one."""
        if association.association_id in self._seats:
            return True
        return association.admission is not None and self._roster.has_room_for(association.admission.identity)

    async def admit(self, association: EndpointAssociation, now: float) -> list[Event]:
        """Make an endpoint that can be given keys a member: it gets the EKTKey and the roster.

        A member whose key channel was opened, or opened anew, gets what came on it, or would have, again.
        """
        if association.association_id in self._seats:
            return await self._tell_again(self._seats[association.association_id], now)
        admission = association.admission
        if admission is None:
            raise ApiMisuse("nobody has authenticated on this association")
        member_id = self._random_bytes(MEMBER_ID_LENGTH)
        self._roster.join(association.association_id, member_id, admission.identity, admission.verified_at)
        seat = self._seats[association.association_id] = _Seat(association)
        self._trace.emit(TraceName.ADMITTED, association.association_id, identity=admission.identity)
        self._has_news = True
        self._rekeys.joined(now)
        events: list[Event] = []
        if self._keys.spi is not None and self._rekeys.newcomers_share_key:
            events += await self._give_key(seat, now)
        return [*events, *await self._settle(now)]

    async def leave(self, association_id: UUID, now: float) -> list[Event]:
        """Take a member away; nothing happens if it is none."""
        if self._seats.pop(association_id, None) is None:
            return []
        self._roster.leave(association_id)
        self._has_news = True
        self._rekeys.left(now)
        if not self._seats:
            self._destroy_key()
        return [self._roster_changed()] if self._is_paused else await self._settle(now)

    async def receive(self, association_id: UUID, message: Announce | EktKeyAck, now: float) -> list[Event]:
        """What a member says on its key channel; `IllegalParameter` for what is not allowed, also from a non-member."""
        seat = self._seats.get(association_id)
        if seat is None:
            raise IllegalParameter("a message of someone who was not admitted")
        events: list[Event] = []
        if isinstance(message, Announce):
            refused = self._roster.announce(association_id, message.sources)
            self._has_news = True
            self._trace.emit(TraceName.SOURCES_ANNOUNCED, association_id, sources=len(message.sources))
            for source in refused:
                self._trace.emit(TraceName.SOURCE_REFUSED, association_id, ssrc=source.ssrc)
                events.append(SourceRefused(association_id, source.ssrc))
            if refused:
                # The claimant learns it at once, from an entry of its own that lacks the source.
                await self._give_roster(seat, now)
        elif message.spi == self._keys.spi and seat.is_keyed:
            seat.overdue = None
            self._trace.emit(TraceName.EKT_KEY_ACKNOWLEDGED, association_id, spi=message.spi)
            self._roster.acknowledge(association_id, message.spi)
        return [*events, *await self._settle(now)]

    def clear(self) -> list[Event]:
        """Everyone is gone at once, and there is no way to tell them anything."""
        if not self._seats:
            return []
        for association_id in self._seats:
            self._roster.leave(association_id)
        self._seats.clear()
        self._destroy_key()
        self._announced_version, self._roster_due = self._roster.version, None
        return [self._roster_changed()]

    def pause(self) -> None:
        """There is no way to tell members anything: no rekey, no roster until `resume`."""
        self._is_paused = True

    async def resume(self, now: float) -> list[Event]:
        """Members can be reached again: one rekey and one roster for all that was missed."""
        self._is_paused = False
        return await self._settle(now)

    def age(self, seconds: float) -> None:
        """Endpoints count the life of an EKTKey by their own clocks, also when nothing happens here."""
        self._keys.age(seconds)
        self._rekeys.age(seconds)

    def overdue(self, now: float) -> list[EndpointAssociation]:
        """Members who hold up the others' privacy no longer than this: they did not acknowledge a key."""
        return [seat.association for seat in self._seats.values() if seat.overdue is not None and seat.overdue <= now]

    def next_overdue(self) -> float | None:
        """When a member will be overdue."""
        return min((seat.overdue for seat in self._seats.values() if seat.overdue is not None), default=None)

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called."""
        return min((time for time in (self._roster_due, self._rekeys.due) if time is not None), default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Rekey and send rosters as they have become due."""
        return await self._settle(now)

    async def _settle(self, now: float) -> list[Event]:
        events: list[Event] = []
        if self._is_paused:
            return events
        if self._rekeys.due is not None and self._rekeys.due <= now:
            self._keys.renew(now)
            self._trace.emit(TraceName.EKT_KEY_GENERATED, spi=self.spi, cause=self._rekeys.cause.value)
            self._rekeys.rekeyed(now)
            for seat in self._seats.values():
                events += await self._give_key(seat, now)
        return [*events, *await self._publish(now)]

    async def _publish(self, now: float) -> list[Event]:
        """Send the roster to all, if it has changed and the last one is long enough ago."""
        self._roster_due = None
        if self._roster.version == self._announced_version:
            return []
        allowed = self._roster_sent + (ROSTER_INTERVAL if self._has_news else ACKNOWLEDGEMENTS_INTERVAL)
        if now < allowed:
            self._roster_due = allowed
            return []
        self._roster_sent, self._has_news = now, False
        self._announced_version = self._roster.version
        changed = self._roster_changed()
        for seat in self._seats.values():
            if seat.roster_version != self._roster.version:
                await self._give_roster(seat, now)
        return [changed]

    def _destroy_key(self) -> None:
        self._trace.emit(TraceName.EKT_KEY_DESTROYED, spi=self.spi)
        self._keys.forget()
        self._rekeys.stop()

    def _roster_changed(self) -> RosterChanged:
        version, members = self._roster.version, len(self.members)
        self._trace.emit(TraceName.ROSTER_CHANGED, version=version, members=members, spi=self.spi)
        return RosterChanged(self.members, self.spi)

    async def _give_key(self, seat: _Seat, now: float) -> list[Event]:
        key = self._keys.message(now)
        self._trace.emit(TraceName.EKT_KEY_SENT, seat.association.association_id, spi=key.spi, ttl=key.ttl)
        await seat.association.send(key, now)
        if seat.overdue is None:
            seat.overdue = now + ACKNOWLEDGEMENT_LIMIT
        association, admission = seat.association, seat.association.admission
        if seat.is_keyed or admission is None or association.fingerprint is None:
            return []
        seat.is_keyed = True
        await self._give_roster(seat, now)
        return [EndpointKeyed(association.association_id, admission.identity, association.fingerprint)]

    async def _give_roster(self, seat: _Seat, now: float) -> None:
        """Who has no key yet gets it behind the key."""
        if not seat.is_keyed:
            return
        association_id, version = seat.association.association_id, self._roster.version
        seat.roster_version = version
        self._trace.emit(TraceName.ROSTER_SENT, association_id, version=version, members=len(self.members))
        await seat.association.send(self._roster.message_for(association_id), now)

    async def _tell_again(self, seat: _Seat, now: float) -> list[Event]:
        if seat.is_keyed and not seat.association.takes_ekt_keys:
            await self._give_key(seat, now)
        await self._give_roster(seat, now)
        return await self._settle(now)
