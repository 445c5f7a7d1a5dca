"""TLS: records, and each handshake message that a server may send."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from perc.errors import PeerError
from perc.tls.alert import read_alert
from perc.tls.authentication import (
    read_certificate,
    read_certificate_request,
    read_certificate_verify,
    read_encrypted_extensions,
    write_certificate,
    write_certificate_verify,
)
from perc.tls.handshake import MAXIMUM_MESSAGE, HandshakeReassembler
from perc.tls.hello import read_server_hello
from perc.tls.post_handshake import check_new_session_ticket, read_key_update
from perc.tls.protection import MAXIMUM_PLAINTEXT
from perc.tls.record_layer import RecordLayer
from tests.driving import run
from tests.fuzz.target import Target, reads
from tests.repeatable import RepeatableProvider
from tests.tls.scripted_server import CHANGE_CIPHER_SPEC, TLS_13, extensions, record, server_hello
from tests.x509.authority import Authority

_READERS: tuple[tuple[Callable[[bytes], Any], Callable[[Any], bytes] | None], ...] = (
    (read_server_hello, None),
    (read_encrypted_extensions, None),
    (read_certificate_request, None),
    (read_certificate, lambda chain: write_certificate(*chain)),
    (read_certificate_verify, write_certificate_verify),
    (read_key_update, None),
    (check_new_session_ticket, None),
    (read_alert, None),
)


def records(data: bytes) -> None:
    layer, messages = RecordLayer(RepeatableProvider()), HandshakeReassembler()
    half = len(data) // 2
    with suppress(PeerError):
        for portion in (data[:half], data[half:]):
            layer.receive_data(portion)
            while (found := run(layer.next_record())) is not None:
                messages.receive(found.fragment)
                while messages.next_message() is not None:
                    pass
            assert layer.octets_held <= MAXIMUM_PLAINTEXT + 5
            assert messages.octets_held <= MAXIMUM_MESSAGE + MAXIMUM_PLAINTEXT


def record_seeds() -> Iterable[bytes]:
    yield record(22, server_hello({43: TLS_13})) + CHANGE_CIPHER_SPEC + record(21, b"\x02\x28")
    yield record(22, b"\x0b\x00\x40") + record(22, b"\x00" + bytes(100))


def messages(data: bytes) -> None:
    read, write = _READERS[(data or b"\0")[0] % len(_READERS)]
    reads(read, data[1:], write)


def message_seeds() -> Iterable[bytes]:
    share = b"\x00\x1d\x00\x20" + bytes(32)
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    yield b"\x00" + server_hello({43: TLS_13, 51: share})[4:]
    yield b"\x00" + server_hello({43: TLS_13, 51: b"\x00\x17", 44: b"\x00\x01c"}, random=retry)[4:]
    yield b"\x01" + extensions({10: b"\x00\x02\x00\x1d", 0: b""})
    yield b"\x02\x00" + extensions({13: b"\x00\x04\x04\x03\x08\x04"})
    yield b"\x03" + write_certificate(Authority.root("Seed").der)
    yield b"\x04\x04\x03\x00\x04abcd"
    yield b"\x05\x01"
    yield b"\x06" + bytes(8) + b"\x01n\x00\x01t" + extensions({42: bytes(4)})
    yield b"\x07\x01\x00"


TARGETS = (Target("tls-records", records, record_seeds), Target("tls-messages", messages, message_seeds))
