"""The pseudorandom function of TLS 1.2 (RFC 5246, Section 5).

A handshake takes sixteen HMACs under two keys. Each is two hashes here, both resumed from where the key left them;
the objects of `hmac` spend most of their time on themselves.
"""

from __future__ import annotations

from perc.dtls.cipher_suites import Digest

_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))


class Prf:
    """The function with its hash and its secret, which is all that is asked of a secret."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, digest: Digest, secret: bytes) -> None:
        # "H(K XOR opad, H(K XOR ipad, text))", K brought to the length of a block (RFC 2104, Section 2)
        block_length = digest(b"").block_size
        if len(secret) > block_length:
            secret = digest(secret).digest()
        key = secret.ljust(block_length, b"\x00")
        self._inner = digest(key.translate(_INNER_PAD))
        self._outer = digest(key.translate(_OUTER_PAD))

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
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()
