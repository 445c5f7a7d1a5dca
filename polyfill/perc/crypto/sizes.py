"""Sizes that both providers check themselves, so that they refuse the same input."""

from __future__ import annotations

from perc.crypto.provider import NamedGroup
from perc.errors import ApiMisuse, IllegalParameter

AES_BLOCK_LENGTH = 16

# RFC 8446, Section 4.2.8.2: points are uncompressed, "legacy_form = 4"; libraries would also take compressed ones.
PUBLIC_KEY_LENGTHS = {NamedGroup.SECP256R1: 65, NamedGroup.SECP384R1: 97, NamedGroup.X25519: 32}


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
