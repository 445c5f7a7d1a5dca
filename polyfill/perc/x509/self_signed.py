"""Self-signed certificates: a key with a fingerprint, as WebRTC uses them (RFC 8827, Section 6.5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from perc.crypto.provider import CryptoProvider, SigningKey
from perc.errors import ApiMisuse
from perc.x509.algorithms import ECDSA_WITH_SHA256
from perc.x509.certificate import Certificate
from perc.x509.der import Tag, encode, encode_integer, encode_oid, encode_sequence

# Nobody checks the dates of a certificate that is known by its fingerprint, but libraries look at them: a day earlier
# forgives a slow clock, thirty days are what browsers give theirs.
_CLOCK_SKEW = timedelta(days=1)
_LIFETIME = timedelta(days=30)
_SERIAL_LENGTH = 16
_MAXIMUM_COMMON_NAME = 64

_VERSION_3 = encode(Tag.CONTEXT_CONSTRUCTED, encode_integer(2))
_TRUE = encode(Tag.BOOLEAN, b"\xff")
_COMMON_NAME = encode(Tag.OBJECT_IDENTIFIER, encode_oid("2.5.4.3"))


async def self_signed(provider: CryptoProvider, key: SigningKey, common_name: str, now: datetime) -> Certificate:
    """A certificate for `key`, signed by itself, with a random serial number; valid for 30 days from `now`.

    `ApiMisuse` for a common name that X.520 does not allow.
    """
    if not 0 < len(common_name) <= _MAXIMUM_COMMON_NAME:
        raise ApiMisuse("a common name has 1 to 64 characters")
    name = _write_name(common_name)
    to_be_signed = encode_sequence(
        _VERSION_3,
        encode_integer(int.from_bytes(provider.random_bytes(_SERIAL_LENGTH), "big")),
        ECDSA_WITH_SHA256,
        name,
        encode_sequence(_write_time(now - _CLOCK_SKEW), _write_time(now + _LIFETIME)),
        name,
        key.public_key,
        _write_extensions(),
    )
    signature = encode(Tag.BIT_STRING, b"\x00", await provider.sign(key, to_be_signed))
    return Certificate.parse(encode_sequence(to_be_signed, ECDSA_WITH_SHA256, signature))


def _write_name(common_name: str) -> bytes:
    attribute = encode_sequence(_COMMON_NAME, encode(Tag.UTF8_STRING, common_name.encode()))
    return encode_sequence(encode(Tag.SET, attribute))


def _write_time(time: datetime) -> bytes:
    if time.year >= 2050:
        return encode(Tag.GENERALIZED_TIME, time.strftime("%Y%m%d%H%M%SZ").encode())
    return encode(Tag.UTC_TIME, time.strftime("%y%m%d%H%M%SZ").encode())


def _write_extensions() -> bytes:
    not_a_ca = _write_critical("2.5.29.19", encode_sequence())
    digital_signature = _write_critical("2.5.29.15", encode(Tag.BIT_STRING, b"\x07\x80"))
    return encode(Tag.CONTEXT_CONSTRUCTED + 3, encode_sequence(not_a_ca, digital_signature))


def _write_critical(dotted: str, value: bytes) -> bytes:
    identifier = encode(Tag.OBJECT_IDENTIFIER, encode_oid(dotted))
    return encode_sequence(identifier, _TRUE, encode(Tag.OCTET_STRING, value))
