"""The DTLS 1.2 server of a Key Distributor (RFC 6347), which ends the DTLS of all endpoints of a conference.

It offers one kind of handshake: ECDHE_ECDSA with AES-GCM, extended master secret, client certificate, use_srtp with a
GCM profile. It refuses everything else, and resumption and renegotiation with it.
"""

from __future__ import annotations

from collections.abc import Callable

from perc.crypto.provider import CryptoProvider
from perc.dtls.association import Association
from perc.dtls.ekt_delivery import EktKeyDelivery, EktKeyMessage
from perc.dtls.events import EktKeyAcknowledged, Event
from perc.dtls.fragments import HandshakeMessage, HandshakeType
from perc.dtls.numbers import Numbers
from perc.dtls.server_handshake import DtlsServerConfig, ServerHandshake
from perc.ekt.ekt_key import EktKey
from perc.errors import ApiMisuse, UnexpectedMessage
from perc.x509.certificate import Certificate

_FROM_ZERO = Numbers()


class DtlsServer(Association):
    """The server's end of one association.

    `verify_client` is called with the client's certificate before the client has proved to own it, and refuses it by
    raising `CertificateError` (or, for another tls-id than the offer's, `IllegalParameter`). Only `HandshakeCompleted`
    says that the client is the certificate's owner. `numbers` are those of the gate that has admitted the client, if
    there was one.
    """

    def __init__(
        self,
        provider: CryptoProvider,
        config: DtlsServerConfig,
        verify_client: Callable[[Certificate], None],
        numbers: Numbers = _FROM_ZERO,
    ) -> None:
        self._server_handshake = ServerHandshake(provider, config, verify_client, numbers.message_seq)
        self._delivery = EktKeyDelivery()
        self._waiting: EktKey | None = None
        super().__init__(self._server_handshake, config.mtu, numbers)

    async def receive_datagram(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the client in; the first one starts the clock of the handshake."""
        if not self._is_open and not self._has_ended:
            self._open(now)
        return await super().receive_datagram(data, now)

    @property
    def external_session_id(self) -> bytes | None:
        """The tls-id that the client sent (RFC 8844, Section 4), from when `verify_client` is called; None if it sent
        none."""
        return self._server_handshake.external_session_id

    async def send_ekt_key(self, key: EktKey, now: float) -> None:
        """Give the client an EKTKey (RFC 8870, Section 5.2.2); `EktKeyAcknowledged` says that it has it.

        While another one is on its way, the key waits, in the place of any that waited before. After 65536 handshake
        messages none is sent, and so none acknowledged, until there is another association. `ApiMisuse` unless the
        handshake is completed, has negotiated an EKT cipher, and the key is one for that cipher.
        """
        if not self._is_connected:
            raise ApiMisuse("an EKTKey outside a connected association")
        self._server_handshake.expect_ekt_key(key)
        if self._delivery.is_underway:
            self._waiting = key
        else:
            await self._deliver(key, now)

    def next_timeout(self) -> float | None:
        """When `handle_timeout` should be called; None while there is nothing to wait for."""
        times = (super().next_timeout(), self._delivery.due)
        return min((time for time in times if time is not None), default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Do what has become due by `now`: repeat a flight or an EKTKey, or give up."""
        events = await super().handle_timeout(now)
        if self._delivery.expired(now):
            await self._transmit_ekt_key(now)
        return events

    async def _deliver(self, key: EktKey, now: float) -> None:
        message = self._server_handshake.ekt_key_message(key)
        if message is not None:
            self._delivery.begin(EktKeyMessage(key.spi, message))
            await self._transmit_ekt_key(now)

    async def _transmit_ekt_key(self, now: float) -> None:
        for records in self._delivery.transmit(self._mtu, now):
            sealed = []
            for record in records:
                self._delivery.note(self._records.next_protected_number, record)
                sealed.append(await self._records.seal(record.epoch, record.content_type, record.payload))
            self._datagrams.append(b"".join(sealed))

    async def _receive_ack(self, acknowledged: frozenset[int], now: float) -> None:
        spi = self._delivery.acknowledge(acknowledged)
        if spi is None:
            return
        self._events.append(EktKeyAcknowledged(spi))
        if self._waiting is not None:
            key, self._waiting = self._waiting, None
            await self._deliver(key, now)

    async def _receive_after_handshake(self, message: HandshakeMessage) -> None:
        if message.msg_type == HandshakeType.EKT_KEY:
            # Transport of EKT keying material is "from the DTLS-SRTP peer in the server role to the client" (RFC 8870,
            # Section 5).
            raise UnexpectedMessage("an EKTKey from a client")
        await super()._receive_after_handshake(message)

    def _end(self) -> None:
        super()._end()
        self._delivery.stop()
        self._waiting = None
