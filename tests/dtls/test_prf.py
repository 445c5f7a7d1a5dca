"""The PRF and what is derived with it."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from perc.dtls.cipher_suites import ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
from perc.dtls.prf import Prf
from perc.dtls.session import Session
from perc.srtp.profiles import SRTPProtectionProfile
from tests.vectors.provider_vectors import check_tls12_prf


def test_the_vectors_of_the_tls_working_group():
    assert check_tls12_prf() == 2


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
