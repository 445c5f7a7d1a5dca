"""Certificate fingerprints as SDP writes them (RFC 8122, Section 5)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from perc.errors import DecodeError

# RFC 8122, Section 5, forbids MD5 and MD2; SHA-1 collides, and no WebRTC endpoint needs it.
_DIGESTS = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_SYNTAX = re.compile(r"([A-Za-z0-9-]{1,32}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,63})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a certificate's DER; `algorithm` is a hash name of RFC 8122 in lower case."""

    algorithm: str
    value: bytes

    @classmethod
    def of(cls, der: bytes, algorithm: str = "sha-256") -> Fingerprint:
        """The fingerprint of a certificate, given as its DER."""
        return cls(algorithm, _DIGESTS[algorithm](der).digest())

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Reads `sha-256 AB:CD:…`, the value of an a=fingerprint line.

        Letters may have either case. `DecodeError` for another syntax, an unsupported hash or a wrong length.
        """
        match = _SYNTAX.fullmatch(text)
        if match is None:
            raise DecodeError("not a fingerprint")
        algorithm = match[1].lower()
        if algorithm not in _DIGESTS:
            raise DecodeError(f"a fingerprint made with {algorithm}")
        value = bytes.fromhex(match[2].replace(":", ""))
        if len(value) != _DIGESTS[algorithm]().digest_size:
            raise DecodeError(f"a {algorithm} fingerprint of {len(value)} octets")
        return cls(algorithm, value)

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value.hex(':').upper()}"

    def matches(self, other: Fingerprint) -> bool:
        """Whether both are the same, compared in constant time."""
        return self.algorithm == other.algorithm and hmac.compare_digest(self.value, other.value)
