"""DTLS: records, fragments and their reassembly, and the body of each message, extension, alert and ACK."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from perc.dtls import ack, alerts, hello
from perc.dtls import extensions as ext
from perc.dtls import messages as msg
from perc.dtls.fragments import (
    MAX_BUFFERED_MESSAGES,
    MAX_MESSAGE_LENGTH,
    HandshakeMessage,
    Reassembler,
    read_fragments,
    write_fragment,
)
from perc.dtls.negotiation import negotiate
from perc.dtls.offer import write_offer
from perc.dtls.records import MAX_RECORDS_PER_DATAGRAM, ContentType, read_records, write_record
from perc.ekt.ekt_key import EKTCipher
from perc.errors import PeerError
from tests.dtls.parties import AES_128, DOUBLE_128
from tests.fuzz.target import Target, reads

Reading = tuple[Callable[[bytes], Any], Callable[[Any], bytes] | None]


def _client_hello(body: bytes) -> hello.ClientHello:
    found = hello.read_client_hello(body)
    with suppress(PeerError):
        negotiate(found, (DOUBLE_128, AES_128), tuple(EKTCipher))
    return found


_READERS: tuple[Reading, ...] = (
    (_client_hello, hello.write_client_hello),
    (hello.read_server_hello, hello.write_server_hello),
    (hello.read_hello_verify_request, hello.write_hello_verify_request),
    (msg.read_certificates, msg.write_certificates),
    (msg.read_server_key_exchange, msg.write_server_key_exchange),
    (msg.read_certificate_request, msg.write_certificate_request),
    (msg.read_client_key_exchange, msg.write_client_key_exchange),
    (msg.read_certificate_verify, msg.write_certificate_verify),
    (ext.read_use_srtp, ext.write_use_srtp),
    (ext.read_protocol_names, ext.write_protocol_names),
    (ext.read_external_session_id, ext.write_external_session_id),
    (ext.read_uint16_list, ext.write_uint16s),
    (ext.read_point_formats, None),
    (ext.check_renegotiation_info, None),
    (alerts.read_alert, None),
    (ack.read_ack, ack.write_ack),
)


def records(data: bytes) -> None:
    reassembler = Reassembler()
    found = read_records(data)
    assert len(found) <= MAX_RECORDS_PER_DATAGRAM
    with suppress(PeerError):
        for record in found:
            for fragment in read_fragments(record.fragment):
                assert read_fragments(write_fragment(fragment)) == [fragment]
                reassembler.receive(record.epoch, fragment)
                while reassembler.next_message() is not None:
                    pass
    assert len(reassembler.lengths_held) <= MAX_BUFFERED_MESSAGES
    assert all(length <= MAX_MESSAGE_LENGTH for length in reassembler.lengths_held)


def record_seeds() -> Iterable[bytes]:
    message = HandshakeMessage(11, 0, bytes(range(60)))
    parts = [message.fragment(offset, 25) for offset in (50, 0, 20, 25)]
    yield b"".join(write_record(ContentType.HANDSHAKE, number, write_fragment(p)) for number, p in enumerate(parts))
    yield write_record(ContentType.HANDSHAKE, 0, b"".join(write_fragment(part) for part in parts))
    yield write_record(ContentType.APPLICATION_DATA, 1 << 48 | 7, bytes(40)) + write_record(26, 1 << 48, bytes(18))


def messages(data: bytes) -> None:
    read, write = _READERS[(data or b"\0")[0] % len(_READERS)]
    reads(read, data[1:], write)


def message_seeds() -> Iterable[bytes]:
    offer = write_offer((DOUBLE_128, AES_128), (b"webrtc",), b"t" * 20, tuple(EKTCipher))
    signed = msg.DigitallySigned(0x0403, b"signature")
    bodies = (
        hello.write_client_hello(hello.ClientHello(bytes(32), (0xC02B,), offer)),
        hello.write_server_hello(hello.ServerHello(bytes(32), 0xC02B, {23: b"", 14: b"\0\2\0\7\0"})),
        hello.write_hello_verify_request(hello.HelloVerifyRequest(b"cookie")),
        msg.write_certificates([b"der"]),
        msg.write_server_key_exchange(msg.ServerKeyExchange(29, bytes(32), signed)),
        msg.write_certificate_request(msg.CertificateRequest(b"\x40", (0x0403,))),
        msg.write_client_key_exchange(bytes(32)),
        msg.write_certificate_verify(signed),
        ext.write_use_srtp(ext.UseSrtp((7, 8), b"mki")),
        ext.write_protocol_names([b"webrtc", b"c-webrtc"]),
        ext.write_external_session_id(bytes(20)),
        ext.write_uint16s((29, 23)),
        ext.write_point_formats(),
        b"\x00",
        b"\x02\x28",
        ack.write_ack([0, 1]),
    )
    return (bytes([number]) + body for number, body in enumerate(bodies))


TARGETS = (Target("dtls-records", records, record_seeds), Target("dtls-messages", messages, message_seeds))
