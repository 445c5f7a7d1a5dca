"""Framing of handshake messages (RFC 8446, Section 4): from fragments to whole messages, within a limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from perc.errors import IllegalParameter
from perc.wire import Writer

HEADER_LENGTH = 4
# The largest message is a certificate chain: ten certificates of a few kilobytes.
MAXIMUM_MESSAGE = 1 << 16


class HandshakeType(IntEnum):
    """Types of handshake messages."""

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    ENCRYPTED_EXTENSIONS = 8
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    CERTIFICATE_VERIFY = 15
    FINISHED = 20
    KEY_UPDATE = 24
    MESSAGE_HASH = 254


@dataclass(frozen=True, slots=True)
class HandshakeMessage:
    """One whole message: its type (not necessarily a known one), its body, and both as they were received."""

    msg_type: int
    body: bytes
    encoded: bytes


class HandshakeReassembler:
    """Joins fragments of the record layer into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether no part of a message waits."""
        return not self._buffer

    @property
    def octets_held(self) -> int:
        """How much of messages that are still to be taken is kept."""
        return len(self._buffer)

    def receive(self, fragment: bytes) -> None:
        """The next fragment."""
        self._buffer += fragment

    def next_message(self) -> HandshakeMessage | None:
        """The next whole message; None until it is there, `IllegalParameter` if it announces too much."""
        if len(self._buffer) < HEADER_LENGTH:
            return None
        length = int.from_bytes(self._buffer[1:HEADER_LENGTH], "big")
        if length > MAXIMUM_MESSAGE:
            raise IllegalParameter(f"a handshake message of {length} octets")
        end = HEADER_LENGTH + length
        if len(self._buffer) < end:
            return None
        encoded = bytes(self._buffer[:end])
        del self._buffer[:end]
        return HandshakeMessage(encoded[0], encoded[HEADER_LENGTH:], encoded)


def write_handshake(msg_type: HandshakeType, body: bytes) -> bytes:
    """One whole message."""
    return Writer().uint8(msg_type).opaque(body, 3).finish()
