"""What a server makes of ClientHellos, Chromium's among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perc.crypto.provider import NamedGroup
from perc.dtls.extensions import (
    ExtensionType,
    UseSrtp,
    read_use_srtp,
    write_protocol_names,
    write_uint16s,
    write_use_srtp,
)
from perc.dtls.fragments import Reassembler, read_fragments
from perc.dtls.hello import ClientHello, read_client_hello
from perc.dtls.negotiation import negotiate
from perc.dtls.offer import write_offer
from perc.dtls.records import read_records
from perc.ekt.ekt_key import EKTCipher, write_ekt_ciphers
from perc.errors import AlertDescription, PeerError
from tests.dtls.parties import AES_128, AES_256, DOUBLE_128

HELLO = ClientHello(bytes(32), (0xC02B,), write_offer((AES_128,), (), None))


def chromium_client_hello() -> ClientHello:
    """Recorded from Chromium 156: two datagrams, the second one first."""
    reassembler = Reassembler()
    for line in reversed(Path(__file__).with_name("chromium_client_hello.hex").read_text().split()):
        (record,) = read_records(bytes.fromhex(line))
        for fragment in read_fragments(record.fragment):
            reassembler.receive(record.epoch, fragment)
    message = reassembler.next_message()
    assert message is not None
    return read_client_hello(message.body)


def with_extension(extension_type: ExtensionType, data: bytes | None) -> ClientHello:
    extensions = {key: value for key, value in HELLO.extensions.items() if key != extension_type}
    return replace(HELLO, extensions=extensions if data is None else extensions | {extension_type: data})


def test_chromium():
    hello = chromium_client_hello()
    assert ExtensionType.SUPPORTED_VERSIONS in hello.extensions
    negotiated = negotiate(hello, (AES_128, AES_256))
    assert negotiated.suite.code == 0xC02B
    assert negotiated.group is NamedGroup.X25519
    assert negotiated.profile is AES_128
    assert ExtensionType.SUPPORTED_VERSIONS not in negotiated.extensions
    assert negotiated.extensions.keys() <= hello.extensions.keys()


def test_the_answer_names_one_profile_and_no_mki():
    hello = with_extension(ExtensionType.USE_SRTP, write_use_srtp(UseSrtp((1, 8, 7), b"an MKI")))
    negotiated = negotiate(hello, (DOUBLE_128, AES_128, AES_256))
    assert read_use_srtp(negotiated.extensions[ExtensionType.USE_SRTP]) == UseSrtp((AES_128,))


def test_secure_renegotiation_said_by_the_signalling_suite():
    hello = with_extension(ExtensionType.RENEGOTIATION_INFO, None)
    assert ExtensionType.RENEGOTIATION_INFO not in negotiate(hello, (AES_128,)).extensions
    hello = replace(hello, cipher_suites=(0xC02B, 0x00FF))
    assert negotiate(hello, (AES_128,)).extensions[ExtensionType.RENEGOTIATION_INFO] == b"\x00"


def test_extensions_that_mean_nothing_here_are_ignored():
    hello = replace(HELLO, extensions=HELLO.extensions | {0x1A1A: b"grease", 35: b"", 22: b""})
    assert negotiate(hello, (AES_128,)) == negotiate(HELLO, (AES_128,))


def test_a_client_that_lists_no_groups_gets_p_256():
    assert negotiate(with_extension(ExtensionType.SUPPORTED_GROUPS, None), (AES_128,)).group is NamedGroup.SECP256R1


def test_a_client_that_knows_nothing_but_p_384_gets_it():
    groups = write_uint16s((NamedGroup.SECP384R1,))
    assert negotiate(with_extension(ExtensionType.SUPPORTED_GROUPS, groups), (AES_128,)).group is NamedGroup.SECP384R1


def test_c_webrtc_before_webrtc_and_nothing_where_nothing_is_offered():
    alpn = ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
    both = with_extension(alpn, write_protocol_names([b"webrtc", b"c-webrtc"]))
    assert negotiate(both, (AES_128,)).application_protocol == b"c-webrtc"
    plain = with_extension(alpn, write_protocol_names([b"h2", b"webrtc"]))
    assert negotiate(plain, (AES_128,)).extensions[alpn] == write_protocol_names([b"webrtc"])
    assert negotiate(HELLO, (AES_128,)).application_protocol is None


@pytest.mark.parametrize(
    ("hello", "alert"),
    [
        (replace(HELLO, version=0xFEFF), AlertDescription.PROTOCOL_VERSION),
        (replace(HELLO, version=0x0303), AlertDescription.PROTOCOL_VERSION),
        (with_extension(ExtensionType.SUPPORTED_VERSIONS, b"\x02\xfe\xfc"), AlertDescription.PROTOCOL_VERSION),
        (replace(HELLO, compression_methods=b"\x01"), AlertDescription.ILLEGAL_PARAMETER),
        (replace(HELLO, cipher_suites=(0xC02F, 0xC009)), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.EXTENDED_MASTER_SECRET, None), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.EXTENDED_MASTER_SECRET, b"x"), AlertDescription.DECODE_ERROR),
        (with_extension(ExtensionType.SIGNATURE_ALGORITHMS, None), AlertDescription.HANDSHAKE_FAILURE),
        (
            with_extension(ExtensionType.SIGNATURE_ALGORITHMS, write_uint16s([0x0804])),
            AlertDescription.HANDSHAKE_FAILURE,
        ),
        (with_extension(ExtensionType.SUPPORTED_GROUPS, write_uint16s([4588])), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.SUPPORTED_GROUPS, b"\x00\x01\x1d"), AlertDescription.DECODE_ERROR),
        (with_extension(ExtensionType.EC_POINT_FORMATS, b"\x01\x01"), AlertDescription.ILLEGAL_PARAMETER),
        (with_extension(ExtensionType.USE_SRTP, None), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.USE_SRTP, write_use_srtp(UseSrtp((1, 2)))), AlertDescription.HANDSHAKE_FAILURE),
        (with_extension(ExtensionType.USE_SRTP, b"\x00\x00\x00"), AlertDescription.DECODE_ERROR),
        (with_extension(ExtensionType.RENEGOTIATION_INFO, b"\x0c" + bytes(12)), AlertDescription.HANDSHAKE_FAILURE),
        (
            with_extension(ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, write_protocol_names([b"h2"])),
            AlertDescription.NO_APPLICATION_PROTOCOL,
        ),
        (with_extension(ExtensionType.EXTERNAL_SESSION_ID, b"\x01x"), AlertDescription.DECODE_ERROR),
        (with_extension(ExtensionType.SUPPORTED_EKT_CIPHERS, b"\x00"), AlertDescription.DECODE_ERROR),
    ],
)
def test_refusals(hello, alert):
    with pytest.raises(PeerError) as refusal:
        negotiate(hello, (AES_128,), (EKTCipher.AESKW128,))
    assert refusal.value.alert is alert


def test_ekt_ciphers_are_for_servers_that_have_them():
    hello = with_extension(ExtensionType.SUPPORTED_EKT_CIPHERS, write_ekt_ciphers([EKTCipher.AESKW128]))
    assert negotiate(hello, (AES_128,)).ekt_cipher is None
    negotiated = negotiate(hello, (AES_128,), (EKTCipher.AESKW256, EKTCipher.AESKW128))
    assert negotiated.ekt_cipher is EKTCipher.AESKW128
    assert negotiated.extensions[ExtensionType.SUPPORTED_EKT_CIPHERS] == b"\x01"
