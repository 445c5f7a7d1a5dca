"""The client against OpenSSL: both ends in one thread, on memory BIOs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

from perc.errors import AlertDescription, AlertReceived, ApiMisuse
from perc.tls.config import ApplicationDataReceived, ConnectionClosed, ConnectionFailed, HandshakeCompleted
from perc.x509.certificate import Certificate
from tests.driving import run
from tests.tls.openssl_server import (
    CLIENT_CERTIFICATE,
    ROOT,
    SERVER,
    Story,
    anchors,
    client,
    server_context,
)
from tests.x509.authority import NOW, Authority

RSA_KEY = rsa.generate_private_key(65537, 2048)
P384_KEY = ec.generate_private_key(ec.SECP384R1())


def data_of(story: Story) -> bytes:
    return b"".join(event.data for event in story.events if isinstance(event, ApplicationDataReceived))


def assert_works(story: Story) -> None:
    completed = [event for event in story.events if isinstance(event, HandshakeCompleted)]
    assert len(completed) == 1
    assert story.client_certificate() == CLIENT_CERTIFICATE.der
    run(story.client.send(b"from the client"))
    story.run()
    assert story.received == b"from the client"
    story.server.send(b"from the server")
    story.serve()
    assert data_of(story) == b"from the server"


def test_mutual_authentication_and_data_both_ways() -> None:
    story = Story()
    assert story.events == [HandshakeCompleted(Certificate.parse(SERVER.der))]
    assert story.server.get_protocol_version_name() == "TLSv1.3"
    assert story.server.get_cipher_name() == "TLS_AES_128_GCM_SHA256"
    assert story.server.get_servername() == b"md.example"
    assert_works(story)


@pytest.mark.parametrize("portion", [1, 7, 100])
def test_octets_may_come_in_any_portions(portion: int) -> None:
    assert_works(Story(portion=portion))


@pytest.mark.parametrize("group", [ec.SECP256R1(), ec.SECP384R1()], ids=["P-256", "P-384"])
def test_a_server_that_wants_another_group_asks_for_it(group: ec.EllipticCurve) -> None:
    context = server_context()
    context.set_tmp_ecdh(group)
    story = Story(context=context)
    assert story.client_flights == 3, "ClientHello, another ClientHello, Finished"
    assert_works(story)


@pytest.mark.parametrize("key", [RSA_KEY, P384_KEY], ids=["RSA", "P-384"])
def test_servers_with_other_keys(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    assert_works(Story(context=server_context(ROOT.issue_server("md.example", key=key))))


def test_a_chain_of_intermediates() -> None:
    upper = ROOT.issue_ca("Upper")
    lower = upper.issue_ca("Lower")
    assert_works(Story(context=server_context(lower.issue_server("md.example"), (lower, upper))))


def test_an_address_as_the_servers_name_is_not_sent() -> None:
    context = server_context(ROOT.issue_server("127.0.0.1"))
    story = Story(client=client("127.0.0.1"), context=context)
    assert story.server.get_servername() is None
    assert_works(story)


def test_a_server_that_asks_for_no_certificate_gets_none() -> None:
    context = server_context()
    context.set_verify(SSL.VERIFY_NONE)
    story = Story(context=context)
    assert isinstance(story.events[0], HandshakeCompleted)
    assert story.client_certificate() == b""


def test_much_data_is_cut_into_records() -> None:
    story = Story()
    data = bytes(range(256)) * 400
    run(story.client.send(data))
    story.run()
    assert story.received == data
    story.server.sendall(data)
    story.serve()
    assert data_of(story) == data


def test_nothing_is_sent_for_nothing() -> None:
    story = Story()
    run(story.client.send(b""))
    assert story.client.data_to_send() == b""


def test_close_notify_from_the_client() -> None:
    story = Story()
    run(story.client.close())
    story.run()
    assert isinstance(story.error, SSL.ZeroReturnError)
    with pytest.raises(ApiMisuse):
        run(story.client.send(b"late"))
    run(story.client.close())
    assert story.client.data_to_send() == b""


def test_close_notify_from_the_server_is_answered() -> None:
    story = Story()
    story.server.shutdown()
    story.serve()
    assert story.events[-1] == ConnectionClosed()
    assert story.server.shutdown()
    with pytest.raises(ApiMisuse):
        run(story.client.send(b"late"))


def test_nothing_is_sent_before_the_handshake_is_complete() -> None:
    with pytest.raises(ApiMisuse):
        run(client().send(b"early"))


def test_a_handshake_starts_once() -> None:
    one = client()
    run(one.start())
    with pytest.raises(ApiMisuse):
        run(one.start())


@pytest.mark.parametrize("name", ["", "md example", "bücher.example", "md.example:443", "*.example"])
def test_what_is_no_server_name(name: str) -> None:
    with pytest.raises(ApiMisuse):
        run(client(name).start())


@pytest.mark.parametrize(
    ("story", "alert", "reason"),
    [
        (lambda: Story(client=client("other.example")), AlertDescription.CERTIFICATE_UNKNOWN, "certificate unknown"),
        (lambda: Story(client=client(trust=anchors())), AlertDescription.UNKNOWN_CA, "unknown ca"),
        (
            lambda: Story(client=client(trust=anchors(Authority.root("Test Root")))),
            AlertDescription.BAD_CERTIFICATE,
            "bad certificate",
        ),
        (
            lambda: Story(client=client(now=NOW + timedelta(days=365))),
            AlertDescription.CERTIFICATE_EXPIRED,
            "certificate expired",
        ),
    ],
    ids=["wrong name", "no anchor", "a root of the same name", "expired"],
)
def test_a_server_that_is_not_accepted_learns_why(story: object, alert: AlertDescription, reason: str) -> None:
    found: Story = story()  # type: ignore[operator]
    assert found.failure() is alert
    assert reason in str(found.error)
    assert not any(isinstance(event, HandshakeCompleted) for event in found.events)


def test_a_server_that_refuses_the_client_says_so() -> None:
    context = server_context()
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: False)
    story = Story(context=context)
    last = story.events[-1]
    assert isinstance(last, ConnectionFailed)
    assert isinstance(last.error, AlertReceived)
    assert story.client.data_to_send() == b""


def test_a_server_of_tls_1_2_is_refused() -> None:
    context = server_context()
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    story = Story(context=context)
    assert story.failure() is AlertDescription.PROTOCOL_VERSION


@pytest.mark.parametrize("place", [200, 400, 700, -1])
def test_a_flipped_bit_in_the_servers_flight(place: int) -> None:
    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        if changed:
            changed[place] ^= 1
        return bytes(changed)

    story = Story(tamper=flip)
    assert story.failure() is AlertDescription.BAD_RECORD_MAC
    assert "bad record mac" in str(story.error)


def test_a_flipped_bit_in_application_data() -> None:
    story = Story()
    story.server.send(b"secret")
    changed = bytearray(story.server_output())
    changed[-1] ^= 1
    story.deliver(bytes(changed))
    assert story.failure() is AlertDescription.BAD_RECORD_MAC
    assert data_of(story) == b""


def test_a_record_that_is_left_out() -> None:
    story = Story()
    story.server.send(b"first")
    story.server_output()
    story.server.send(b"second")
    story.deliver(story.server_output())
    assert story.failure() is AlertDescription.BAD_RECORD_MAC


def test_a_record_that_comes_twice() -> None:
    story = Story()
    story.server.send(b"once")
    record = story.server_output()
    story.deliver(record + record)
    assert data_of(story) == b"once"
    assert story.failure() is AlertDescription.BAD_RECORD_MAC
