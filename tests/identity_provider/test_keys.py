"""Signing keys: kept, rotated, published while they count."""

from __future__ import annotations

from pathlib import Path

from perc_server.identity_provider.keys import LEAD, SigningKeys, thumbprint
from perc_server.identity_provider.store import open_store
from tests.identity_provider.site import Clock

LIFETIME = 10_000.0


def keys_in(store: Path, clock: Clock) -> SigningKeys:
    return SigningKeys(open_store(f"sqlite:///{store / 'idp.db'}"), LIFETIME, clock)


def test_the_key_survives_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    assert keys_in(tmp_path, clock).current().jwk == keys_in(tmp_path, clock).current().jwk


def kids(keys: SigningKeys) -> list[str]:
    return [key.kid for key in keys.published()]


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(tmp_path: Path) -> None:
    clock = Clock()
    keys = keys_in(tmp_path, clock)
    first = keys.current().kid
    assert kids(keys) == [first]
    clock.now += LIFETIME
    second, *rest = kids(keys)
    assert rest == [first]
    assert keys.current().kid == first
    clock.now += LEAD
    assert keys.current().kid == second
    assert kids(keys) == [second, first]


def test_the_key_before_the_previous_one_is_gone(tmp_path: Path) -> None:
    clock = Clock()
    keys = keys_in(tmp_path, clock)
    seen: list[str] = []
    for _ in range(4):
        seen.append(keys.current().kid)
        clock.now += LIFETIME
        keys.current()
        clock.now += LEAD
    seen.append(keys.current().kid)
    assert len(set(seen)) == 5
    assert kids(keys) == [seen[4], seen[3]]


def test_published_keys_have_no_private_part(tmp_path: Path) -> None:
    (key,) = keys_in(tmp_path, Clock()).published()
    assert set(key.jwk) == {"crv", "kty", "x", "y", "kid"}


def test_thumbprint_of_rfc_7638() -> None:
    # RFC 7638, Section 3.1: its RSA example; the rule (required members, sorted, no white space) is the same.
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    members = {"kty": "RSA", "n": modulus, "e": "AQAB"}
    assert thumbprint(members) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
