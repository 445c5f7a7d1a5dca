from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import DecodeError
from perc.x509.fingerprint import Fingerprint

HEX = hashlib.sha256(b"der").digest().hex(":").upper()


@settings(max_examples=30)
@given(st.binary(), st.sampled_from(["sha-256", "sha-384", "sha-512"]))
def test_text_and_value_are_one(der: bytes, algorithm: str) -> None:
    fingerprint = Fingerprint.of(der, algorithm)
    assert Fingerprint.parse(str(fingerprint)) == fingerprint
    assert fingerprint.matches(Fingerprint.parse(str(fingerprint).lower()))


def test_it_is_written_as_in_sdp() -> None:
    assert str(Fingerprint.of(b"der")) == f"sha-256 {HEX}"


def test_another_value_or_hash_does_not_match() -> None:
    one = Fingerprint.of(b"one")
    assert not one.matches(Fingerprint.of(b"two"))
    assert not one.matches(Fingerprint("sha-512", one.value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha-256",
        HEX,
        f"sha-256  {HEX}",
        f" sha-256 {HEX}",
        f"sha-256 {HEX} ",
        f"sha-256 {HEX}\n",
        f"sha-256 {HEX}:",
        f"sha-256 {HEX[3:]}",
        f"sha-256 {HEX}:00",
        f"sha-256 {HEX.replace(':', '')}",
        f"sha-512 {HEX}",
        f"sha-1 {HEX[:59]}",
        f"md5 {HEX[:47]}",
        f"sha-256 {HEX.replace('A', 'Ａ')}Ａ",
        "sha-256 " + "G0:" * 31 + "G0",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        Fingerprint.parse(text)
