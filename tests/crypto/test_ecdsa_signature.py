from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.crypto.ecdsa_signature import ecdsa_signature_from_raw, ecdsa_signature_to_raw
from perc.crypto.sizes import PUBLIC_KEY_LENGTHS, read_ec_public_key
from perc.errors import DecodeError
from tests.vectors.provider_vectors import load, octets

coordinate = st.integers(0, (1 << 256) - 1)


def assert_canonical_or_refused(der: bytes) -> None:
    try:
        raw = ecdsa_signature_to_raw(der, 32)
    except DecodeError:
        return
    assert ecdsa_signature_from_raw(raw) == der


@settings(max_examples=100)
@given(coordinate, coordinate)
def test_equals_openssl_both_ways(r: int, s: int) -> None:
    raw, der = r.to_bytes(32, "big") + s.to_bytes(32, "big"), encode_dss_signature(r, s)
    assert ecdsa_signature_from_raw(raw) == der
    assert ecdsa_signature_to_raw(der, 32) == raw


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_one_signature_has_one_encoding(der: bytes) -> None:
    assert_canonical_or_refused(der)


@settings(max_examples=200)
@given(coordinate, coordinate, st.data())
def test_a_changed_octet_is_refused_or_another_signature(r: int, s: int, data: st.DataObject) -> None:
    der = bytearray(encode_dss_signature(r, s))
    der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    assert_canonical_or_refused(bytes(der))


@pytest.mark.parametrize(
    ("der", "why"),
    [
        ("", "nothing"),
        ("3006020101020101ff", "trailing octets"),
        ("3007020101020101ff", "trailing octets inside"),
        ("300702010102020001", "a superfluous zero"),
        ("3006020181020101", "negative"),
        ("3005020002 0101", "an empty integer"),
        ("3106020101020101", "a SET"),
        ("3006030101020101", "a BIT STRING"),
        ("308106020101020101", "a long length"),
        ("3080020101020101", "an indefinite length"),
        ("3026022101" + "00" * 32 + "020101", "more than 32 octets"),
    ],
)
def test_only_der(der: str, why: str) -> None:
    with pytest.raises(DecodeError):
        ecdsa_signature_to_raw(bytes.fromhex(der), 32)


def test_the_vectors_of_both_curves_convert() -> None:
    for case in load("signatures"):
        if case["verifies"] and case["scheme"].startswith("ECDSA"):
            group, _ = read_ec_public_key(octets(case, "public_key"))
            coordinate_length = PUBLIC_KEY_LENGTHS[group] // 2
            raw = ecdsa_signature_to_raw(octets(case, "signature"), coordinate_length)
            assert ecdsa_signature_from_raw(raw) == octets(case, "signature")
