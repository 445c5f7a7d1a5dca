"""Values that identify a person or a conference, and the only way in which they reach a log line."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

DIGEST_SIZE = 3
"""Octets of a pseudonym: six hexadecimal digits tell a few hundred rooms or addresses apart."""


class Kind(StrEnum):
    """What a value is."""

    ROOM = "room"
    ENDPOINT = "endpoint"
    ACCOUNT = "account"
    ADDRESS = "address"
    ORIGIN = "origin"
    PATH = "path"
    DETAIL = "detail"
    """A sentence for people, which may quote an SDP or a name."""


@dataclass(frozen=True, slots=True)
class Identifying:
    """A value that only a `Pseudonyms` renders; everything else shows its kind alone."""

    kind: Kind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}#…"

    __repr__ = __str__


def identifying(kind: Kind, value: object) -> Identifying:
    """Mark a value as one that may be logged as a pseudonym only."""
    return Identifying(kind, str(value))


class Pseudonyms:
    """Renders identifying values: as they are if `shown`, otherwise by a hash under a key of this process.

    The key is never written anywhere, so that a pseudonym cannot be found by hashing likely names.
    """

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self._key = secrets.token_bytes(32)

    def render(self, value: Identifying) -> str:
        """Return the value itself or its pseudonym, such as `room#3fa2c1`."""
        if self.shown:
            return value.value
        # The kind goes into the hash, so that equal strings of two kinds do not show as equal.
        octets = f"{value.kind}\0{value.value}".encode(errors="surrogatepass")
        digest = hashlib.blake2b(octets, key=self._key, digest_size=DIGEST_SIZE)
        return f"{value.kind}#{digest.hexdigest()}"
