"""Sizes that both providers check themselves, so that they refuse the same input."""

from __future__ import annotations

from perc.crypto.provider import NamedGroup
from perc.errors import ApiMisuse, DecodeError, IllegalParameter

AES_BLOCK_LENGTH = 16

# RFC 8446, Section 4.2.8.2: points are uncompressed, "legacy_form = 4"; libraries would also take compressed ones.
PUBLIC_KEY_LENGTHS = {NamedGroup.SECP256R1: 65, NamedGroup.SECP384R1: 97, NamedGroup.X25519: 32}
# What stands before the point in a SubjectPublicKeyInfo of each curve (RFC 5480, Section 2).
_EC_KEY_PREFIXES = {
    NamedGroup.SECP256R1: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    NamedGroup.SECP384R1: bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200"),
}
_UNCOMPRESSED = b"\x04"


def check_aes_key(key: bytes) -> bytes:
    """`key` itself; `ApiMisuse` unless it is one for AES-128 or AES-256."""
    if len(key) not in {16, 32}:
        raise ApiMisuse(f"an AES key of {len(key)} octets")
    return key


def check_public_key(group: NamedGroup, public_key: bytes) -> bytes:
    """`public_key` itself; `IllegalParameter` unless it has the group's length."""
    if len(public_key) != PUBLIC_KEY_LENGTHS[group]:
        raise IllegalParameter(f"a public key of {len(public_key)} octets for {group.name}")
    return public_key


def read_ec_public_key(public_key: bytes) -> tuple[NamedGroup, bytes]:
    """Curve and point of a DER SubjectPublicKeyInfo; `DecodeError` for any other kind of key or form of point."""
    for group, prefix in _EC_KEY_PREFIXES.items():
        point = public_key[len(prefix) :]
        is_uncompressed = point.startswith(_UNCOMPRESSED) and len(point) == PUBLIC_KEY_LENGTHS[group]
        if public_key.startswith(prefix) and is_uncompressed:
            return group, point
    raise DecodeError("not an uncompressed point on a curve that is known here")
