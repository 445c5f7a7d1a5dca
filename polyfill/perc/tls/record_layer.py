"""The record layer (RFC 8446, Section 5): a byte stream to records and back, protected once there are keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from perc.crypto.provider import CryptoProvider
from perc.errors import AlertDescription, PeerError, UnexpectedMessage
from perc.tls.protection import MAXIMUM_PLAINTEXT, RecordProtection
from perc.wire import Writer

# "The length MUST NOT exceed 2^14 + 256 bytes" (Section 5.2).
_MAXIMUM_CIPHERTEXT = MAXIMUM_PLAINTEXT + 256
_HEADER_LENGTH = 5
_LEGACY_VERSION = 0x0303


class ContentType(IntEnum):
    """Types of records."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


@dataclass(frozen=True, slots=True)
class Record:
    """A record as its sender meant it, protection and padding removed."""

    content_type: ContentType
    fragment: bytes


class RecordLayer:
    """Both directions of one connection.

    `handshake_is_over` must be set when the peer's Finished has arrived: from then on there is no change_cipher_spec.
    """

    def __init__(self, provider: CryptoProvider) -> None:
        self._provider = provider
        self._received = bytearray()
        self._to_send = bytearray()
        self._read: RecordProtection | None = None
        self._write: RecordProtection | None = None
        self.handshake_is_over = False

    @property
    def octets_held(self) -> int:
        """How much of records that are still to be taken is kept."""
        return len(self._received)

    def receive_data(self, data: bytes) -> None:
        """Octets from the transport, in any portions."""
        self._received += data

    def data_to_send(self) -> bytes:
        """Octets for the transport; each is handed out once."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    async def next_record(self) -> Record | None:
        """The next record, or None until all of it is there."""
        while (record := self._take_record()) is not None:
            header, payload = record
            content_type = header[0]
            if content_type == ContentType.CHANGE_CIPHER_SPEC:
                self._check_change_cipher_spec(payload)
                continue
            if self._read is None:
                return _checked_record(content_type, payload)
            # Once there are keys, everything is protected and looks like application data (Section 5.2).
            if content_type != ContentType.APPLICATION_DATA:
                raise UnexpectedMessage("an unprotected record after protection began")
            return _checked_record(*await self._read.open(header, payload))
        return None

    async def write(self, content_type: ContentType, data: bytes) -> None:
        """Send `data` in as many records as it takes."""
        for start in range(0, len(data), MAXIMUM_PLAINTEXT):
            fragment = data[start : start + MAXIMUM_PLAINTEXT]
            if self._write is None:
                header = Writer().uint8(content_type).uint16(_LEGACY_VERSION)
                self._to_send += header.opaque(fragment, 2).finish()
            else:
                self._to_send += await self._write.seal(content_type, fragment)

    async def protect_reading(self, secret: bytes) -> None:
        """From here on the peer protects its records under this traffic secret."""
        self._read = await RecordProtection.create(self._provider, secret)

    async def protect_writing(self, secret: bytes) -> None:
        """From here on records are protected under this traffic secret."""
        self._write = await RecordProtection.create(self._provider, secret)

    async def update_reading(self) -> None:
        """The peer has updated its key."""
        if self._read is not None:
            self._read = await self._read.next_generation()

    async def update_writing(self) -> None:
        """Records have a new key from here on."""
        if self._write is not None:
            self._write = await self._write.next_generation()

    @property
    def needs_key_update(self) -> bool:
        """Whether the key for writing has been used as often as it may be."""
        return self._write is not None and self._write.is_worn

    def _take_record(self) -> tuple[bytes, bytes] | None:
        if len(self._received) < _HEADER_LENGTH:
            return None
        header = bytes(self._received[:_HEADER_LENGTH])
        # legacy_record_version, between the two, "MUST be ignored for all purposes" (Section 5.1).
        length = int.from_bytes(header[3:], "big")
        if length > (MAXIMUM_PLAINTEXT if self._read is None else _MAXIMUM_CIPHERTEXT):
            raise PeerError(f"a record of {length} octets", AlertDescription.RECORD_OVERFLOW)
        end = _HEADER_LENGTH + length
        if len(self._received) < end:
            return None
        payload = bytes(self._received[_HEADER_LENGTH:end])
        del self._received[:end]
        return header, payload

    def _check_change_cipher_spec(self, payload: bytes) -> None:
        # "An implementation may receive an unencrypted record of type change_cipher_spec consisting of the single byte
        # value 0x01 at any time after the first ClientHello message has been sent or received and before the peer's
        # Finished message has been received and MUST simply drop it" (Section 5).
        if self.handshake_is_over or payload != b"\x01":
            raise UnexpectedMessage("a change_cipher_spec that TLS 1.3 does not know")


def _checked_record(content_type: int, fragment: bytes) -> Record:
    # A protected change_cipher_spec is an error like any unknown type (Section 5).
    if content_type not in {ContentType.ALERT, ContentType.HANDSHAKE, ContentType.APPLICATION_DATA}:
        raise UnexpectedMessage(f"a record of type {content_type}")
    # "Implementations MUST NOT send Handshake and Alert records that have a zero-length TLSInnerPlaintext.content; if
    # such a message is received, the receiving implementation MUST terminate the connection with an
    # "unexpected_message" alert" (Section 5.4).
    if not fragment and content_type != ContentType.APPLICATION_DATA:
        raise UnexpectedMessage("an empty record")
    return Record(ContentType(content_type), fragment)
