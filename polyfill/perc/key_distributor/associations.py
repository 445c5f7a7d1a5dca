"""All associations with endpoints, through whichever tunnel: they outlive a tunnel that is lost.

    open ──▶ messages go out, associations begin
    lose ──▶ the conference's time stands still, who was here stays
    open ──▶ goes on          not within RESUME_LIMIT ──▶ all end

What an association has used once, sequence numbers, replay windows, keys, it keeps, so that cutting tunnels and making
new ones gains nobody anything: no record number comes twice, and hop-by-hop keys go out once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from uuid import UUID

from perc.crypto.provider import CryptoProvider
from perc.dtls.events import SrtpKeysExported
from perc.dtls.server_handshake import DtlsServerConfig
from perc.ekt.key_channel import Announce, EktKeyAck
from perc.errors import AlertDescription, PeerError
from perc.key_distributor.admissions import Admissions
from perc.key_distributor.association import CanReceiveKeys, CertificateRefused, Ended, EndpointAssociation
from perc.key_distributor.association import Event as AssociationEvent
from perc.key_distributor.conference_clock import ConferenceClock
from perc.key_distributor.door import Door
from perc.key_distributor.ekt_keys import EKT_TTL
from perc.key_distributor.endpoints import MAX_ASSOCIATIONS, Endpoints, begins_association
from perc.key_distributor.events import EndpointLeft, Event, FingerprintFailed
from perc.key_distributor.media_keys import media_keys
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import EndpointDisconnect, Message, TunneledDtls

RESUME_LIMIT = float(EKT_TTL)
"""Seconds that associations wait for another tunnel: then endpoints have stopped sending anyway."""

ASLEEP = 5.0
"""Seconds by which a timer is late that says that nothing ran here meanwhile: far more than a busy page's are."""


