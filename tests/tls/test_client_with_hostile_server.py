"""One test for each rule that a server can break; keys and signatures of the server are right unless a test says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.crypto.provider import SignatureScheme
from perc.errors import AlertDescription, AlertReceived
from perc.tls.config import ApplicationDataReceived, ConnectionClosed, ConnectionFailed, HandshakeCompleted
from perc.tls.handshake import HandshakeType
from perc.tls.protection import RECORDS_PER_KEY, RecordProtection
from perc.tls.record_layer import ContentType
from perc.wire import Reader, Writer
from tests.driving import run
from tests.tls.openssl_server import CLIENT_CERTIFICATE, PROVIDER, ROOT, SERVER
from tests.tls.scripted_server import (
    CHANGE_CIPHER_SPEC,
    TLS_13,
    ScriptedServer,
    extensions,
    record,
    server_hello,
    sign,
)
from tests.x509.authority import Authority, key_usage, server_extensions

DECODE_ERROR = AlertDescription.DECODE_ERROR
ILLEGAL_PARAMETER = AlertDescription.ILLEGAL_PARAMETER
UNEXPECTED = AlertDescription.UNEXPECTED_MESSAGE
UNSUPPORTED_EXTENSION = AlertDescription.UNSUPPORTED_EXTENSION
MISSING_EXTENSION = AlertDescription.MISSING_EXTENSION
OVERFLOW = AlertDescription.RECORD_OVERFLOW
DECRYPT_ERROR = AlertDescription.DECRYPT_ERROR
STRANGER = Authority.root("Stranger").issue_server("md.example")
ENCIPHERING = ROOT.issue(
    "md.example",
    [(key_usage(key_encipherment=True), True), *server_extensions("md.example")[2:]],
)
WEAK = ROOT.issue_server("md.example", key=rsa.generate_private_key(65537, 1024))
X25519 = b"\x00\x1d"
P256 = b"\x00\x17"
SHARE = X25519 + b"\x00\x20" + bytes([9]) + bytes(31)
HELLO = {43: TLS_13, 51: SHARE}
TICKET = Writer().uint32(1).uint32(2).opaque(b"n", 1).opaque(b"ticket", 2).write(extensions({42: b""})).finish()


def test_the_script_itself_is_right() -> None:
    server = ScriptedServer().until_finished()
    (completed,) = server.deliver(server.protect(server.finished()))
    assert isinstance(completed, HandshakeCompleted)


# ServerHello and HelloRetryRequest


@pytest.mark.parametrize(
    ("hello", "alert"),
    [
        (server_hello({}), AlertDescription.PROTOCOL_VERSION),
        (server_hello({0xFF01: b"\x00"}, suite=0xC02B), AlertDescription.PROTOCOL_VERSION),
        (server_hello({43: b"\x03\x03", 51: SHARE}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13 + b"\x00", 51: SHARE}), ILLEGAL_PARAMETER),
        (server_hello(HELLO, legacy_version=0x0304), ILLEGAL_PARAMETER),
        (server_hello(HELLO, session_id=bytes(32)), ILLEGAL_PARAMETER),
        (server_hello(HELLO, session_id=bytes(33)), DECODE_ERROR),
        (server_hello(HELLO, suite=0x1302), ILLEGAL_PARAMETER),
        (server_hello(HELLO, compression=1), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13}), MISSING_EXTENSION),
        (server_hello({**HELLO, 41: b"\x00\x00"}), UNSUPPORTED_EXTENSION),
        (server_hello({**HELLO, 0: b""}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13, 51: P256 + b"\x00\x41\x04" + bytes(64)}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13, 51: b"\x02\x00" + b"\x00\x01\x00"}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13, 51: X25519 + b"\x00\x20" + bytes(32)}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13, 51: X25519 + b"\x00\x1f" + bytes(31)}), ILLEGAL_PARAMETER),
        (server_hello({43: TLS_13, 51: X25519 + b"\x00\x00"}), DECODE_ERROR),
        (server_hello({43: TLS_13, 51: SHARE + b"\x00"}), DECODE_ERROR),
        (server_hello(HELLO)[:3] + b"\x05" + bytes(5), DECODE_ERROR),
    ],
)
def test_server_hello(hello: bytes, alert: AlertDescription) -> None:
    hello = hello[:1] + (len(hello) - 4).to_bytes(3, "big") + hello[4:]
    assert ScriptedServer().fails(record(ContentType.HANDSHAKE, hello)) is alert


def test_an_extension_that_occurs_twice() -> None:
    block = extensions({43: TLS_13, 51: SHARE})
    twice = Writer().opaque(block[2:] + extensions({43: TLS_13})[2:], 2).finish()
    hello = server_hello({})[4:-2] + twice
    message = Writer().uint8(HandshakeType.SERVER_HELLO).opaque(hello, 3).finish()
    assert ScriptedServer().fails(record(ContentType.HANDSHAKE, message)) is ILLEGAL_PARAMETER


@pytest.mark.parametrize(
    ("found", "alert"),
    [
        ({51: X25519}, ILLEGAL_PARAMETER),
        ({}, ILLEGAL_PARAMETER),
        ({51: b"\x02\x00"}, ILLEGAL_PARAMETER),
        ({51: P256 + b"\x00"}, DECODE_ERROR),
        ({44: b"\x00\x00"}, DECODE_ERROR),
        ({51: P256, 10: b""}, ILLEGAL_PARAMETER),
        ({51: P256, 41: b"\x00\x00"}, UNSUPPORTED_EXTENSION),
    ],
)
def test_hello_retry_request(found: dict[int, bytes], alert: AlertDescription) -> None:
    server = ScriptedServer()
    assert server.fails(server.retry(found)) is alert


def test_a_cookie_comes_back() -> None:
    server = ScriptedServer()
    first = server.client_share
    assert server.deliver(server.retry({44: b"\x00\x03abc"})) == []
    server.read_hello()
    assert server.offered[44] == b"\x00\x03abc"
    assert server.client_share == first
    assert_completes(server)


def test_a_second_retry() -> None:
    server = ScriptedServer()
    server.deliver(server.retry({51: P256}))
    server.read_hello()
    assert server.fails(server.retry({51: b"\x00\x18"})) is UNEXPECTED


def test_a_share_in_another_group_than_the_retry_asked_for() -> None:
    server = ScriptedServer()
    server.deliver(server.retry({51: P256}))
    assert server.fails(record(ContentType.HANDSHAKE, server_hello(HELLO))) is ILLEGAL_PARAMETER


# The server's flight


@pytest.mark.parametrize(
    ("found", "alert"),
    [
        ({0: b"", 10: b"\x00\x02\x00\x1d"}, None),
        ({16: b"\x00\x03\x02h2"}, UNSUPPORTED_EXTENSION),
        ({43: TLS_13}, ILLEGAL_PARAMETER),
        ({51: SHARE}, ILLEGAL_PARAMETER),
    ],
)
def test_encrypted_extensions(found: dict[int, bytes], alert: AlertDescription | None) -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    message = server.protect(server.encrypted_extensions(found))
    if alert is None:
        assert server.deliver(message) == []
    else:
        assert server.fails(message) is alert


@pytest.mark.parametrize(
    ("body", "alert"),
    [
        (b"\x01x" + extensions({13: b"\x00\x02\x04\x03"}), ILLEGAL_PARAMETER),
        (b"\x00" + extensions({}), MISSING_EXTENSION),
        (b"\x00" + extensions({13: b"\x00\x00"}), DECODE_ERROR),
        (b"\x00" + extensions({13: b"\x00\x03\x04\x03\x04"}), DECODE_ERROR),
        (b"\x00" + extensions({13: b"\x00\x02\x04\x03"}) + b"\x00", DECODE_ERROR),
    ],
)
def test_certificate_request(body: bytes, alert: AlertDescription) -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    server.deliver(server.protect(server.encrypted_extensions()))
    assert server.fails(server.protect(server.message(HandshakeType.CERTIFICATE_REQUEST, body))) is alert


def test_unknown_extensions_of_a_request_are_ignored() -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    body = b"\x00" + extensions({13: b"\x00\x02\x04\x03", 47: b"\x00\x00", 0xFAFA: b"x"})
    flight = server.encrypted_extensions() + server.message(HandshakeType.CERTIFICATE_REQUEST, body)
    assert server.deliver(server.protect(flight)) == []


def test_a_request_for_other_signatures_is_answered_without_a_certificate() -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    flight = server.encrypted_extensions() + server.certificate_request(b"\x00\x02\x08\x04")
    server.deliver(server.protect(flight + server.certificate(SERVER)))
    server.deliver(server.protect(server.certificate_verify(sign(server.content()))))
    server.deliver(server.protect(server.finished()))
    certificate, finished = client_flight(server)
    assert certificate == bytes.fromhex("0b00000400000000")
    assert finished[0] == HandshakeType.FINISHED


def test_the_client_authenticates_when_asked() -> None:
    server = ScriptedServer().until_finished()
    server.deliver(server.protect(server.finished()))
    certificate, verify, finished = client_flight(server)
    assert CLIENT_CERTIFICATE.der in certificate
    assert [verify[0], finished[0]] == [HandshakeType.CERTIFICATE_VERIFY, HandshakeType.FINISHED]


@pytest.mark.parametrize(
    ("write", "alert"),
    [
        (lambda server: server.certificate(), DECODE_ERROR),
        (lambda server: server.certificate(SERVER, context=b"x"), ILLEGAL_PARAMETER),
        (lambda server: server.certificate(SERVER, found={5: b"\x01\x00\x00\x00"}), UNSUPPORTED_EXTENSION),
        (lambda server: server.certificate(SERVER, found={0: b""}), ILLEGAL_PARAMETER),
        (lambda server: server.message(HandshakeType.CERTIFICATE, bytes(3) + b"\x05" + bytes(5)), DECODE_ERROR),
        (lambda server: server.certificate(*[SERVER] * 11), AlertDescription.BAD_CERTIFICATE),
        (lambda server: server.certificate(STRANGER), AlertDescription.UNKNOWN_CA),
        (lambda server: server.certificate(ENCIPHERING), AlertDescription.UNSUPPORTED_CERTIFICATE),
        (lambda server: server.certificate(WEAK), AlertDescription.UNSUPPORTED_CERTIFICATE),
    ],
)  # fmt: skip
def test_certificate(write: Callable[[ScriptedServer], bytes], alert: AlertDescription) -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    assert server.fails(server.protect(server.encrypted_extensions() + write(server))) is alert


@pytest.mark.parametrize(
    ("scheme", "alert"),
    [
        (SignatureScheme.ECDSA_SECP256R1_SHA256, DECRYPT_ERROR),
        (SignatureScheme.ECDSA_SECP384R1_SHA384, ILLEGAL_PARAMETER),
        (SignatureScheme.RSA_PSS_RSAE_SHA256, ILLEGAL_PARAMETER),
        (SignatureScheme.RSA_PKCS1_SHA256, ILLEGAL_PARAMETER),
        (0x0203, ILLEGAL_PARAMETER),
    ],
)
def test_certificate_verify(scheme: int, alert: AlertDescription) -> None:
    server = ScriptedServer().until_certificate_verify()
    message = server.certificate_verify(sign(b"something else"), scheme)
    assert server.fails(server.protect(message)) is alert


def test_a_signature_by_another_key() -> None:
    server = ScriptedServer().until_certificate_verify()
    mallory = run(PROVIDER.generate_signing_key())
    message = server.certificate_verify(run(PROVIDER.sign(mallory, server.content())))
    assert server.fails(server.protect(message)) is DECRYPT_ERROR


def test_a_clients_signature_sent_back_as_the_servers() -> None:
    server = ScriptedServer().until_certificate_verify()
    content = server.content().replace(b"server", b"client")
    assert server.fails(server.protect(server.certificate_verify(sign(content)))) is DECRYPT_ERROR


@pytest.mark.parametrize("body", [b"", bytes(31), bytes(32), bytes(33)])
def test_finished(body: bytes) -> None:
    server = ScriptedServer().until_finished()
    assert server.fails(server.protect(server.message(HandshakeType.FINISHED, body))) is DECRYPT_ERROR


# Order


STEPS: list[Callable[[ScriptedServer], ScriptedServer]] = [
    lambda server: server,
    lambda server: (server.deliver(server.hello()), server)[1],
    ScriptedServer.until_certificate_verify,
    ScriptedServer.until_finished,
    ScriptedServer.connected,
]
EXPECTED = [
    {HandshakeType.SERVER_HELLO},
    {HandshakeType.ENCRYPTED_EXTENSIONS},
    {HandshakeType.CERTIFICATE_VERIFY},
    {HandshakeType.FINISHED},
    {HandshakeType.NEW_SESSION_TICKET, HandshakeType.KEY_UPDATE},
]


@pytest.mark.parametrize("step", range(len(STEPS)))
@pytest.mark.parametrize("msg_type", [0, *HandshakeType, 5, 255])
def test_messages_that_a_state_does_not_expect(step: int, msg_type: int) -> None:
    if msg_type in EXPECTED[step]:
        return
    server = STEPS[step](ScriptedServer())
    assert server.fails(server.protect(server.message(msg_type, b""))) is UNEXPECTED


@pytest.mark.parametrize("step", range(len(STEPS) - 1))
def test_application_data_before_the_end_of_the_handshake(step: int) -> None:
    server = STEPS[step](ScriptedServer())
    assert server.fails(server.protect(b"early", ContentType.APPLICATION_DATA)) is UNEXPECTED


@pytest.mark.parametrize(
    ("step", "message"),
    [(0, lambda server: server.hello()[5:]), (3, ScriptedServer.finished), (4, lambda _: b"\x18\x00\x00\x01\x00")],
    ids=["ServerHello", "Finished", "KeyUpdate"],
)
def test_messages_that_span_a_change_of_keys(step: int, message: Callable[[ScriptedServer], bytes]) -> None:
    server = STEPS[step](ScriptedServer())
    protect = server.protect if server.write else lambda data: record(ContentType.HANDSHAKE, data)
    assert server.fails(protect(message(server) + b"\x08")) is UNEXPECTED


def test_a_handshake_message_interleaved_with_something_else() -> None:
    server = ScriptedServer().connected()
    server.deliver(server.protect(b"\x04\x00\x00"))
    assert server.fails(server.protect(b"data", ContentType.APPLICATION_DATA)) is UNEXPECTED


def test_a_handshake_message_that_is_too_long() -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    assert server.fails(server.protect(b"\x08\x01\x00\x01")) is ILLEGAL_PARAMETER


# Records


@pytest.mark.parametrize("step", range(4))
def test_change_cipher_spec_is_dropped_during_the_handshake(step: int) -> None:
    server = STEPS[step](ScriptedServer())
    assert server.deliver(CHANGE_CIPHER_SPEC) == []


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x01\x01"])
def test_any_other_change_cipher_spec(payload: bytes) -> None:
    assert ScriptedServer().fails(record(ContentType.CHANGE_CIPHER_SPEC, payload)) is UNEXPECTED


def test_change_cipher_spec_after_the_handshake() -> None:
    assert ScriptedServer().connected().fails(CHANGE_CIPHER_SPEC) is UNEXPECTED


def test_a_protected_change_cipher_spec() -> None:
    server = STEPS[1](ScriptedServer())
    assert server.fails(server.protect(b"\x01", ContentType.CHANGE_CIPHER_SPEC)) is UNEXPECTED


@pytest.mark.parametrize("content_type", [0, 19, 24, 0x48])
def test_unknown_records(content_type: int) -> None:
    assert ScriptedServer().fails(record(content_type, b"TP/1.1 400")) is UNEXPECTED


@pytest.mark.parametrize("content_type", [ContentType.HANDSHAKE, ContentType.ALERT, ContentType.APPLICATION_DATA])
def test_unprotected_records_after_protection_began(content_type: ContentType) -> None:
    alert = STEPS[1](ScriptedServer()).fails(record(content_type, bytes(40)))
    is_disguised = content_type is ContentType.APPLICATION_DATA
    assert alert is (AlertDescription.BAD_RECORD_MAC if is_disguised else UNEXPECTED)


@pytest.mark.parametrize("content_type", [ContentType.HANDSHAKE, ContentType.ALERT])
def test_empty_records(content_type: ContentType) -> None:
    assert ScriptedServer().fails(record(content_type, b"")) is UNEXPECTED
    server = ScriptedServer().connected()
    assert server.fails(server.protect(b"", content_type)) is UNEXPECTED


def test_nothing_but_padding() -> None:
    server = ScriptedServer().connected()
    assert server.fails(server.protect(bytes(20), 0)) is UNEXPECTED


def test_padding_is_removed() -> None:
    server = ScriptedServer().connected()
    padded = server.protect(b"data" + bytes([ContentType.APPLICATION_DATA]) + bytes(99), 0)
    assert server.deliver(padded) == [ApplicationDataReceived(b"data")]


def test_empty_application_data_says_nothing() -> None:
    server = ScriptedServer().connected()
    assert server.deliver(server.protect(b"", ContentType.APPLICATION_DATA)) == []


@pytest.mark.parametrize(("step", "length"), [(0, (1 << 14) + 1), (1, (1 << 14) + 257), (4, 0xFFFF)])
def test_a_record_that_announces_too_much_is_not_waited_for(step: int, length: int) -> None:
    server = STEPS[step](ScriptedServer())
    header = Writer().uint8(ContentType.APPLICATION_DATA if step else ContentType.HANDSHAKE).uint16(0x0303)
    assert server.fails(header.uint16(length).finish()) is OVERFLOW


def test_a_record_whose_plaintext_is_too_long() -> None:
    server = ScriptedServer().connected()
    largest = server.protect(bytes(1 << 14), ContentType.APPLICATION_DATA)
    assert server.deliver(largest) == [ApplicationDataReceived(bytes(1 << 14))]
    assert server.fails(server.protect(bytes((1 << 14) + 1), ContentType.APPLICATION_DATA)) is OVERFLOW


def test_a_record_shorter_than_its_tag() -> None:
    assert STEPS[1](ScriptedServer()).fails(record(23, bytes(15))) is AlertDescription.BAD_RECORD_MAC


# Alerts


@pytest.mark.parametrize("level", [1, 2])
def test_an_alert_ends_the_connection_whatever_its_level(level: int) -> None:
    server = ScriptedServer().connected()
    (failed,) = server.deliver(server.protect(bytes([level, 49]), ContentType.ALERT))
    assert isinstance(failed, ConnectionFailed)
    assert isinstance(failed.error, AlertReceived)
    assert failed.error.alert is AlertDescription.ACCESS_DENIED
    assert server.client.data_to_send() == b""


def test_an_alert_before_protection() -> None:
    (failed,) = ScriptedServer().deliver(record(ContentType.ALERT, bytes([2, 40])))
    assert isinstance(failed, ConnectionFailed)
    assert failed.error.alert is AlertDescription.HANDSHAKE_FAILURE


def test_an_unknown_alert_is_an_error_alert() -> None:
    server = ScriptedServer().connected()
    (failed,) = server.deliver(server.protect(bytes([1, 200]), ContentType.ALERT))
    assert isinstance(failed, ConnectionFailed)
    assert "200" in str(failed.error)


@pytest.mark.parametrize("fragment", [b"\x02", b"\x02\x28\x00", b"\x01\x00\x01\x00"])
def test_alerts_that_are_split_or_joined(fragment: bytes) -> None:
    server = ScriptedServer().connected()
    assert server.fails(server.protect(fragment, ContentType.ALERT)) is DECODE_ERROR


def test_user_canceled_waits_for_close_notify() -> None:
    server = ScriptedServer().connected()
    assert server.deliver(server.protect(bytes([1, 90]), ContentType.ALERT)) == []
    assert server.deliver(server.protect(bytes([1, 0]), ContentType.ALERT)) == [ConnectionClosed()]


def test_what_follows_close_notify_is_ignored() -> None:
    server = ScriptedServer().connected()
    closing = server.protect(bytes([1, 0]), ContentType.ALERT)
    late = server.protect(b"late", ContentType.APPLICATION_DATA)
    assert server.deliver(closing + late) == [ConnectionClosed()]
    assert server.deliver(late) == []


# After the handshake


def test_session_tickets_are_ignored() -> None:
    server = ScriptedServer().connected()
    ticket = server.message(HandshakeType.NEW_SESSION_TICKET, TICKET)
    assert server.deliver(server.protect(ticket + ticket)) == []
    assert server.client.data_to_send() == b""


@pytest.mark.parametrize("body", [b"", TICKET + b"\x00", TICKET[:9] + b"\x01n\x00\x00\x00\x00"[:4] + b"\x00\x00"])
def test_malformed_session_tickets(body: bytes) -> None:
    server = ScriptedServer().connected()
    assert server.fails(server.protect(server.message(HandshakeType.NEW_SESSION_TICKET, body))) is DECODE_ERROR


@pytest.mark.parametrize(
    ("body", "alert"), [(b"\x02", ILLEGAL_PARAMETER), (b"", DECODE_ERROR), (b"\x00\x00", DECODE_ERROR)]
)
def test_malformed_key_updates(body: bytes, alert: AlertDescription) -> None:
    server = ScriptedServer().connected()
    assert server.fails(server.protect(server.message(HandshakeType.KEY_UPDATE, body))) is alert


def test_a_key_update_changes_the_servers_key() -> None:
    server = ScriptedServer().connected()
    assert server.write is not None
    old = server.write
    assert server.deliver(server.protect(b"\x18\x00\x00\x01\x00")) == []
    assert server.client.data_to_send() == b"", "none was asked for"
    server.write = run(old.next_generation())
    assert server.deliver(server.protect(b"new", 23)) == [ApplicationDataReceived(b"new")]
    server.write = old
    assert server.fails(server.protect(b"old", 23)) is AlertDescription.BAD_RECORD_MAC


def test_a_key_update_that_asks_for_one_gets_one_however_often_it_asks() -> None:
    server = ScriptedServer().connected()
    updates = b""
    for _ in range(3):
        updates += server.protect(b"\x18\x00\x00\x01\x01")
        assert server.write is not None
        server.write = run(server.write.next_generation())
    assert server.deliver(updates) == []
    run(server.client.send(b"data"))
    reading = run(RecordProtection.create(PROVIDER, server.client_secret))
    update, data = records_of(server.client.data_to_send())
    assert run(reading.open(*update)) == (ContentType.HANDSHAKE, b"\x18\x00\x00\x01\x00")
    assert run(run(reading.next_generation()).open(*data)) == (ContentType.APPLICATION_DATA, b"data")


def test_a_worn_key_is_updated_before_more_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RECORDS_PER_KEY < 2**24.5
    monkeypatch.setattr("perc.tls.protection.RECORDS_PER_KEY", 2)
    server = ScriptedServer().connected()
    for _ in range(3):
        run(server.client.send(b"data"))
    records = records_of(server.client.data_to_send())
    reading = run(RecordProtection.create(PROVIDER, server.client_secret))
    assert [run(reading.open(*each))[0] for each in records[:3]] == [23, 23, 22]
    assert run(run(reading.next_generation()).open(*records[3])) == (23, b"data")


# Anything else


@settings(max_examples=60)
@given(st.integers(0, 4), st.binary(max_size=200), st.booleans(), st.integers(20, 24))
def test_any_bytes_at_any_time(step: int, data: bytes, protected: bool, content_type: int) -> None:
    server = STEPS[step](ScriptedServer())
    for event in server.deliver(server.protect(data, content_type) if protected else data):
        assert isinstance(event, ConnectionFailed | ApplicationDataReceived | ConnectionClosed)


@settings(max_examples=60)
@given(st.integers(0, 999), st.integers(0, 7))
def test_any_change_of_the_servers_messages(place: int, bit: int) -> None:
    server = ScriptedServer()
    server.deliver(server.hello())
    flight = bytearray(server.encrypted_extensions() + server.certificate_request() + server.certificate(SERVER))
    flight += server.certificate_verify(sign(server.content()))
    flight[place % len(flight)] ^= 1 << bit
    events = server.deliver(server.protect(bytes(flight)) + server.protect(server.finished()))
    assert not any(isinstance(event, HandshakeCompleted) for event in events)


def assert_completes(server: ScriptedServer) -> None:
    server.until_finished()
    assert isinstance(server.deliver(server.protect(server.finished()))[0], HandshakeCompleted)


def records_of(data: bytes) -> list[tuple[bytes, bytes]]:
    reader = Reader(data)
    found = []
    while reader.remaining:
        header = reader.read(5)
        found.append((header, reader.read(int.from_bytes(header[3:], "big"))))
    return found


def client_flight(server: ScriptedServer) -> list[bytes]:
    """The client's handshake messages after the server's Finished."""
    reading = run(RecordProtection.create(PROVIDER, server.client_secret))
    stream = Reader(b"".join(run(reading.open(*each))[1] for each in records_of(server.client.data_to_send())))
    messages = []
    while stream.remaining:
        header = stream.read(4)
        messages.append(header + stream.read(int.from_bytes(header[1:], "big")))
    return messages
