"""Framing of the EKTField at the end of a packet or frame (RFC 8870, Section 4.1).

No keys here: a Media Distributor moves fields in and out without being able to read them.

    FullEKTField  = EKTCiphertext(1..251) SPI(2) Epoch(2) Length(2) 0x02
    ShortEKTField = 0x00
    ExtensionEKTField = ExtensionData(1..1024) Length(2) type(0x03..0xFF)

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    :                        EKT Ciphertext                         :
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |   Security Parameter Index    |             Epoch             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |            Length             |0 0 0 0 0 0 1 0|
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

"The parsing works backwards at the end of the packet and thus the type is placed at the very end" (Section 4.3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from perc.errors import ApiMisuse, DecodeError
from perc.wire import Writer

SHORT = 0x00
RESERVED = 0x01
FULL = 0x02

MAX_CIPHERTEXT_LENGTH = 251
MAX_EXTENSION_DATA_LENGTH = 1024
_TRAILER_LENGTH = 3
_FULL_OVERHEAD = 4 + _TRAILER_LENGTH


@dataclass(frozen=True, slots=True)
class FullEKTField:
    """A master key on its way: its ciphertext, the EKTKey it was wrapped with, and its number under that EKTKey."""

    ciphertext: bytes
    spi: int
    epoch: int

    def write(self) -> bytes:
        """The field's octets; the length counts them all, itself and the type included."""
        _check_range(len(self.ciphertext), 1, MAX_CIPHERTEXT_LENGTH)
        writer = Writer().write(self.ciphertext).uint16(self.spi).uint16(self.epoch)
        return writer.uint16(len(self.ciphertext) + _FULL_OVERHEAD).uint8(FULL).finish()


@dataclass(frozen=True, slots=True)
class ShortEKTField:
    """No key in this packet."""

    def write(self) -> bytes:
        """One octet."""
        return bytes([SHORT])


@dataclass(frozen=True, slots=True)
class ExtensionEKTField:
    """A field of a later specification: framed, not understood."""

    message_type: int
    data: bytes

    def write(self) -> bytes:
        """The field's octets."""
        _check_range(self.message_type, FULL + 1, 0xFF)
        _check_range(len(self.data), 1, MAX_EXTENSION_DATA_LENGTH)
        return Writer().write(self.data).uint16(len(self.data) + _TRAILER_LENGTH).uint8(self.message_type).finish()


EKTField: TypeAlias = FullEKTField | ShortEKTField | ExtensionEKTField


def split_ekt_field(data: bytes) -> tuple[bytes, EKTField]:
    """What stands before the field, and the field; `DecodeError` if `data` does not end in one.

    "If a received EKT tag has an unknown message type, then the receiver MUST discard the whole EKT tag": the
    caller gets it as an `ExtensionEKTField`, already off the packet. Type 1 is refused: it belongs to implementations
    older than the length, so that nobody can say where it starts.
    """
    if not data:
        raise DecodeError("a packet without an EKTField")
    message_type = data[-1]
    if message_type == SHORT:
        return data[:-1], ShortEKTField()
    if message_type == RESERVED:
        raise DecodeError("an EKTField of the reserved type 1")
    start = len(data) - _read_length(data, message_type)
    body = data[start:-_TRAILER_LENGTH]
    if message_type != FULL:
        return data[:start], ExtensionEKTField(message_type, body)
    spi, epoch = int.from_bytes(body[-4:-2], "big"), int.from_bytes(body[-2:], "big")
    return data[:start], FullEKTField(body[:-4], spi, epoch)


def _read_length(data: bytes, message_type: int) -> int:
    if len(data) < _TRAILER_LENGTH:
        raise DecodeError("the EKTField is truncated")
    length = int.from_bytes(data[-_TRAILER_LENGTH:-1], "big")
    shortest, longest = _TRAILER_LENGTH + 1, _TRAILER_LENGTH + MAX_EXTENSION_DATA_LENGTH
    if message_type == FULL:
        shortest, longest = _FULL_OVERHEAD + 1, _FULL_OVERHEAD + MAX_CIPHERTEXT_LENGTH
    if not shortest <= length <= min(longest, len(data)):
        raise DecodeError(f"an EKTField of {length} octets in a packet of {len(data)}")
    return length


def _check_range(value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise ApiMisuse(f"{value} is not between {minimum} and {maximum}")
