"""The pseudorandom function of TLS 1.2 (RFC 5246, Section 5)."""

from __future__ import annotations

import hmac


def prf(digest: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """PRF(secret, label, seed), `length` octets of it; `digest` names a hash of hashlib."""
    # P_hash(secret, seed) = HMAC_hash(secret, A(1) + seed) + HMAC_hash(secret, A(2) + seed) + ...
    seed = label + seed
    output = b""
    a = seed
    while len(output) < length:
        a = hmac.digest(secret, a, digest)
        output += hmac.digest(secret, a + seed, digest)
    return output[:length]
