"""One tunnel: what the Media Distributor says, and what it is told, from the ClientHello to the end.

"The Key Distributor MUST NOT establish DTLS-SRTP associations with Endpoints without first authenticating the Media
Distributor tunneling the DTLS-SRTP packets from the Endpoint" (RFC 8871, Section 4.5.1): `Associations` are open only
from when a tunnel has said its profiles until its end. A tunnel that resumes them authenticates just as the first did.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.crypto.provider import CryptoProvider
from perc.dtls.server_handshake import DtlsServerConfig
from perc.ekt.ekt_key import EKTCipher
from perc.errors import HandshakeFailure
from perc.key_distributor.admissions import Admissions
from perc.key_distributor.associations import Associations
from perc.key_distributor.connection import Event as ConnectionEvent
from perc.key_distributor.connection import MediaDistributorConnection
from perc.key_distributor.events import Connected, ConnectionClosed, ConnectionFailed, Event
from perc.key_distributor.media_keys import common_profiles
from perc.key_distributor.signing import Signing, Terms
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.tls.config import TlsClientConfig
from perc.tunnel.messages import EndpointDisconnect, SignAnswer, SupportedProfiles, TunneledDtls


@dataclass(frozen=True, slots=True)
class Parties:
    """What outlives a tunnel: who may come, who is there, the EKT cipher that they share, and the trace."""

    admissions: Admissions
    associations: Associations
    ekt_cipher: EKTCipher
    trace: Trace = NO_TRACE


class TunnelSession:
    """One tunnel, for associations that may be older and may outlive it."""

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig, terms: Terms, parties: Parties) -> None:
        self._config = config
        self._trace = parties.trace
        self._connection = MediaDistributorConnection(provider, config, parties.trace)
        self._associations = parties.associations
        self._ekt_cipher = parties.ekt_cipher
        self.signing = Signing(terms, parties.admissions, self._connection.send, parties.trace)
        self._is_up = False
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
        if self._is_up and not self.has_ended:
            for message in self._associations.messages_to_send():
                self._connection.send(message)
        await self._connection.flush()

    async def close(self) -> list[Event]:
        """Say goodbye to the endpoints and the Media Distributor."""
        events = await self._associations.close("the Key Distributor was closed")
        await self.flush()
        await self._connection.close()
        if not self.has_ended:
            self._trace.emit(TraceName.TUNNEL_CLOSED)
        self._end()
        return events

    async def lose(self, now: float) -> list[Event]:
        """The connection is gone without a word."""
        self._trace.emit(TraceName.TUNNEL_LOST, associations=self._associations.count)
        self._end()
        return await self._associations.lose(now) if self._is_up else []

    async def _receive(self, event: ConnectionEvent, now: float) -> list[Event]:
        events: list[Event] = []
        match event:
            case SupportedProfiles(profiles):
                events = await self._begin(profiles, now)
            case SignAnswer():
                events = self.signing.receive(event, now)
            case TunneledDtls(association_id, datagram):
                events = await self._associations.receive_dtls(association_id, datagram, now)
            case EndpointDisconnect(association_id):
                events = await self._associations.disconnected(association_id, now)
            case ConnectionFailed(error):
                self._trace.emit_failure(TraceName.TUNNEL_FAILED, error)
                # Anyone on the path can spoil a record, so that this ends no more than cutting the connection does.
                is_cut = not self._connection.has_said_goodbye
                events = [*await (self.lose(now) if is_cut else self._finish()), event]
            case ConnectionClosed():
                self._trace.emit(TraceName.TUNNEL_CLOSED)
                events = [*await self._finish(), event]
        return events

    async def _begin(self, offered: tuple[int, ...], now: float) -> list[Event]:
        self._is_up = True
        profiles = common_profiles(offered, self._ekt_cipher)
        if not profiles:
            return await self._refuse("the Media Distributor has no profile with GCM")
        if not self._associations.profiles_in_use().issubset(profiles):
            return await self._refuse("the Media Distributor lacks a profile that is in use")
        certificate, key = self._config.certificate, self._config.signing_key
        key_log = self._config.key_log  # one for the tunnel and the associations in it
        config = DtlsServerConfig(certificate, key, profiles, ekt_ciphers=(self._ekt_cipher,), key_log=key_log)
        name = TraceName.TUNNEL_RESUMED if self._associations.are_waiting else TraceName.TUNNEL_OPENED
        names = tuple(profile.name.lower() for profile in profiles)
        self._trace.emit(name, profiles=names, associations=self._associations.count)
        return [Connected(offered), *await self._associations.open(config, now)]

    async def _refuse(self, reason: str) -> list[Event]:
        error = HandshakeFailure(reason)
        self._trace.emit_failure(TraceName.TUNNEL_FAILED, error)
        failed = await self._connection.fail(error)
        return [*await self._finish(), *failed]

    async def _finish(self) -> list[Event]:
        """One of both, authenticated, has said in order that the tunnel is over, and means it."""
        self._end()
        return await self._associations.close("the tunnel was ended") if self._is_up else []

    def _end(self) -> None:
        self.has_ended = True
        self.signing.clear()
