"""One endpoint's association with the Key Distributor: DTLS, and in it the key channel.

TunneledDtls ──▶ DTLS server ──application data──▶ key channel

      certificate awaited?   no ──▶ CertificateRefused, Ended
      Finished verified      claims the admission, or Ended
      key channel open       CanReceiveKeys; with EKT's own extension, as soon as Finished is verified
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from perc.crypto.provider import CryptoProvider
from perc.dtls import events as dtls
from perc.dtls.server import DtlsServer
from perc.dtls.server_handshake import DtlsServerConfig
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import Announce, EktKeyAck, KeyChannelMessage
from perc.errors import AlertDescription, CertificateError, IllegalParameter
from perc.key_distributor.admissions import Admission, Admissions
from perc.key_distributor.key_channel import Event as KeyChannelEvent
from perc.key_distributor.key_channel import KeyChannel, KeyChannelFailed, KeyChannelOpened
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.certificate import Certificate
from perc.x509.fingerprint import Fingerprint

KEY_CHANNEL_TIME_LIMIT = 30.0
"""Seconds from the DTLS handshake to an open key channel: an endpoint without one can do nothing in a conference."""


@dataclass(frozen=True, slots=True)
class CertificateRefused:
    """The endpoint's certificate belongs to no validated offer."""

    presented: Fingerprint


@dataclass(frozen=True, slots=True)
class CanReceiveKeys:
    """The endpoint can be given keys. A second one: it can be told more, or has forgotten what it was told."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The association is over; what `datagrams_to_send` still has says so to the endpoint."""

    reason: str


Event = dtls.SrtpKeysExported | CanReceiveKeys | Announce | EktKeyAck | CertificateRefused | Ended


