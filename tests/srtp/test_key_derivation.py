"""The key derivation function against RFC 3711 (Appendix B.3), RFC 6188 (Section 7.2) and libsrtp's use of it."""

from __future__ import annotations

import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse
from perc.srtp.key_derivation import Label, derive_rtcp_keys, derive_rtp_keys, derive_session_key
from tests.driving import run

PROVIDER = PycaProvider()


def derive(key: str, salt: str, label: Label, length: int) -> str:
    return run(derive_session_key(PROVIDER, bytes.fromhex(key), bytes.fromhex(salt), label, length)).hex()


# RFC 3711, Appendix B.3.
B3_KEY, B3_SALT = "e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6"
B3_AUTHENTICATION = (
    "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7227098"
    "6371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
)
# RFC 6188, Section 7.2.
AES_256_KEY = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
AES_256_SALT = "3b04803de51ee7c96423ab5b78d2"


@pytest.mark.parametrize(
    ("key", "salt", "label", "expected"),
    [
        (B3_KEY, B3_SALT, Label.RTP_ENCRYPTION, "c61e7a93744f39ee10734afe3ff7a087"),
        (B3_KEY, B3_SALT, Label.RTP_SALT, "30cbbc08863d8c85d49db34a9ae1"),
        (B3_KEY, B3_SALT, Label.RTP_AUTHENTICATION, B3_AUTHENTICATION),
        (
            *(AES_256_KEY, AES_256_SALT, Label.RTP_ENCRYPTION),
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
        ),
        (AES_256_KEY, AES_256_SALT, Label.RTP_SALT, "fa31791685ca444a9e07c6c64e93"),
    ],
)
def test_published_vectors(key: str, salt: str, label: Label, expected: str) -> None:
    assert derive(key, salt, label, len(expected) // 2) == expected


def test_a_salt_of_twelve_octets_stands_on_the_left() -> None:
    short = B3_SALT[:24]
    for label in Label:
        assert derive(B3_KEY, short, label, 16) == derive(B3_KEY, short + "0000", label, 16)


def test_every_label_gives_its_own_key() -> None:
    assert len({derive(B3_KEY, B3_SALT, label, 16) for label in Label}) == 6


@pytest.mark.parametrize("length", [0, 11, 13, 15])
def test_other_salts_are_the_callers_mistake(length: int) -> None:
    with pytest.raises(ApiMisuse):
        derive(B3_KEY, "00" * length, Label.RTP_SALT, 12)


def test_rtp_and_rtcp_keys_differ_and_do_not_show() -> None:
    key, salt = bytes(16), bytes(12)
    rtp, rtcp = run(derive_rtp_keys(PROVIDER, key, salt)), run(derive_rtcp_keys(PROVIDER, key, salt))
    assert rtp.salt != rtcp.salt
    assert repr(rtp) == "SessionKeys()"


def test_nonces_of_rfc_7714() -> None:
    keys = run(derive_rtp_keys(PROVIDER, bytes(16), bytes(12)))
    zero_salt = type(keys)(keys.key, bytes(12))
    assert zero_salt.rtp_nonce(0x01020304, 0x05060708, 0x090A) == bytes.fromhex("0000 01020304 05060708 090a")
    assert zero_salt.rtcp_nonce(0x01020304, 0x05060708) == bytes.fromhex("0000 01020304 0000 05060708")
