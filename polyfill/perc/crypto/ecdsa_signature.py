"""ECDSA signatures: TLS and X.509 carry DER (RFC 3279, Section 2.2.3), WebCrypto speaks r ‖ s."""

from __future__ import annotations

from perc.errors import DecodeError
from perc.wire import Reader, Writer

_SEQUENCE = 0x30
_INTEGER = 0x02
# A P-384 signature has at most 104 octets, so that a length above 127 is never minimal here.
_MAXIMUM_SHORT_LENGTH = 0x7F


def ecdsa_signature_from_raw(raw: bytes) -> bytes:
    """The DER Ecdsa-Sig-Value of r ‖ s."""
    half = len(raw) // 2
    body = _write_integer(raw[:half]) + _write_integer(raw[half:])
    return Writer().uint8(_SEQUENCE).opaque(body, 1, maximum=_MAXIMUM_SHORT_LENGTH).finish()


def ecdsa_signature_to_raw(der: bytes, coordinate_length: int) -> bytes:
    """r ‖ s of a DER Ecdsa-Sig-Value; `DecodeError` for anything that DER would write in another way."""
    reader = Reader(der)
    _expect_tag(reader, _SEQUENCE)
    body = reader.vector(1, maximum=_MAXIMUM_SHORT_LENGTH)
    reader.expect_end()
    r = _read_integer(body, coordinate_length)
    s = _read_integer(body, coordinate_length)
    body.expect_end()
    return r + s


def _write_integer(magnitude: bytes) -> bytes:
    value = magnitude.lstrip(b"\x00")
    if not value or value[0] & 0x80:
        value = b"\x00" + value  # an INTEGER is signed: its first bit must not say "negative"
    return Writer().uint8(_INTEGER).opaque(value, 1).finish()


def _read_integer(reader: Reader, length: int) -> bytes:
    _expect_tag(reader, _INTEGER)
    value = reader.opaque(1, minimum=1, maximum=length + 1)
    if value[0] & 0x80:
        raise DecodeError("a negative integer in a signature")
    if len(value) > 1 and value[0] == 0 and not value[1] & 0x80:
        raise DecodeError("an integer with a superfluous zero octet")
    magnitude = value.lstrip(b"\x00")
    if len(magnitude) > length:
        raise DecodeError("an integer beyond the size of the curve")
    return magnitude.rjust(length, b"\x00")


def _expect_tag(reader: Reader, tag: int) -> None:
    if reader.uint8() != tag:
        raise DecodeError("not a DER Ecdsa-Sig-Value")
