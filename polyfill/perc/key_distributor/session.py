"""Everything that happens over one tunnel: what the Media Distributor says, and what endpoints say through it.

"The Key Distributor MUST NOT establish DTLS-SRTP associations with Endpoints without first authenticating the Media
Distributor tunneling the DTLS-SRTP packets from the Endpoint" (RFC 8871, Section 4.5.1): there are no endpoints before
the tunnel has said its profiles, and none after its end.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from uuid import UUID

from perc.crypto.provider import CryptoProvider
from perc.dtls.events import SrtpKeysExported
from perc.dtls.server_handshake import DtlsServerConfig
from perc.ekt.key_channel import Announce, EktKeyAck
from perc.errors import AlertDescription, HandshakeFailure, PeerError
from perc.key_distributor.admissions import Admissions
from perc.key_distributor.association import CanReceiveKeys, CertificateRefused, Ended, EndpointAssociation
from perc.key_distributor.association import Event as AssociationEvent
from perc.key_distributor.connection import Event as ConnectionEvent
from perc.key_distributor.connection import MediaDistributorConnection
from perc.key_distributor.door import Door
from perc.key_distributor.ekt_keys import EKT_CIPHER
from perc.key_distributor.endpoints import Endpoints, begins_association
from perc.key_distributor.events import (
    Connected,
    ConnectionClosed,
    ConnectionFailed,
    EndpointLeft,
    Event,
    FingerprintFailed,
)
from perc.key_distributor.media_keys import common_profiles, media_keys
from perc.key_distributor.signing import Signing, Terms
from perc.tls.config import TlsClientConfig
from perc.tunnel.messages import EndpointDisconnect, SignAnswer, SupportedProfiles, TunneledDtls


@dataclass(frozen=True, slots=True)
class Parties:
    """What outlives a tunnel: who may come, and who is there."""

    admissions: Admissions
    door: Door


class TunnelSession:
    """One tunnel and the endpoints behind it."""

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig, terms: Terms, parties: Parties) -> None:
        self._provider = provider
        self._config = config
        self._admissions = parties.admissions
        self._door = parties.door
        self._connection = MediaDistributorConnection(provider, config)
        self._endpoints = Endpoints()
        self._dtls_config: DtlsServerConfig | None = None
        self.signing = Signing(terms, parties.admissions, self._connection.send)
        self.has_ended = False

    async def start(self) -> None:
        """Begin the TLS handshake."""
        await self._connection.start()

    async def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take octets of the connection in."""
        events: list[Event] = []
        for event in await self._connection.receive_data(data):
            if not self.has_ended:
                events += await self._receive(event, now)
        return events

    def data_to_send(self) -> bytes:
        """Octets for the connection."""
        return self._connection.data_to_send()

    async def flush(self) -> None:
        """Put into the connection what the endpoints are to get, behind the messages that were queued before."""
        for association in self._endpoints:
            self._forward(association)
        await self._connection.flush()

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called."""
        times = (self._endpoints.next_timeout(), self.signing.next_timeout(), self._door.next_timeout())
        return min((time for time in times if time is not None), default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Do what has become due by `now`."""
        events = self.signing.handle_timeout(now)
        for association in self._endpoints:
            due = association.next_timeout()
            if due is not None and due <= now:
                events += await self._apply(association, await association.handle_timeout(now), now)
        for association, reason in self._door.overdue(now):
            events += await self._close(association, AlertDescription.ACCESS_DENIED, reason, now)
        return events

    async def reconsider(self, now: float) -> list[Event]:
        """Something was decided about those who wait: let in or send away whom it concerns."""
        events: list[Event] = []
        for association in self._door.waiting:
            events += await self._attempt(association, self._door.knock(association, now), now)
        return events

    async def deny(self, association_id: UUID, now: float) -> list[Event]:
        """Send a guest away; `NotPresent` if it does not wait any more."""
        guest = self._door.guest(association_id)
        return await self._close(guest, AlertDescription.ACCESS_DENIED, "the host did not let it in", now)

    async def remove(self, identity: str, now: float) -> list[Event]:
        """End every association on which this identity has authenticated."""
        events: list[Event] = []
        for association in self._endpoints:
            if association.admission is not None and association.admission.identity == identity:
                events += await self._close(association, AlertDescription.ACCESS_DENIED, "removed by the host", now)
        return events

    async def close(self) -> list[Event]:
        """Say goodbye to the endpoints and the Media Distributor."""
        for association in self._endpoints:
            await association.close()
            self._farewell(association)
        await self._connection.close()
        return self.lose()

    def lose(self) -> list[Event]:
        """The connection is gone, and the endpoints with it; they have to come again."""
        self.has_ended = True
        self.signing.clear()
        events = [_left(association, "the tunnel is gone") for association in self._endpoints]
        for association in self._endpoints:
            self._forget(association)
        return [*events, *self._door.clear()]

    async def _receive(self, event: ConnectionEvent, now: float) -> list[Event]:
        match event:
            case SupportedProfiles(profiles):
                return await self._begin(profiles)
            case SignAnswer():
                return self.signing.receive(event, now)
            case TunneledDtls(association_id, datagram):
                return await self._receive_dtls(association_id, datagram, now)
            case EndpointDisconnect(association_id):
                return await self._disconnected(association_id, now)
            case ConnectionFailed() | ConnectionClosed():
                return [*self.lose(), event]
        return []

    async def _begin(self, offered: tuple[int, ...]) -> list[Event]:
        profiles = common_profiles(offered)
        if not profiles:
            failed = await self._connection.fail(HandshakeFailure("the Media Distributor has no profile with GCM"))
            return [*self.lose(), *failed]
        self._dtls_config = DtlsServerConfig(
            self._config.certificate, self._config.signing_key, profiles, ekt_ciphers=(EKT_CIPHER,)
        )
        return [Connected(offered)]

    async def _receive_dtls(self, association_id: UUID, datagram: bytes, now: float) -> list[Event]:
        events: list[Event] = []
        association = self._endpoints.get(association_id)
        if association is None:
            if self._dtls_config is None or not begins_association(datagram):
                return []
            events += await self._make_room(now)
            if self._endpoints.is_full:
                self._connection.send(EndpointDisconnect(association_id))
                return events
            association = EndpointAssociation(association_id, self._provider, self._dtls_config, self._admissions)
            self._endpoints.add(association)
        return [*events, *await self._apply(association, await association.receive_datagram(datagram, now), now)]

    async def _make_room(self, now: float) -> list[Event]:
        oldest = self._endpoints.oldest_unproved() if self._endpoints.is_full else None
        if oldest is None:
            return []
        return await self._close(oldest, AlertDescription.USER_CANCELED, "others want to join", now)

    async def _disconnected(self, association_id: UUID, now: float) -> list[Event]:
        association = self._endpoints.get(association_id)
        if association is None:
            return []
        return await self._close(
            association, AlertDescription.CLOSE_NOTIFY, "disconnected by the Media Distributor", now
        )

    async def _apply(self, association: EndpointAssociation, events: list[AssociationEvent], now: float) -> list[Event]:
        applied: list[Event] = []
        for event in events:
            match event:
                case SrtpKeysExported():
                    # "as soon as the HBH encryption key is computed and before it sends a DTLS Finished message to the
                    # endpoint" (RFC 9185, Section 5.4): the flight with Finished is still in the association.
                    self._connection.send(media_keys(association.association_id, event))
                case CanReceiveKeys():
                    applied += await self._attempt(association, self._door.knock(association, now), now)
                case Announce() | EktKeyAck():
                    heard = self._door.hear(association.association_id, event, now)
                    applied += await self._attempt(association, heard, now)
                case CertificateRefused(presented):
                    expected = self._admissions.expected()
                    applied.append(FingerprintFailed(association.association_id, presented, expected))
                case Ended(reason):
                    applied += await self._end(association, reason, now)
        return applied

    async def _attempt(
        self, association: EndpointAssociation, attempt: Awaitable[list[Event]], now: float
    ) -> list[Event]:
        """What comes of what an endpoint does; if it may not, its association ends."""
        try:
            return await attempt
        except PeerError as error:
            return await self._close(association, error.alert, str(error), now)

    async def _close(
        self, association: EndpointAssociation, alert: AlertDescription, reason: str, now: float
    ) -> list[Event]:
        await association.close(alert)
        return await self._end(association, reason, now)

    async def _end(self, association: EndpointAssociation, reason: str, now: float) -> list[Event]:
        if self._endpoints.get(association.association_id) is not association:
            return []
        self._farewell(association)
        self._forget(association)
        left = _left(association, reason)
        return [left, *await self._door.leave(association.association_id, now)]

    def _farewell(self, association: EndpointAssociation) -> None:
        # "When the DTLS association between the endpoint and the Key Distributor is terminated, regardless of which
        # entity initiated the termination, the Key Distributor MUST send an EndpointDisconnect message" (RFC 9185,
        # Section 5.4); what it still has to say to the endpoint goes first.
        self._forward(association)
        self._connection.send(EndpointDisconnect(association.association_id))

    def _forward(self, association: EndpointAssociation) -> None:
        for datagram in association.datagrams_to_send():
            self._connection.send(TunneledDtls(association.association_id, datagram))

    def _forget(self, association: EndpointAssociation) -> None:
        self._endpoints.remove(association)
        if association.admission is not None:
            self._admissions.release(association.admission)


def _left(association: EndpointAssociation, reason: str) -> EndpointLeft:
    identity = None if association.admission is None else association.admission.identity
    return EndpointLeft(association.association_id, identity, reason)
