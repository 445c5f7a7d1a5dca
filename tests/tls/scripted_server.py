"""A server that can be made to break any rule: messages are written by the test, keys and signatures are right."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from perc.crypto.provider import NamedGroup, SignatureScheme
from perc.crypto.pyca import PycaProvider
from perc.errors import AlertDescription
from perc.tls.authentication import server_signed_content
from perc.tls.client import TlsClient
from perc.tls.config import ConnectionFailed, Event
from perc.tls.handshake import HandshakeType, write_handshake
from perc.tls.key_schedule import KeySchedule, verify_data
from perc.tls.protection import RecordProtection
from perc.tls.record_layer import ContentType
from perc.tls.transcript import Transcript
from perc.wire import Reader, Writer
from tests.driving import run
from tests.tls.openssl_server import PROVIDER, SERVER, client
from tests.x509.authority import Issued

HANDSHAKE = ContentType.HANDSHAKE
TLS_13 = bytes.fromhex("0304")
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
CHANGE_CIPHER_SPEC = bytes.fromhex("140303000101")


def record(content_type: int, fragment: bytes) -> bytes:
    return Writer().uint8(content_type).uint16(0x0303).opaque(fragment, 2).finish()


def extensions(found: dict[int, bytes]) -> bytes:
    writer = Writer()
    for extension_type, data in found.items():
        writer.uint16(extension_type).opaque(data, 2)
    return Writer().opaque(writer.finish(), 2).finish()


def server_hello(
    found: dict[int, bytes],
    random: bytes = bytes(32),
    session_id: bytes = b"",
    suite: int = 0x1301,
    compression: int = 0,
    legacy_version: int = 0x0303,
) -> bytes:
    writer = Writer().uint16(legacy_version).write(random).opaque(session_id, 1).uint16(suite).uint8(compression)
    return write_handshake(HandshakeType.SERVER_HELLO, writer.write(extensions(found)).finish())


class ScriptedServer:
    """Each message method adds to the transcript and returns the message; `send` protects and delivers."""

    def __init__(self, tls_client: TlsClient | None = None) -> None:
        self.client = client() if tls_client is None else tls_client
        self.transcript = Transcript()
        self.schedule = KeySchedule()
        self.write: RecordProtection | None = None
        run(self.client.start())
        self.read_hello()

    def read_hello(self) -> None:
        hello = self.client.data_to_send()[5:]
        self.transcript.add(hello)
        reader = Reader(hello[4:])
        reader.read(34)
        for length_bytes in (1, 2, 1):
            reader.opaque(length_bytes)
        self.offered: dict[int, bytes] = {}
        block = reader.vector(2)
        while block.remaining:
            extension_type = block.uint16()
            self.offered[extension_type] = block.opaque(2)
        share = Reader(self.offered[51][2:])
        self.group, self.client_share = NamedGroup(share.uint16()), share.opaque(2)

    def deliver(self, data: bytes) -> list[Event]:
        return run(self.client.receive_data(data))

    def fails(self, data: bytes) -> AlertDescription:
        """The alert that the client gives for `data`; it must also be on the wire."""
        *_, last = self.deliver(data)
        if not isinstance(last, ConnectionFailed):
            raise TypeError(f"{last} is not a failure")
        assert self.client.data_to_send(), "the client sends an alert"
        assert self.deliver(data) == [], "and listens no longer"
        return last.error.alert

    def hello(self, found: dict[int, bytes] | None = None, **fields: int | bytes) -> bytes:
        """ServerHello, after which both directions are protected."""
        key_share = run(PROVIDER.generate_key_share(self.group))
        share = Writer().uint16(self.group).opaque(key_share.public_key, 2).finish()
        message = server_hello({43: TLS_13, 51: share} if found is None else found, **fields)  # type: ignore[arg-type]
        self.transcript.add(message)
        self.schedule.enter_handshake(run(PROVIDER.agree(key_share, self.client_share)))
        self.client_secret = self.schedule.derive_secret(b"c hs traffic", self.transcript.digest())
        self.secret = self.schedule.derive_secret(b"s hs traffic", self.transcript.digest())
        self.write = run(RecordProtection.create(PROVIDER, self.secret))
        return record(HANDSHAKE, message)

    def retry(self, found: dict[int, bytes]) -> bytes:
        message = server_hello({43: TLS_13, **found}, random=RETRY_RANDOM)
        self.transcript.restart_for_retry()
        self.transcript.add(message)
        return record(HANDSHAKE, message)

    def message(self, msg_type: int, body: bytes) -> bytes:
        message = Writer().uint8(msg_type).opaque(body, 3).finish()
        self.transcript.add(message)
        return message

    def encrypted_extensions(self, found: dict[int, bytes] | None = None) -> bytes:
        return self.message(HandshakeType.ENCRYPTED_EXTENSIONS, extensions(found or {}))

    def certificate_request(self, schemes: bytes = bytes.fromhex("00020403"), context: bytes = b"") -> bytes:
        body = Writer().opaque(context, 1).write(extensions({13: schemes})).finish()
        return self.message(HandshakeType.CERTIFICATE_REQUEST, body)

    def certificate(self, *issued: Issued, found: dict[int, bytes] | None = None, context: bytes = b"") -> bytes:
        entries = Writer()
        for each in issued:
            entries.opaque(each.der, 3).write(extensions(found or {}))
        body = Writer().opaque(context, 1).opaque(entries.finish(), 3).finish()
        return self.message(HandshakeType.CERTIFICATE, body)

    def certificate_verify(self, signature: bytes, scheme: int = SignatureScheme.ECDSA_SECP256R1_SHA256) -> bytes:
        return self.message(HandshakeType.CERTIFICATE_VERIFY, Writer().uint16(scheme).opaque(signature, 2).finish())

    def content(self) -> bytes:
        return server_signed_content(self.transcript.digest())

    def finished(self) -> bytes:
        return self.message(HandshakeType.FINISHED, verify_data(self.secret, self.transcript.digest()))

    def protect(self, data: bytes, content_type: int = HANDSHAKE) -> bytes:
        if self.write is None:
            return record(content_type, data)
        return run(self.write.seal(content_type, data))

    def until_certificate_verify(self) -> ScriptedServer:
        """Deliver everything before CertificateVerify."""
        self.deliver(self.hello())
        self.deliver(self.protect(self.encrypted_extensions() + self.certificate_request() + self.certificate(SERVER)))
        return self

    def until_finished(self) -> ScriptedServer:
        """Deliver everything before Finished."""
        self.until_certificate_verify()
        self.deliver(self.protect(self.certificate_verify(sign(self.content()))))
        return self

    def connected(self) -> ScriptedServer:
        """Complete the handshake; the client's flight is ignored."""
        self.until_finished()
        self.deliver(self.protect(self.finished()))
        self.client.data_to_send()
        self.schedule.enter_application()
        secret = self.schedule.derive_secret(b"s ap traffic", self.transcript.digest())
        self.client_secret = self.schedule.derive_secret(b"c ap traffic", self.transcript.digest())
        self.write = run(RecordProtection.create(PycaProvider(), secret))
        return self


def sign(content: bytes) -> bytes:
    """The server's own ECDSA signature."""
    key = SERVER.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(content, ec.ECDSA(hashes.SHA256()))
