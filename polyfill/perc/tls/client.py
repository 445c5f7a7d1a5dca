"""A TLS 1.3 client (RFC 8446): bytes in, bytes out, events.

The caller moves octets between this machine and a transport; it does not open one, and has no clock.
"""

from __future__ import annotations

from enum import Enum, auto

from perc.crypto.provider import CryptoProvider
from perc.errors import AlertDescription, AlertReceived, ApiMisuse, PeerError, UnexpectedMessage
from perc.tls.alert import read_alert, write_alert
from perc.tls.client_handshake import ClientHandshake
from perc.tls.config import (
    ApplicationDataReceived,
    ConnectionClosed,
    ConnectionFailed,
    Event,
    HandshakeCompleted,
    TlsClientConfig,
)
from perc.tls.handshake import HandshakeMessage, HandshakeReassembler, HandshakeType, write_handshake
from perc.tls.post_handshake import check_new_session_ticket, read_key_update, write_key_update
from perc.tls.record_layer import ContentType, Record, RecordLayer


class _Connection(Enum):
    HANDSHAKE = auto()
    OPEN = auto()
    OVER = auto()


# Messages after which the sender's records have another key (RFC 8446, Section 5.1).
_BEFORE_KEY_CHANGE = frozenset({HandshakeType.SERVER_HELLO, HandshakeType.FINISHED, HandshakeType.KEY_UPDATE})


class TlsClient:
    """One connection, from ClientHello to close_notify.

    `start` once, then `receive_data` for what arrives; after each call, `data_to_send` goes to the transport. What the
    server does wrong ends the connection with an alert and `ConnectionFailed`; nothing is raised for it.
    """

    def __init__(self, provider: CryptoProvider, config: TlsClientConfig) -> None:
        self._records = RecordLayer(provider)
        self._messages = HandshakeReassembler()
        self._handshake = ClientHandshake(provider, config, self._records)
        self._connection = _Connection.HANDSHAKE
        self._owes_key_update = False

    async def start(self) -> None:
        """Begin the handshake; `ApiMisuse` for a server name that is neither a DNS name nor an IP address."""
        await self._handshake.start()

    def data_to_send(self) -> bytes:
        """Octets for the transport; each is handed out once."""
        return self._records.data_to_send()

    @property
    def record_octets_held(self) -> int:
        """How much of an incomplete record is kept."""
        return self._records.octets_held

    @property
    def message_octets_held(self) -> int:
        """How much of an incomplete handshake message is kept."""
        return self._messages.octets_held

    async def receive_data(self, data: bytes) -> list[Event]:
        """Octets from the transport, in any portions; ignored once the connection is over."""
        events: list[Event] = []
        if self._is_over:
            return events
        self._records.receive_data(data)
        try:
            while not self._is_over and (record := await self._records.next_record()):
                events += await self._receive_record(record)
            await self._pay_key_update()
        except PeerError as error:
            events.append(await self._fail(error))
        return events

    async def send(self, data: bytes) -> None:
        """Send octets of the application; `ApiMisuse` unless the handshake is complete and nothing is closed."""
        if self._connection is not _Connection.OPEN:
            raise ApiMisuse("the connection is not open")
        if self._records.needs_key_update:
            await self._update_writing()
        await self._records.write(ContentType.APPLICATION_DATA, data)

    async def close(self) -> None:
        """Close with close_notify; what arrives later is ignored. Does nothing on a connection that is over."""
        if not self._is_over:
            await self._end(AlertDescription.CLOSE_NOTIFY)

    @property
    def _is_over(self) -> bool:
        return self._connection is _Connection.OVER

    async def _receive_record(self, record: Record) -> list[Event]:
        # "Handshake messages MUST NOT be interleaved with other record types" (Section 5.1).
        if record.content_type is not ContentType.HANDSHAKE and not self._messages.is_empty:
            raise UnexpectedMessage("another record in the middle of a handshake message")
        match record.content_type:
            case ContentType.HANDSHAKE:
                return await self._receive_fragment(record.fragment)
            case ContentType.ALERT:
                return await self._receive_alert(record.fragment)
            case _:
                return self._receive_application_data(record.fragment)

    async def _receive_fragment(self, fragment: bytes) -> list[Event]:
        events: list[Event] = []
        self._messages.receive(fragment)
        while (message := self._messages.next_message()) is not None:
            # "Implementations MUST verify that all messages immediately preceding a key change align with a record
            # boundary" (Section 5.1).
            if message.msg_type in _BEFORE_KEY_CHANGE and not self._messages.is_empty:
                raise UnexpectedMessage("a message that spans a change of keys")
            if self._connection is _Connection.OPEN:
                await self._receive_post_handshake(message)
                continue
            await self._handshake.receive(message)
            if self._handshake.is_complete:
                self._connection = _Connection.OPEN
                events.append(HandshakeCompleted(self._handshake.server_certificate))
        return events

    async def _receive_post_handshake(self, message: HandshakeMessage) -> None:
        match message.msg_type:
            case HandshakeType.NEW_SESSION_TICKET:
                check_new_session_ticket(message.body)
            case HandshakeType.KEY_UPDATE:
                self._owes_key_update |= read_key_update(message.body)
                await self._records.update_reading()
            case _:
                # Post-handshake authentication too: it was not offered (Section 4.6.2).
                raise UnexpectedMessage(f"handshake message {message.msg_type} after the handshake")

    async def _receive_alert(self, fragment: bytes) -> list[Event]:
        # user_canceled is followed by close_notify, which is when something happens (Section 6.1).
        if read_alert(fragment) is not AlertDescription.CLOSE_NOTIFY:
            return []
        await self._end(AlertDescription.CLOSE_NOTIFY)
        return [ConnectionClosed()]

    def _receive_application_data(self, data: bytes) -> list[Event]:
        if self._connection is not _Connection.OPEN:
            raise UnexpectedMessage("application data before the handshake is complete")
        # "Zero-length fragments of Application Data MAY be sent, as they are potentially useful as a traffic analysis
        # countermeasure" (Section 5.1): they say nothing.
        return [ApplicationDataReceived(data)] if data else []

    async def _pay_key_update(self) -> None:
        # One KeyUpdate answers all that asked for one (Section 4.6.3), so that asking often gains nothing.
        if self._owes_key_update and self._connection is _Connection.OPEN:
            await self._update_writing()

    async def _update_writing(self) -> None:
        await self._records.write(ContentType.HANDSHAKE, write_handshake(HandshakeType.KEY_UPDATE, write_key_update()))
        await self._records.update_writing()
        self._owes_key_update = False

    async def _fail(self, error: PeerError) -> ConnectionFailed:
        if isinstance(error, AlertReceived):
            self._connection = _Connection.OVER  # the other side knows already
        else:
            await self._end(error.alert)
        return ConnectionFailed(error)

    async def _end(self, alert: AlertDescription) -> None:
        self._connection = _Connection.OVER
        await self._records.write(ContentType.ALERT, write_alert(alert))