class Associations:
    """Takes what endpoints say, and leaves what they are to hear in `messages_to_send`."""

    def __init__(self, provider: CryptoProvider, admissions: Admissions, door: Door, trace: Trace = NO_TRACE) -> None:
        self._provider = provider
        self._trace = trace
        self._admissions = admissions
        self.door = door
        self._endpoints = Endpoints()
        self._clock = ConferenceClock()
        self._awake_at = 0.0
        self._config: DtlsServerConfig | None = None
        self._resume_by = 0.0
        self._outgoing: list[Message] = []
        self._farewells: deque[list[Message]] = deque(maxlen=MAX_ASSOCIATIONS)

    @property
    def count(self) -> int:
        """How many there are, handshakes included."""
        return len(self._endpoints)

    @property
    def are_waiting(self) -> bool:
        """Whether there are any, and no tunnel."""
        return self._clock.is_stopped and any(self._endpoints)

    def profiles_in_use(self) -> set[SRTPProtectionProfile]:
        """What a Media Distributor has to speak to go on with all of them."""
        return {each.profile for each in self._endpoints if each.profile is not None}

    async def open(self, config: DtlsServerConfig, now: float) -> list[Event]:
        """There is a tunnel, of a Media Distributor that has authenticated and speaks `profiles_in_use`."""
        self._config = config
        # What was said last may not have arrived; what it says of an association that is over already says nothing.
        self._outgoing = [message for farewell in self._farewells for message in farewell]
        self._awake_at = now
        missed = self._clock.go_on(now)
        events = await self.door.resume(missed, self._clock.read(now))
        return events + await self.reconsider(now)

    async def lose(self, now: float) -> list[Event]:
        """The tunnel is gone without a word: whoever was here stays, and so does who has only begun to come."""
        if self._config is None:
            return []
        time = self._time(now)
        self._config = None
        self._outgoing.clear()
        self.door.pause()
        events: list[Event] = []
        for association in self._endpoints:
            if association.is_keying:
                # Its media_keys may be lost, and never come twice.
                events += await self._close(association, AlertDescription.USER_CANCELED, "the tunnel was lost", time)
        self._clock.stop(now)
        self._resume_by = now + RESUME_LIMIT
        return events

    async def close(self, reason: str) -> list[Event]:
        """End all of them."""
        events: list[Event] = []
        for association in self._endpoints:
            await association.close()
            self._farewell(association)
            self._forget(association, reason)
            events.append(_left(association, reason))
        self._config = None
        return [*events, *self.door.clear()]

    def messages_to_send(self) -> list[Message]:
        """What is for the tunnel, in order; to be asked for while there is one."""
        for association in self._endpoints:
            self._outgoing += _datagrams(association)
        messages, self._outgoing = self._outgoing, []
        return messages

    async def receive_dtls(self, association_id: UUID, datagram: bytes, now: float) -> list[Event]:
        """A datagram of an endpoint."""
        time, events = self._time(now), list[Event]()
        association = self._endpoints.get(association_id)
        if association is None:
            if self._config is None or not begins_association(datagram):
                return []
            events += await self._make_room(time)
            if self._endpoints.is_full or self._endpoints.was_proved(association_id):
                code = "full" if self._endpoints.is_full else "id-used"
                self._trace.emit(TraceName.ASSOCIATION_REFUSED, association_id, code=code)
                self._outgoing.append(EndpointDisconnect(association_id))
                return events
            self._trace.emit(TraceName.ASSOCIATION_CREATED, association_id)
            association = EndpointAssociation(
                association_id, self._provider, self._config, self._admissions, self._trace
            )
            self._endpoints.add(association)
        return [*events, *await self._apply(association, await association.receive_datagram(datagram, time), time)]

    async def disconnected(self, association_id: UUID, now: float) -> list[Event]:
        """The Media Distributor says that an endpoint is gone."""
        association = self._endpoints.get(association_id)
        if association is None:
            return []
        reason = "disconnected by the Media Distributor"
        return await self._close(association, AlertDescription.CLOSE_NOTIFY, reason, self._time(now))

    async def reconsider(self, now: float) -> list[Event]:
        """Something was decided about those who wait: let in or send away whom it concerns, once there is a tunnel."""
        events: list[Event] = []
        if not self._clock.is_stopped:
            time = self._time(now)
            for association in self.door.waiting:
                events += await self._attempt(association, self.door.knock(association, time), time)
        return events

    async def deny(self, association_id: UUID, now: float) -> list[Event]:
        """Send a guest away; `NotPresent` if it does not wait any more."""
        guest = self.door.guest(association_id)
        reason = "the host did not let it in"
        self._trace.emit(TraceName.DENIED, association_id)
        return await self._close(guest, AlertDescription.ACCESS_DENIED, reason, self._time(now))

    async def remove(self, identity: str, now: float) -> list[Event]:
        """End every association on which this identity has authenticated."""
        alert, reason = AlertDescription.ACCESS_DENIED, "removed by the host"
        theirs = [each for each in self._endpoints if each.admission and each.admission.identity == identity]
        for association in theirs:
            self._trace.emit(TraceName.REMOVED, association.association_id)
        return await self._close_all([(each, alert, reason) for each in theirs], self._time(now))

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called."""
        if self._clock.is_stopped:
            return self._resume_by if any(self._endpoints) else None
        times = (self._endpoints.next_timeout(), self.door.next_timeout())
        due = min((time for time in times if time is not None), default=None)
        return None if due is None else self._clock.when(due)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Do what has become due by `now`."""
        if self._clock.is_stopped:
            return await self.close("the tunnel did not come back") if now >= self._resume_by else []
        time, events = self._time(now), list[Event]()
        for association in self._endpoints:
            due = association.next_timeout()
            if due is not None and due <= time:
                events += await self._apply(association, await association.handle_timeout(time), time)
        events += await self._close_all(self.door.overdue(time), time)
        return events + await self.door.handle_timeout(time)

    def _time(self, now: float) -> float:
        """The conference's time. A timer that is far too late says that nothing has run here since the last call."""
        quiet, self._awake_at = now - self._awake_at, now
        due = self.next_timeout() if quiet > ASLEEP and not self._clock.is_stopped else None
        if due is not None and now - due > ASLEEP:
            self._clock.skip(quiet)
            self.door.sleep(quiet)
        return self._clock.read(now)

    async def _make_room(self, time: float) -> list[Event]:
        oldest = self._endpoints.oldest_unproved() if self._endpoints.is_full else None
        if oldest is None:
            return []
        return await self._close(oldest, AlertDescription.USER_CANCELED, "others want to join", time)

    async def _apply(
        self, association: EndpointAssociation, events: list[AssociationEvent], time: float
    ) -> list[Event]:
        applied: list[Event] = []
        for event in events:
            if not self._endpoints.has(association):
                break  # What came behind the word that ended it, in the same datagram, nobody says.
            match event:
                case SrtpKeysExported():
                    # "as soon as the HBH encryption key is computed and before it sends a DTLS Finished message to the
                    # endpoint" (RFC 9185, Section 5.4): the flight with Finished is still in the association.
                    self._outgoing.append(media_keys(association.association_id, event))
                    profile = event.profile.name.lower()
                    self._trace.emit(TraceName.MEDIA_KEYS_SENT, association.association_id, profile=profile)
                case CanReceiveKeys():
                    applied += await self._attempt(association, self.door.knock(association, time), time)
                case Announce() | EktKeyAck():
                    heard = self.door.hear(association.association_id, event, time)
                    applied += await self._attempt(association, heard, time)
                case CertificateRefused(presented):
                    expected = self._admissions.expected()
                    applied.append(FingerprintFailed(association.association_id, presented, expected))
                case Ended(reason):
                    applied += await self._end(association, reason, time)
        return applied

    async def _attempt(
        self, association: EndpointAssociation, attempt: Awaitable[list[Event]], time: float
    ) -> list[Event]:
        """What comes of what an endpoint does; if it may not, its association ends."""
        try:
            return await attempt
        except PeerError as error:
            self._trace.emit(TraceName.REFUSED, association.association_id, alert=error.alert.name.lower())
            return await self._close(association, error.alert, str(error), time)

    async def _close(
        self, association: EndpointAssociation, alert: AlertDescription, reason: str, time: float
    ) -> list[Event]:
        await association.close(alert)
        return await self._end(association, reason, time)

    async def _close_all(
        self, going: list[tuple[EndpointAssociation, AlertDescription, str]], time: float
    ) -> list[Event]:
        # All are closed before the first one's end makes a new key, or the others would get it for the way.
        for association, alert, _ in going:
            await association.close(alert)
        events: list[Event] = []
        for association, _, reason in going:
            events += await self._end(association, reason, time)
        return events

    async def _end(self, association: EndpointAssociation, reason: str, time: float) -> list[Event]:
        if not self._endpoints.has(association):
            return []
        self._farewell(association)
        self._forget(association, reason)
        left = _left(association, reason)
        return [left, *await self.door.leave(association.association_id, time)]

    def _farewell(self, association: EndpointAssociation) -> None:
        # "When the DTLS association between the endpoint and the Key Distributor is terminated, regardless of which
        # entity initiated the termination, the Key Distributor MUST send an EndpointDisconnect message" (RFC 9185,
        # Section 5.4); what it still has to say to the endpoint goes first.
        farewell = [*_datagrams(association), EndpointDisconnect(association.association_id)]
        # To be said again, the alert is enough: what else was on its way is of no use to an endpoint that is not here.
        self._farewells.append(farewell[-2:])
        self._outgoing += farewell

    def _forget(self, association: EndpointAssociation, reason: str) -> None:
        self._trace.emit(TraceName.ASSOCIATION_CLOSED, association.association_id, reason=reason)
        self._endpoints.remove(association)
        if association.admission is not None:
            self._admissions.release(association.admission)


def _datagrams(association: EndpointAssociation) -> list[Message]:
    name = association.association_id
    return [TunneledDtls(name, datagram) for datagram in association.datagrams_to_send()]


def _left(association: EndpointAssociation, reason: str) -> EndpointLeft:
    identity = None if association.admission is None else association.admission.identity
    return EndpointLeft(association.association_id, identity, reason)
