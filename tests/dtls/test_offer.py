"""What a client accepts as the answer to its offer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.dtls.extensions import ExtensionType, UseSrtp, write_protocol_names, write_use_srtp
from perc.dtls.hello import ClientHello, ServerHello
from perc.dtls.negotiation import negotiate
from perc.dtls.offer import accept, write_offer
from perc.ekt.ekt_key import EKTCipher
from perc.errors import AlertDescription, PeerError
from tests.dtls.parties import AES_128, AES_256, DOUBLE_128

OFFER = write_offer((DOUBLE_128, AES_128), (b"webrtc", b"c-webrtc"), None)
NEGOTIATED = negotiate(ClientHello(bytes(32), (0xC02B,), OFFER), (AES_128,))
HELLO = ServerHello(bytes(32), NEGOTIATED.suite.code, NEGOTIATED.extensions)
ALPN = ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION


def with_extension(extension_type: int, data: bytes | None) -> ServerHello:
    extensions = {key: value for key, value in HELLO.extensions.items() if key != extension_type}
    return replace(HELLO, extensions=extensions if data is None else extensions | {extension_type: data})


def test_the_answer_of_our_server():
    accepted = accept(HELLO, OFFER)
    assert (accepted.suite, accepted.profile) == (NEGOTIATED.suite, AES_128)
    assert accepted.application_protocol == b"c-webrtc"


@pytest.mark.parametrize(
    ("hello", "alert"),
    [
        (replace(HELLO, version=0xFEFF), AlertDescription.PROTOCOL_VERSION),
        (replace(HELLO, cipher_suite=0xC02F), AlertDescription.ILLEGAL_PARAMETER),
        (replace(HELLO, compression_method=1), AlertDescription.ILLEGAL_PARAMETER),
        (with_extension(35, b""), AlertDescription.UNSUPPORTED_EXTENSION),
        (with_extension(ExtensionType.EXTENDED_MASTER_SECRET, None), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.EXTENDED_MASTER_SECRET, b"x"), AlertDescription.DECODE_ERROR),
        (with_extension(ExtensionType.RENEGOTIATION_INFO, None), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.RENEGOTIATION_INFO, b"\x01x"), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.USE_SRTP, None), AlertDescription.HANDSHAKE_FAILURE),
        (
            with_extension(ExtensionType.USE_SRTP, write_use_srtp(UseSrtp((AES_256,)))),
            AlertDescription.ILLEGAL_PARAMETER,
        ),
        (
            with_extension(ExtensionType.USE_SRTP, write_use_srtp(UseSrtp((DOUBLE_128, AES_128)))),
            AlertDescription.ILLEGAL_PARAMETER,
        ),
        (
            with_extension(ExtensionType.USE_SRTP, write_use_srtp(UseSrtp((AES_128,), b"mki"))),
            AlertDescription.ILLEGAL_PARAMETER,
        ),
        (with_extension(ALPN, write_protocol_names([b"h2"])), AlertDescription.ILLEGAL_PARAMETER),
        (with_extension(ALPN, write_protocol_names([b"webrtc", b"c-webrtc"])), AlertDescription.ILLEGAL_PARAMETER),
    ],
)
def test_refusals(hello, alert):
    with pytest.raises(PeerError) as refusal:
        accept(hello, OFFER)
    assert refusal.value.alert is alert


EKT_OFFER = write_offer((AES_128, AES_256), (), None, (EKTCipher.AESKW128,))
BOTH_EKT_CIPHERS = write_offer((AES_128, AES_256), (), None, (EKTCipher.AESKW128, EKTCipher.AESKW256))


@pytest.mark.parametrize(
    ("offer", "profile", "selected", "alert"),
    [
        (OFFER, AES_128, b"\x01", AlertDescription.UNSUPPORTED_EXTENSION),
        (EKT_OFFER, AES_128, b"\x02", AlertDescription.ILLEGAL_PARAMETER),  # not offered
        (EKT_OFFER, AES_128, b"\x00", AlertDescription.ILLEGAL_PARAMETER),  # unknown
        (EKT_OFFER, AES_128, b"\x01\x01", AlertDescription.DECODE_ERROR),
        (BOTH_EKT_CIPHERS, AES_256, b"\x01", AlertDescription.ILLEGAL_PARAMETER),  # weaker than SRTP
    ],
)
def test_refused_ekt_ciphers(offer, profile, selected, alert):
    hello = with_extension(ALPN, None)
    chosen = {
        ExtensionType.USE_SRTP: write_use_srtp(UseSrtp((profile,))),
        ExtensionType.SUPPORTED_EKT_CIPHERS: selected,
    }
    with pytest.raises(PeerError) as refusal:
        accept(replace(hello, extensions=hello.extensions | chosen), offer)
    assert refusal.value.alert is alert


def test_an_ekt_cipher_as_strong_as_srtp():
    negotiated = negotiate(ClientHello(bytes(32), (0xC02B,), BOTH_EKT_CIPHERS), (AES_256,), tuple(EKTCipher))
    accepted = accept(ServerHello(bytes(32), negotiated.suite.code, negotiated.extensions), BOTH_EKT_CIPHERS)
    assert accepted.ekt_cipher is negotiated.ekt_cipher is EKTCipher.AESKW256
