"""The PRF and what is derived with it."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from perc.dtls.cipher_suites import ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
from perc.dtls.prf import Prf
from perc.dtls.session import Session
from perc.srtp.profiles import SRTPProtectionProfile


def test_the_vectors_of_the_tls_working_group():
    """Posted to its list: https://www.ietf.org/mail-archive/web/tls/current/msg03416.html"""
    prf = Prf(hashlib.sha256, bytes.fromhex("9bbe436ba940f017b17652849a71db35"))
    output = prf.expand(b"test label", bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"), 100)
    assert output.hex() == (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
        "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66"
    )


def test_the_vectors_of_the_tls_working_group_for_sha_384():
    prf = Prf(hashlib.sha384, bytes.fromhex("b80b733d6ceefcdc71566ea48e5567df"))
    output = prf.expand(b"test label", bytes.fromhex("cd665cf6a8447dd6ff8b27555edb7465"), 148)
    assert output.hex().startswith("7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd")


@pytest.mark.parametrize("name", ["sha256", "sha384"])
@pytest.mark.parametrize("length", [0, 1, 32, 48, 64, 65, 128, 129, 200])
def test_one_block_is_an_hmac_of_an_hmac(name, length):
    """The standard library's HMAC says the same, whatever the length of its key."""
    secret, seed = bytes(range(length)), b"label and seed"
    expected = hmac.digest(secret, hmac.digest(secret, seed, name) + seed, name)
    assert Prf(getattr(hashlib, name), secret).expand(b"label", b" and seed", len(expected)) == expected


def test_no_secret_shows_in_a_repr():
    session = Session.derive(ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, (bytes(32), bytes(32)), b"premaster", b"hash")
    keys = session.export_srtp_keys(SRTPProtectionProfile.AEAD_AES_128_GCM)
    assert "prf" not in repr(session)
    assert repr(keys.client_write_key) not in repr(keys)
