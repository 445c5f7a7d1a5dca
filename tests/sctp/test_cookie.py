"""The state cookie (RFC 9260, Section 5.1.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.errors import DecodeError
from perc.sctp.cookie import COOKIE_LIFETIME, StateCookie
from perc.sctp.packet import Ports

SECRET = bytes(32)
COOKIE = StateCookie(Ports(5000, 5001), 1, 2, 3, 4, 5, 12.5, 6, 7)


def test_it_reads_back() -> None:
    assert StateCookie.open(SECRET, COOKIE.seal(SECRET)) == COOKIE


def test_any_other_octets_or_secret_are_refused() -> None:
    sealed = COOKIE.seal(SECRET)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(DecodeError):
            StateCookie.open(SECRET, bytes(changed))
    for data, secret in ((sealed[:-1], SECRET), (b"", SECRET), (sealed, b"\1" * 32)):
        with pytest.raises(DecodeError):
            StateCookie.open(secret, data)


def test_it_gets_stale() -> None:
    assert COOKIE.staleness(12.5 + COOKIE_LIFETIME) == 0
    assert COOKIE.staleness(13.0 + COOKIE_LIFETIME) == 500_000


def test_it_knows_its_association_and_a_restart() -> None:
    assert COOKIE.is_of(replace(COOKIE, own_tie_tag=0))
    assert not COOKIE.is_of(replace(COOKIE, peer_tag=9))
    assert COOKIE.is_restart_of(replace(COOKIE, own_tag=6, peer_tag=7))
    assert not COOKIE.is_restart_of(COOKIE)
