"""The TLS client, against a server that has its keys and breaks any rule it likes."""

from __future__ import annotations

from collections.abc import Iterable

from perc.tls.client import TlsClient
from perc.tls.config import ConnectionClosed, ConnectionFailed, Event, TlsClientConfig
from perc.tls.handshake import MAXIMUM_MESSAGE
from perc.tls.protection import MAXIMUM_PLAINTEXT, RecordProtection
from perc.tls.record_layer import ContentType
from tests.driving import run
from tests.fuzz.target import Script, Target, pack
from tests.repeatable import RepeatableProvider
from tests.tls.openssl_server import CLIENT_CERTIFICATE, CLIENT_KEY, PROVIDER, ROOT, SERVER, anchors
from tests.tls.scripted_server import ScriptedServer, record, sign
from tests.x509.authority import NOW

_MAX_ANSWER = 4096
"""Octets that the client says at once: its own flight."""
_CONTENT_TYPES = (ContentType.HANDSHAKE, ContentType.ALERT, ContentType.APPLICATION_DATA, 20, 99)


class _Server(ScriptedServer):
    """A flight is played message by message, each as it should be, damaged, or as something else."""

    def __init__(self, script: Script) -> None:
        config = TlsClientConfig("md.example", anchors(ROOT), CLIENT_CERTIFICATE, CLIENT_KEY, NOW)
        super().__init__(TlsClient(RepeatableProvider(), config))
        self._script = script
        self._over = self._application_keys_due = False
        self._flight = iter(
            (
                self.encrypted_extensions,
                self.certificate_request,
                lambda: self.certificate(SERVER),
                lambda: self.certificate_verify(sign(self.content())),
                self.finished,
            )
        )

    def step(self) -> None:
        script = self._script
        match script.number() % 6:
            case 0 | 1 as damaged:
                self._give(self._next_message(damaged=bool(damaged)))
            case 2:
                self._give(script.part())
            case 3:
                content_type = _CONTENT_TYPES[script.number() % len(_CONTENT_TYPES)]
                self._give(self.protect(script.part() or b"\0", content_type))
            case 4:
                content_type = _CONTENT_TYPES[script.number() % len(_CONTENT_TYPES)]
                self._give(record(content_type, script.part()))
            case _:
                # In two records.
                message = self._plaintext()
                half = max(1, len(message) // 2)
                self._give(self.protect(message[:half]) + self.protect(message[half:] or b"\0"))

    def _next_message(self, *, damaged: bool) -> bytes:
        if self.write is None:
            hello = self.hello()
            return self._script.damaged(hello) if damaged else hello
        message = self._plaintext()
        return self.protect(self._script.damaged(message) if damaged else message)

    def _plaintext(self) -> bytes:
        if self.write is None:
            return b"\x02\x00\x00"
        step = next(self._flight, None)
        return b"\x18\x00\x00\x01\x00" if step is None else step()

    def finished(self) -> bytes:
        message = super().finished()
        self._application_keys_due = True
        return message

    def _change_keys(self) -> None:
        self.schedule.enter_application()
        secret = self.schedule.derive_secret(b"s ap traffic", self.transcript.digest())
        self.write = run(RecordProtection.create(PROVIDER, secret))
        self._application_keys_due = False

    def _give(self, octets: bytes) -> None:
        events: list[Event] = self.deliver(octets)
        assert not (self._over and events), "nothing happens after the end"
        self._over = self._over or any(isinstance(event, ConnectionFailed | ConnectionClosed) for event in events)
        if not self._over:
            assert self.client.record_octets_held <= MAXIMUM_PLAINTEXT + 256 + 5
            assert self.client.message_octets_held <= MAXIMUM_MESSAGE + MAXIMUM_PLAINTEXT
        assert len(self.client.data_to_send()) <= _MAX_ANSWER
        if self._application_keys_due:
            self._change_keys()


def client(data: bytes) -> None:
    script = Script(data)
    server = _Server(script)
    while not script.is_over:
        server.step()
    run(server.client.close())


def seeds() -> Iterable[bytes]:
    yield bytes(6)
    yield b"\x00" + b"\x05" * 5
    for position in range(6):
        yield bytes(position) + b"\x01" + b"\x00\x04\x01\x01\xff" + bytes(6 - position)
    yield (
        bytes(6)
        + b"\x03\x02"
        + pack(b"data")
        + b"\x03\x00"
        + pack(b"\x18\x00\x00\x01\x01")
        + b"\x03\x01"
        + pack(b"\1\0")
    )
    yield b"\x04\x00" + pack(b"\x02\x00\x00\x10" + bytes(16)) + b"\x02" + pack(b"\x16\x03\x03\x40\x01")


TARGETS = (Target("tls-client", client, seeds),)
