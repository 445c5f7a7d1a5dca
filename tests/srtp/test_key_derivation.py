"""The key derivation function against RFC 3711 (Appendix B.3), RFC 6188 (Section 7.2) and libsrtp's use of it."""

from __future__ import annotations

import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse
from perc.srtp.key_derivation import Label, derive_rtcp_keys, derive_rtp_keys, derive_session_key
from tests.driving import run
from tests.vectors.provider_vectors import check_srtp_key_derivation

PROVIDER = PycaProvider()


def derive(key: str, salt: str, label: Label, length: int) -> str:
    return run(derive_session_key(PROVIDER, bytes.fromhex(key), bytes.fromhex(salt), label, length)).hex()


MASTER_KEY, MASTER_SALT = bytes(range(16)).hex(), bytes(range(100, 114)).hex()


def test_published_vectors() -> None:
    assert run(check_srtp_key_derivation(PROVIDER)) == 6


def test_a_salt_of_twelve_octets_stands_on_the_left() -> None:
    short = MASTER_SALT[:24]
    for label in Label:
        assert derive(MASTER_KEY, short, label, 16) == derive(MASTER_KEY, short + "0000", label, 16)


def test_every_label_gives_its_own_key() -> None:
    assert len({derive(MASTER_KEY, MASTER_SALT, label, 16) for label in Label}) == 6


@pytest.mark.parametrize("length", [0, 11, 13, 15])
def test_other_salts_are_the_callers_mistake(length: int) -> None:
    with pytest.raises(ApiMisuse):
        derive(MASTER_KEY, "00" * length, Label.RTP_SALT, 12)


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
