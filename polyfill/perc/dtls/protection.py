"""AES-GCM for the records of one direction (RFC 5288; RFC 6347, Section 4.1.2.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from perc.crypto.provider import GCM_TAG_LENGTH, AeadKey, CryptoProvider
from perc.dtls.records import DTLS_1_2, ContentType
from perc.errors import AuthenticationFailed

EXPLICIT_NONCE_LENGTH = 8
IMPLICIT_NONCE_LENGTH = 4
# What protection adds to a record.
EXPANSION = EXPLICIT_NONCE_LENGTH + GCM_TAG_LENGTH

_ADDITIONAL_DATA = struct.Struct(">QBHH")


@dataclass(frozen=True, slots=True)
class RecordProtection:
    """The write key of one side, with the salt that is the implicit part of each nonce."""

    provider: CryptoProvider = field(repr=False)
    key: AeadKey = field(repr=False)
    salt: bytes = field(repr=False)

    async def seal(self, content_type: ContentType, sequence: int, plaintext: bytes) -> bytes:
        """explicit nonce ‖ ciphertext ‖ tag; `sequence` is the 64-bit epoch ‖ sequence_number."""
        # "Each value of the nonce_explicit MUST be distinct for each distinct invocation of the GCM encrypt function
        # for any fixed key. ... The nonce_explicit MAY be the 64-bit sequence number." (RFC 5288, Section 3)
        explicit_nonce = sequence.to_bytes(EXPLICIT_NONCE_LENGTH, "big")
        additional_data = _ADDITIONAL_DATA.pack(sequence, content_type, DTLS_1_2, len(plaintext))
        nonce = self.salt + explicit_nonce
        return explicit_nonce + await self.provider.seal(self.key, nonce, plaintext, additional_data)

    async def open(self, content_type: ContentType, sequence: int, fragment: bytes) -> bytes:
        """The plaintext of a record; `AuthenticationFailed` for anything that the peer did not seal."""
        length = len(fragment) - EXPANSION
        if length < 0:
            raise AuthenticationFailed("a record shorter than its nonce and tag")
        additional_data = _ADDITIONAL_DATA.pack(sequence, content_type, DTLS_1_2, length)
        nonce = self.salt + fragment[:EXPLICIT_NONCE_LENGTH]
        return await self.provider.open(self.key, nonce, fragment[EXPLICIT_NONCE_LENGTH:], additional_data)
