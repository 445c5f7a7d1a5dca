"""The pseudorandom function of TLS 1.2 (RFC 5246, Section 5)."""

from __future__ import annotations

import hmac


class Prf:
    """The function with its secret, which is all that is asked of a secret; `digest` names a hash of hashlib."""

    __slots__ = ("_keyed",)

    def __init__(self, digest: str, secret: bytes) -> None:
        self._keyed = hmac.new(secret, digestmod=digest)

    def expand(self, label: bytes, seed: bytes, length: int) -> bytes:
        """PRF(secret, label, seed), `length` octets of it."""
        # P_hash(secret, seed) = HMAC_hash(secret, A(1) + seed) + HMAC_hash(secret, A(2) + seed) + ...
        seed = label + seed
        output = b""
        a = seed
        while len(output) < length:
            a = self._hmac(a)
            output += self._hmac(a + seed)
        return output[:length]

    def _hmac(self, data: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(data)
        return keyed.digest()
