"""Handshake messages, extensions and alerts: read ∘ write = identity; anything shorter or longer is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.dtls import alerts, extensions, hello, messages
from perc.dtls.alerts import Alert, AlertLevel
from perc.dtls.extensions import UseSrtp
from perc.dtls.hello import ClientHello, HelloVerifyRequest, ServerHello
from perc.dtls.messages import CertificateRequest, DigitallySigned, ServerKeyExchange
from perc.errors import AlertDescription, DecodeError, HandshakeFailure, IllegalParameter, PeerError

SIGNED = DigitallySigned(0x0403, b"signature")
CLIENT_HELLO = ClientHello(bytes(32), (0xC02B, 0x00FF), {23: b"", 14: b"\x00"}, b"cookie", b"session")

PAIRS = [
    (hello.write_client_hello, hello.read_client_hello, CLIENT_HELLO),
    (hello.write_server_hello, hello.read_server_hello, ServerHello(bytes(32), 0xC02B, {23: b""}, b"session")),
    (hello.write_hello_verify_request, hello.read_hello_verify_request, HelloVerifyRequest(b"cookie")),
    (messages.write_certificates, messages.read_certificates, (b"one", b"two")),
    (messages.write_certificates, messages.read_certificates, ()),
    (messages.write_server_key_exchange, messages.read_server_key_exchange, ServerKeyExchange(29, bytes(32), SIGNED)),
    (messages.write_certificate_request, messages.read_certificate_request, CertificateRequest(b"\x40", (0x0403,))),
    (messages.write_client_key_exchange, messages.read_client_key_exchange, bytes(32)),
    (messages.write_certificate_verify, messages.read_certificate_verify, SIGNED),
    (extensions.write_use_srtp, extensions.read_use_srtp, UseSrtp((7, 8), b"mki")),
    (extensions.write_uint16s, extensions.read_uint16_list, (29, 23)),
    (extensions.write_protocol_names, extensions.read_protocol_names, (b"c-webrtc", b"webrtc")),
    (extensions.write_external_session_id, extensions.read_external_session_id, bytes(20)),
]


@pytest.mark.parametrize(("write", "read", "value"), PAIRS)
def test_what_is_written_is_read(write, read, value):
    assert read(write(value)) == value


@pytest.mark.parametrize(("write", "read", "value"), PAIRS)
def test_truncations_and_trailing_octets_are_refused(write, read, value):
    octets = write(value)
    # A hello without its extensions block is a hello.
    whole = len(write(replace(value, extensions={}))) if hasattr(value, "extensions") else None
    for length in range(len(octets)):
        if length != whole:
            with pytest.raises(PeerError):
                read(octets[:length])
    with pytest.raises(DecodeError):
        read(octets + b"\x00")


def test_an_extension_that_is_there_twice():
    octets = hello.write_client_hello(ClientHello(bytes(32), (0xC02B,), {23: b""}))
    assert octets.endswith(bytes.fromhex("0004 0017 0000"))
    with pytest.raises(IllegalParameter):
        hello.read_client_hello(octets[:-6] + bytes.fromhex("0008 0017 0000 0017 0000"))


def test_a_list_of_cipher_suites_with_half_a_suite():
    octets = bytearray(hello.write_client_hello(ClientHello(bytes(32), (0xC02B,), {})))
    octets[36:40] = bytes.fromhex("0001 c0")
    with pytest.raises(DecodeError):
        hello.read_client_hello(bytes(octets))


def test_an_explicit_curve():
    with pytest.raises(IllegalParameter):
        messages.read_server_key_exchange(
            b"\x01" + messages.write_server_key_exchange(ServerKeyExchange(29, b"x", SIGNED))
        )


def test_a_certificate_request_with_authorities():
    octets = messages.write_certificate_request(CertificateRequest(b"\x40", (0x0403,)))
    assert messages.read_certificate_request(octets[:-2] + bytes.fromhex("0004 0002 3000")).certificate_types == b"\x40"
    with pytest.raises(DecodeError):
        messages.read_certificate_request(octets[:-2] + bytes.fromhex("0003 0002 30"))


def test_renegotiation_info_of_another_connection():
    extensions.check_renegotiation_info(b"\x00")
    for data in (b"", b"\x01x", b"\x00\x00"):
        with pytest.raises(HandshakeFailure):
            extensions.check_renegotiation_info(data)


def test_a_tls_id_shorter_than_rfc_8844_has_it():
    with pytest.raises(DecodeError):
        extensions.read_external_session_id(bytes([19]) + bytes(19))


class TestAlerts:
    def test_levels(self):
        assert alerts.write_alert(AlertDescription.CLOSE_NOTIFY) == b"\x01\x00"
        assert alerts.write_alert(AlertDescription.HANDSHAKE_FAILURE) == b"\x02\x28"
        assert alerts.read_alert(b"\x02\x28") == Alert(AlertLevel.FATAL, 40)

    @pytest.mark.parametrize("octets", [b"", b"\x02", b"\x02\x28\x00", b"\x03\x28", b"\x00\x00"])
    def test_malformed_alerts(self, octets):
        with pytest.raises(DecodeError):
            alerts.read_alert(octets)

    def test_which_alerts_end_an_association(self):
        assert alerts.read_alert(b"\x01\x00").ends_association
        assert alerts.read_alert(b"\x02\x50").ends_association
        assert not alerts.read_alert(b"\x01\x5a").ends_association

    def test_an_alert_without_a_name_is_an_error_all_the_same(self):
        assert alerts.read_alert(b"\x02\xff").as_error().alert is AlertDescription.INTERNAL_ERROR
