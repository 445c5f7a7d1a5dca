"""Distinguished Encoding Rules (ITU-T X.690), as far as certificates use them: a strict reader and a small writer."""

from __future__ import annotations

from enum import IntEnum

from perc.errors import CertificateError
from perc.wire import Writer


class Tag(IntEnum):
    """Identifier octets; context-specific ones are written as `CONTEXT + number`."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    UTF8_STRING = 0x0C
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31
    CONTEXT = 0x80
    CONTEXT_CONSTRUCTED = 0xA0


# A certificate is at most some dozen kilobytes; TLS itself limits it to 2^24-1 octets.
_MAXIMUM_LENGTH_OCTETS = 3


class DerReader:
    """Reads the elements of one constructed value from front to back.

    Every method raises `CertificateError` for what is not DER or not what was asked for.
    """

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._position == len(self._data)

    def expect_end(self) -> None:
        """Refuse trailing elements."""
        if self._position != len(self._data):
            raise CertificateError("trailing octets in DER")

    def next_is(self, tag: int) -> bool:
        """Whether there is another element and it has this tag."""
        return self._position < len(self._data) and self._data[self._position] == tag

    def element(self, tag: int) -> bytes:
        """The contents of the next element, which must have this tag."""
        found, contents = self.any_element()
        if found != tag:
            raise CertificateError(f"no element with tag {tag:#04x} where one belongs")
        return contents

    def encoded(self, tag: int) -> bytes:
        """The next element as it stands, with its tag and length."""
        start = self._position
        self.element(tag)
        return self._data[start : self._position]

    def any_element(self) -> tuple[int, bytes]:
        """Tag and contents of the next element."""
        data, start = self._data, self._position + 2
        if start > len(data):
            raise CertificateError("DER ends too early")
        tag, length = data[start - 2], data[start - 1]
        if tag & 0x1F == 0x1F:
            raise CertificateError("a DER tag in the high-tag-number form")
        if length >= 0x80:
            octets = length & 0x7F
            length = _read_long_length(data[start : start + octets], octets)
            start += octets
        end = start + length
        if end > len(data):
            raise CertificateError("a DER element that is longer than what holds it")
        self._position = end
        return tag, data[start:end]

    def sequence(self, tag: int = Tag.SEQUENCE) -> DerReader:
        """A reader over the next constructed element."""
        return DerReader(self.element(tag))

    def flag(self) -> bool:
        """A BOOLEAN DEFAULT FALSE: in DER it is absent or TRUE, and TRUE has one encoding."""
        if not self.next_is(Tag.BOOLEAN):
            return False
        if self.element(Tag.BOOLEAN) != b"\xff":
            raise CertificateError("a BOOLEAN that DER would write in another way")
        return True

    def integer(self) -> int:
        """A signed INTEGER in its shortest form."""
        contents = self.element(Tag.INTEGER)
        if not contents:
            raise CertificateError("an INTEGER without octets")
        if len(contents) > 1 and contents[0] in {0x00, 0xFF} and (contents[0] ^ contents[1]) < 0x80:
            raise CertificateError("an INTEGER that is not in its shortest form")
        return int.from_bytes(contents, "big", signed=True)

    def object_identifier(self) -> bytes:
        """The contents of an OBJECT IDENTIFIER, to be compared with those of `encode_oid`."""
        contents = self.element(Tag.OBJECT_IDENTIFIER)
        if not contents or contents[-1] & 0x80:
            raise CertificateError("an OBJECT IDENTIFIER that has no end")
        return contents

    def bit_string(self) -> tuple[bytes, int]:
        """The octets of a BIT STRING and how many bits of the last one are unused, which must be zero."""
        contents = self.element(Tag.BIT_STRING)
        unused = contents[0] if contents else 8
        if unused > 7 or (unused and (len(contents) == 1 or contents[-1] & ((1 << unused) - 1))):
            raise CertificateError("a BIT STRING with bad padding")
        return contents[1:], unused

    def whole_octets(self) -> bytes:
        """A BIT STRING that holds octets: a key or a signature."""
        octets, unused = self.bit_string()
        if unused:
            raise CertificateError("a BIT STRING that does not hold whole octets")
        return octets


def _read_long_length(encoded: bytes, octets: int) -> int:
    if not 1 <= octets <= _MAXIMUM_LENGTH_OCTETS:
        raise CertificateError("a DER length that is indefinite or too large")
    length = int.from_bytes(encoded, "big")
    if length < 0x80 or length >> 8 * (octets - 1) == 0:
        raise CertificateError("a DER length that is not in its shortest form")
    return length


def encode(tag: int, *contents: bytes) -> bytes:
    """One element."""
    body = b"".join(contents)
    writer = Writer().uint8(tag)
    if len(body) < 0x80:
        return writer.opaque(body, 1).finish()
    length_octets = (len(body).bit_length() + 7) // 8
    return writer.uint8(0x80 | length_octets).opaque(body, length_octets).finish()


def encode_sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of encoded elements."""
    return encode(Tag.SEQUENCE, *elements)


def encode_integer(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return encode(Tag.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_oid(dotted: str) -> bytes:
    """The contents of an OBJECT IDENTIFIER, from its dotted form."""
    first, second, *others = (int(part) for part in dotted.split("."))
    return b"".join(_base_128(number) for number in (40 * first + second, *others))


def _base_128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))
