"""Handshake messages and their fragments (RFC 6347, Sections 4.2.2 and 4.2.3).

struct {
    HandshakeType msg_type;
    uint24 length;
    uint16 message_seq;
    uint24 fragment_offset;
    uint24 fragment_length;
    opaque fragment[fragment_length];
} Handshake;
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from perc.errors import DecodeError, IllegalParameter

# msg_type with length, message_seq, fragment_offset with fragment_length: 4, 2 and 6 octets.
_HEADER = struct.Struct(">IHHI")
_UINT24 = 0xFFFFFF
HEADER_LENGTH = _HEADER.size
# Chromium's ClientHello has 1413 octets, a WebRTC certificate about 300; chains are not expected.
MAX_MESSAGE_LENGTH = 4096
# A full flight of either side has at most five messages. With the above: at most 40 KiB (content and mask) per peer.
MAX_BUFFERED_MESSAGES = 5


class HandshakeType(IntEnum):
    """Handshake messages of DTLS 1.2 (RFC 6347, Section 4.3.2), and EKTKey."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    HELLO_VERIFY_REQUEST = 3
    CERTIFICATE = 11
    SERVER_KEY_EXCHANGE = 12
    CERTIFICATE_REQUEST = 13
    SERVER_HELLO_DONE = 14
    CERTIFICATE_VERIFY = 15
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20
    EKT_KEY = 26  # RFC 8870, Section 5.2.2


@dataclass(frozen=True, slots=True)
class HandshakeMessage:
    """A whole handshake message; `msg_type` is an int because a peer may send types that have no name here."""

    msg_type: int
    message_seq: int
    body: bytes

    def fragment(self, offset: int, length: int) -> Fragment:
        """The `length` octets from `offset` as a fragment of this message."""
        return Fragment(self.msg_type, len(self.body), self.message_seq, offset, self.body[offset : offset + length])


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a handshake message, or all of it."""

    msg_type: int
    length: int
    message_seq: int
    offset: int
    content: bytes

    @property
    def end(self) -> int:
        """The offset behind the last octet."""
        return self.offset + len(self.content)


def write_message(message: HandshakeMessage) -> bytes:
    """The message as a single fragment: the form in which it enters the transcript."""
    length = len(message.body)
    return _HEADER.pack(message.msg_type << 24 | length, message.message_seq, 0, length) + message.body


def write_fragment(fragment: Fragment) -> bytes:
    """The octets of a fragment."""
    high, low = divmod(fragment.offset, 1 << 8)
    type_and_length = fragment.msg_type << 24 | fragment.length
    header = _HEADER.pack(type_and_length, fragment.message_seq, high, low << 24 | len(fragment.content))
    return header + fragment.content


def read_fragments(payload: bytes) -> list[Fragment]:
    """All fragments in the payload of a handshake record; `DecodeError` unless they fill it exactly."""
    fragments = [_read_fragment(payload, 0)]
    position = HEADER_LENGTH + len(fragments[0].content)
    while position < len(payload):
        fragments.append(_read_fragment(payload, position))
        position += HEADER_LENGTH + len(fragments[-1].content)
    return fragments


def _read_fragment(payload: bytes, position: int) -> Fragment:
    try:
        type_and_length, message_seq, high, low = _HEADER.unpack_from(payload, position)
    except struct.error as error:
        raise DecodeError("a fragment shorter than its header") from error
    length, offset, fragment_length = type_and_length & _UINT24, high << 8 | low >> 24, low & _UINT24
    start = position + HEADER_LENGTH
    content = payload[start : start + fragment_length]
    if len(content) != fragment_length or offset + fragment_length > length:
        raise DecodeError("a fragment that reaches beyond its record or its message")
    return Fragment(type_and_length >> 24, length, message_seq, offset, content)


class _PartialMessage:
    """A message some of whose octets are known: `mask` is 1 where they are. Most messages come whole."""

    __slots__ = ("content", "epoch", "is_complete", "mask", "msg_type")

    def __init__(self, epoch: int, fragment: Fragment) -> None:
        self.epoch = epoch
        self.msg_type = fragment.msg_type
        self.is_complete = len(fragment.content) == fragment.length
        self.content = bytearray(fragment.content)
        self.mask = bytearray()
        if not self.is_complete:
            self.content = bytearray(fragment.length)
            self.mask = bytearray(fragment.length)
            self.add(fragment)

    def agrees_with(self, epoch: int, fragment: Fragment) -> bool:
        return (self.epoch, self.msg_type, len(self.content)) == (epoch, fragment.msg_type, fragment.length)

    def add(self, fragment: Fragment) -> None:
        # "DTLS implementations MUST be able to handle overlapping fragment ranges." (RFC 6347, Section 4.2.3)
        self.content[fragment.offset : fragment.end] = fragment.content
        self.mask[fragment.offset : fragment.end] = b"\x01" * len(fragment.content)
        self.is_complete = 0 not in self.mask


class Reassembler:
    """Puts fragments together again, and messages into order, within bounds."""

    def __init__(self, first_message_seq: int = 0) -> None:
        self._next_message_seq = first_message_seq
        self._partial: dict[int, _PartialMessage] = {}

    @property
    def next_message_seq(self) -> int:
        """The number of the message that is due."""
        return self._next_message_seq

    @property
    def lengths_held(self) -> tuple[int, ...]:
        """The lengths of the messages that are incomplete or not due."""
        return tuple(len(partial.content) for partial in self._partial.values())

    def receive(self, epoch: int, fragment: Fragment) -> None:
        """Take a fragment in. Old and far-future ones are ignored, as is what contradicts an earlier fragment of the
        same message; `IllegalParameter` for a message larger than any that belongs here."""
        ahead = fragment.message_seq - self._next_message_seq
        if not 0 <= ahead < MAX_BUFFERED_MESSAGES:
            return
        if fragment.length > MAX_MESSAGE_LENGTH:
            raise IllegalParameter(f"a handshake message of {fragment.length} octets")
        partial = self._partial.get(fragment.message_seq)
        if partial is None or partial.epoch < epoch:
            # A protected fragment displaces a clear one, which anybody may have planted.
            self._partial[fragment.message_seq] = _PartialMessage(epoch, fragment)
        elif not partial.is_complete and partial.agrees_with(epoch, fragment):
            partial.add(fragment)

    def forget_before(self, epoch: int) -> None:
        """Drop what has come of later messages in an earlier epoch: anybody may have planted it."""
        self._partial = {seq: partial for seq, partial in self._partial.items() if partial.epoch >= epoch}

    def next_message(self) -> HandshakeMessage | None:
        """The message that is due, if it is complete."""
        partial = self._partial.get(self._next_message_seq)
        if partial is None or not partial.is_complete:
            return None
        del self._partial[self._next_message_seq]
        message = HandshakeMessage(partial.msg_type, self._next_message_seq, bytes(partial.content))
        self._next_message_seq += 1
        return message
