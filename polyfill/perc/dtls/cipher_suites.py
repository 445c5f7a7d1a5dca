"""The cipher suites: ECDHE_ECDSA with AES-GCM (RFC 5289)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

# The constructor of a hash, with its first octets.
Digest = Callable[[bytes | bytearray], "hashlib._Hash"]


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A suite's code, the hash of its PRF and transcript, and the octets of its AES key."""

    code: int
    digest: Digest
    key_length: int


ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = CipherSuite(0xC02B, hashlib.sha256, 16)
ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 = CipherSuite(0xC02C, hashlib.sha384, 32)

# In order of preference: 128 bits are what P-256 and x25519 give, and every WebRTC endpoint has the first.
CIPHER_SUITES = (ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)
