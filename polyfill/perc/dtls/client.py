"""The DTLS 1.2 client of a native endpoint (RFC 6347); it asks for exactly what `server.py` offers."""

from __future__ import annotations

from collections.abc import Callable

from perc.crypto.provider import CryptoProvider
from perc.dtls.ack import write_ack
from perc.dtls.association import Association
from perc.dtls.client_handshake import ClientHandshake, DtlsClientConfig
from perc.dtls.ekt_receipt import EktKeyReceipt
from perc.dtls.events import EktKeyReceived, Event
from perc.dtls.fragments import Fragment, HandshakeMessage, HandshakeType
from perc.dtls.numbers import Numbers
from perc.dtls.record_layer import PROTECTED_EPOCH
from perc.dtls.records import ContentType, Record
from perc.errors import ApiMisuse
from perc.x509.certificate import Certificate


class DtlsClient(Association):
    """The client's end of one association.

    `verify_server` refuses the server's certificate by raising `CertificateError` (or, for another tls-id than the
    answer's, `IllegalParameter`).
    """

    def __init__(
        self, provider: CryptoProvider, config: DtlsClientConfig, verify_server: Callable[[Certificate], None]
    ) -> None:
        self._client_handshake = ClientHandshake(provider, config, verify_server)
        self._receipt = EktKeyReceipt()
        super().__init__(self._client_handshake, config.mtu, Numbers())

    @property
    def external_session_id(self) -> bytes | None:
        """The tls-id that the server sent (RFC 8844, Section 4), from when `verify_server` is called; None if it sent
        none."""
        return self._client_handshake.external_session_id

    async def start(self, now: float) -> list[Event]:
        """Send the ClientHello; `ApiMisuse` the second time."""
        if self._is_open or self._has_ended:
            raise ApiMisuse("the handshake has been started")
        self._open(now)
        for output in self._client_handshake.start():
            await self._apply(output, now)
        return self._take_events()

    def _note_fragment(self, record: Record, fragment: Fragment) -> None:
        if fragment.msg_type == HandshakeType.EKT_KEY:
            self._receipt.note(record.sequence_number, fragment)

    async def _receive_after_handshake(self, message: HandshakeMessage) -> None:
        if message.msg_type == HandshakeType.EKT_KEY:
            self._events.append(EktKeyReceived(self._client_handshake.read_ekt_key(message)))
        else:
            await super()._receive_after_handshake(message)

    async def _receive_handshake(self, record: Record, plaintext: bytes, now: float) -> None:
        await super()._receive_handshake(record, plaintext, now)
        # "When an EKTKey is received and processed successfully, the recipient MUST respond with an ACK message"
        # (RFC 8870, Section 5.2.2): also when it comes again, because then the first ACK was lost.
        received = self._receipt.take(self._reassembler.next_message_seq) if self._is_connected else []
        if received:
            self._datagrams.append(await self._records.seal(PROTECTED_EPOCH, ContentType.ACK, write_ack(received)))
