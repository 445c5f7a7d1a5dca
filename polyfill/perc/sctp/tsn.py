"""Serial number arithmetic of TSNs and stream sequence numbers (RFC 9260, Section 1.6; RFC 1982)."""

from __future__ import annotations

TSN_MODULUS = 1 << 32
SSN_MODULUS = 1 << 16


def tsn_add(tsn: int, count: int) -> int:
    """The TSN `count` after `tsn`."""
    return (tsn + count) % TSN_MODULUS


def tsn_distance(tsn: int, origin: int) -> int:
    """How far `tsn` is after `origin`; negative if it is before."""
    distance = (tsn - origin) % TSN_MODULUS
    return distance - TSN_MODULUS if distance >= TSN_MODULUS // 2 else distance
