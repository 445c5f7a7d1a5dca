"""The inner layer by itself; `test_double` has libsrtp read it, the common vectors give its octets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.crypto.pyca import PycaProvider
from perc.errors import AuthenticationFailed
from perc.srtp.inner import protect_inner, unprotect_inner
from perc.srtp.key_derivation import derive_rtp_keys
from perc.srtp.packet import HeaderExtension, RtpPacket
from tests.driving import run

PROVIDER = PycaProvider()
KEYS = run(derive_rtp_keys(PROVIDER, bytes(16), bytes(12)))
PACKET = RtpPacket(96, 7, 5, 6, b"frame", marker=True)


def test_the_prefix_is_authenticated() -> None:
    sealed = run(protect_inner(PROVIDER, KEYS, PACKET, 0, b"\x01"))
    received = replace(PACKET, payload=sealed)
    assert run(unprotect_inner(PROVIDER, KEYS, received, 0, b"\x01")) == b"frame"
    for prefix in (b"", b"\x00"):
        with pytest.raises(AuthenticationFailed):
            run(unprotect_inner(PROVIDER, KEYS, received, 0, prefix))


def test_the_roc_is_authenticated() -> None:
    received = replace(PACKET, payload=run(protect_inner(PROVIDER, KEYS, PACKET, 3)))
    with pytest.raises(AuthenticationFailed):
        run(unprotect_inner(PROVIDER, KEYS, received, 2))


def test_header_extensions_take_no_part() -> None:
    extended = replace(PACKET, extension=HeaderExtension(0xBEDE, bytes(4)))
    assert run(protect_inner(PROVIDER, KEYS, extended, 0)) == run(protect_inner(PROVIDER, KEYS, PACKET, 0))


@pytest.mark.parametrize("payload", [b"", bytes(15), bytes(16)])
def test_what_has_no_tag_does_not_open(payload: bytes) -> None:
    with pytest.raises(AuthenticationFailed):
        run(unprotect_inner(PROVIDER, KEYS, replace(PACKET, payload=payload), 0))