class EndpointAssociation:
    """The machine of one association_id; `admission` is set once the endpoint has proved whose it is."""

    def __init__(
        self,
        association_id: UUID,
        provider: CryptoProvider,
        config: DtlsServerConfig,
        admissions: Admissions,
        trace: Trace = NO_TRACE,
    ) -> None:
        self.association_id = association_id
        self._trace = trace
        self.admission: Admission | None = None
        self.fingerprint: Fingerprint | None = None
        self.profile: SRTPProtectionProfile | None = None
        self.is_keying = False
        """Whether it has hop-by-hop keys, and the endpoint has not yet shown by a word on the association that the
        Media Distributor has them, too: they travel before the flight that lets the endpoint speak."""
        self._admissions = admissions
        self._awaited: Admission | None = None
        self._refused = False
        self._dtls = DtlsServer(provider, config, self._verify_client)
        self._key_channel = KeyChannel(provider.random_bytes)
        self._connected = False
        self.takes_ekt_keys = False
        """Whether an EKTKey goes by RFC 8870, Section 5.2.2, and not on the key channel."""
        self._ended = False
        self._deadline: float | None = None
        self._due: float | None = None
        self._knows_due = True

    async def receive_datagram(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the endpoint in; never raises for what it contains."""
        self._knows_due = False
        return await self._process(await self._dtls.receive_datagram(data, now), now)

    def datagrams_to_send(self) -> list[bytes]:
        """Datagrams for the endpoint."""
        return self._dtls.datagrams_to_send()

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called; cheap to ask while nothing happens here."""
        if not self._knows_due:
            self._due, self._knows_due = self._find_due(), True
        return self._due

    async def handle_timeout(self, now: float) -> list[Event]:
        """Repeat what was lost, or give up."""
        self._knows_due = False
        events = await self._process(await self._dtls.handle_timeout(now), now)
        if self._connected:
            events += await self._process_key_channel(self._key_channel.handle_timeout(now))
            await self._flush_key_channel()
        if self._deadline is not None and now >= self._deadline:
            events += await self._end("no key channel was opened", AlertDescription.USER_CANCELED)
        return events

    async def send(self, message: KeyChannelMessage, now: float) -> None:
        """A message on the key channel, lost if the association is over; `ApiMisuse` before `CanReceiveKeys`.

        An endpoint that knows RFC 8870 gets an EKTKey by its Section 5.2.2, and the roster once it opens a key channel.
        """
        if self._ended:
            return
        self._knows_due = False
        if isinstance(message, EktKey) and self.takes_ekt_keys:
            await self._dtls.send_ekt_key(message, now)
        elif self._key_channel.is_open or not self.takes_ekt_keys:
            self._key_channel.send(message, now)
            await self._flush_key_channel()

    async def close(self, alert: AlertDescription = AlertDescription.CLOSE_NOTIFY) -> None:
        """End the association with an alert."""
        self._knows_due = False
        self._over()
        await self._dtls.close(alert)

    def _find_due(self) -> float | None:
        if self._ended:
            return None
        times = (self._dtls.next_timeout(), self._key_channel.next_timeout(), self._deadline)
        return min((time for time in times if time is not None), default=None)

    def _verify_client(self, certificate: Certificate) -> None:
        # "The Key Distributor MUST match the certificate fingerprint and external_session_id received from endpoint's
        # ClientHello message with the values received from the SDP transmitted by the endpoint" (RFC 9185, Section
        # 5.4).
        self.fingerprint = Fingerprint.of(certificate.der)
        self._awaited = self._admissions.awaited(certificate)
        if self._awaited is None:
            self._refused = True
            self._trace.emit(TraceName.CERTIFICATE_REFUSED, self.association_id)
            raise CertificateError("no validated offer has this certificate", AlertDescription.CERTIFICATE_UNKNOWN)
        # Browsers do not send external_session_id yet (RFC 8844); whoever does must mean its own offer.
        session_id = self._dtls.external_session_id
        if session_id is not None and session_id != (self._awaited.tls_id or "").encode():
            raise IllegalParameter("external_session_id is not the tls-id of the offer")
        self._trace.emit(TraceName.CERTIFICATE_ACCEPTED, self.association_id)

    async def _process(self, events: list[dtls.Event], now: float) -> list[Event]:
        processed: list[Event] = []
        for event in events:
            if self._ended:
                break
            processed += await self._receive(event, now)
        await self._flush_key_channel()
        return processed

    async def _receive(self, event: dtls.Event, now: float) -> list[Event]:
        happened: list[Event] = []
        match event:
            case dtls.SrtpKeysExported():
                happened = await self._claim(event)
            case dtls.HandshakeCompleted():
                happened = self._complete(event, now)
            case dtls.ApplicationDataReceived(data):
                self.is_keying = False
                happened = await self._process_key_channel(self._key_channel.receive_datagram(data, now))
            case dtls.EktKeyAcknowledged(spi):
                self.is_keying = False
                happened = [EktKeyAck(spi)]
            case dtls.AssociationFailed(error):
                name = TraceName.ASSOCIATION_FAILED if self._connected else TraceName.HANDSHAKE_FAILED
                self._trace.emit_failure(name, error, self.association_id)
                happened = [*self._refusal(), *self._over(str(error))]
            case dtls.AssociationClosed():
                happened = self._over("the endpoint closed the association")
        return happened

    def _complete(self, completed: dtls.HandshakeCompleted, now: float) -> list[Event]:
        profile = completed.profile.name.lower()
        ekt_cipher = None if completed.ekt_cipher is None else completed.ekt_cipher.name.lower()
        self._trace.emit(TraceName.HANDSHAKE_COMPLETED, self.association_id, profile=profile, ekt_cipher=ekt_cipher)
        self._connected = True
        self.takes_ekt_keys = completed.ekt_cipher is not None
        if self.takes_ekt_keys:
            return [CanReceiveKeys()]
        self._deadline = now + KEY_CHANNEL_TIME_LIMIT
        return []

    async def _claim(self, keys: dtls.SrtpKeysExported) -> list[Event]:
        if self._awaited is not None and self._admissions.claim(self._awaited, self.association_id):
            self.admission, self.profile, self.is_keying = self._awaited, keys.profile, True
            return [keys]
        # Somebody with the same certificate was faster, or the offer has expired: the flight with Finished stays here.
        self._dtls.datagrams_to_send()
        return await self._end("the offer has been used", AlertDescription.ACCESS_DENIED)

    async def _process_key_channel(self, events: list[KeyChannelEvent]) -> list[Event]:
        processed: list[Event] = []
        for event in events:
            match event:
                case KeyChannelFailed(error):
                    return [*processed, *await self._end(str(error), error.alert)]
                case KeyChannelOpened():
                    self._deadline = None
                    self._trace.emit(TraceName.KEY_CHANNEL_OPENED, self.association_id)
                    processed.append(CanReceiveKeys())
                case Announce() | EktKeyAck():
                    processed.append(event)
        return processed

    async def _flush_key_channel(self) -> None:
        if self._connected and not self._ended:
            for packet in self._key_channel.datagrams_to_send():
                await self._dtls.send(packet)

    async def _end(self, reason: str, alert: AlertDescription) -> list[Event]:
        await self._dtls.close(alert)
        return self._over(reason)

    def _over(self, reason: str = "closed") -> list[Event]:
        self._ended = True
        self._deadline = None
        return [Ended(reason)]

    def _refusal(self) -> list[Event]:
        return [CertificateRefused(self.fingerprint)] if self._refused and self.fingerprint is not None else []
