"""The state cookie: all that an association starts from, kept by the peer until it echoes it (RFC 9260, Section 5.1.3).

Until then an INIT costs no memory. A MAC under a secret of this responder says that the cookie is its own,
and a timestamp that it is recent. The tie-tags tell a peer that restarted from one that is new (Section 5.2.2).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.packet import Ports
from perc.wire import Reader, Writer

COOKIE_LIFETIME = 60.0
"""Seconds (Valid.Cookie.Life of RFC 9260, Section 16)."""
_MAC_LENGTH = 32
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class StateCookie:
    """The future association, from the responder's side."""

    ports: Ports
    own_tag: int
    peer_tag: int
    own_tsn: int
    peer_tsn: int
    peer_window: int
    created_at: float
    own_tie_tag: int = 0
    peer_tie_tag: int = 0

    @classmethod
    def open(cls, secret: bytes, data: bytes) -> StateCookie:
        """The cookie in `data`; `DecodeError` if it is not one that this secret sealed."""
        body, mac = data[:-_MAC_LENGTH], data[-_MAC_LENGTH:]
        if not hmac.compare_digest(mac, _mac(secret, body)):
            raise DecodeError("the state cookie is not this responder's")
        reader = Reader(body)
        ports = Ports(reader.uint16(), reader.uint16())
        own_tag, peer_tag, own_tsn, peer_tsn, window = (reader.uint32() for _ in range(5))
        created_at, own_tie_tag, peer_tie_tag = reader.uint64() / _MICROSECONDS, reader.uint32(), reader.uint32()
        reader.expect_end()
        return cls(ports, own_tag, peer_tag, own_tsn, peer_tsn, window, created_at, own_tie_tag, peer_tie_tag)

    def seal(self, secret: bytes) -> bytes:
        """The cookie's octets, body and MAC."""
        writer = Writer().uint16(self.ports.source).uint16(self.ports.destination)
        for value in (self.own_tag, self.peer_tag, self.own_tsn, self.peer_tsn, self.peer_window):
            writer.uint32(value)
        writer.uint64(int(self.created_at * _MICROSECONDS)).uint32(self.own_tie_tag).uint32(self.peer_tie_tag)
        body = writer.finish()
        return body + _mac(secret, body)

    def is_of(self, association: StateCookie) -> bool:
        """Whether it is the cookie that the association grew from: "both Verification Tags" match (Section 5.2.4)."""
        return (self.own_tag, self.peer_tag) == (association.own_tag, association.peer_tag)

    def is_restart_of(self, association: StateCookie) -> bool:
        """Whether it was made while the association existed, for a peer that started over (action A)."""
        return (self.own_tie_tag, self.peer_tie_tag) == (association.own_tag, association.peer_tag)

    def staleness(self, now: float) -> int:
        """Microseconds past the cookie's lifetime; not positive while it is good."""
        return int((now - self.created_at - COOKIE_LIFETIME) * _MICROSECONDS)


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256)
