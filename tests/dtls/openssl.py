"""OpenSSL as the other side of a DTLS 1.2 association, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

DTLS_1_2 = 0xFEFD
OP_NO_EXTENDED_MASTER_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET, which pyOpenSSL does not name


@dataclass(frozen=True)
class Identity:
    """A self-signed certificate with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def make_identity(curve: ec.EllipticCurve | None = None) -> Identity:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
    now = datetime.now(tz=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    return Identity(key, builder.sign(key, hashes.SHA256()))


def make_context(
    identity: Identity | None,
    profiles: bytes | None = b"SRTP_AEAD_AES_128_GCM",
    ciphers: bytes = b"ECDHE-ECDSA-AES128-GCM-SHA256",
) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(DTLS_1_2)
    context.set_max_proto_version(DTLS_1_2)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_cipher_list(ciphers)
    if identity is not None:
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
    if profiles is not None:
        context.set_tlsext_use_srtp(profiles)
    return context


class OpenSslPeer:
    """An SSL.Connection behind the same verbs as our own machines; time is OpenSSL's own."""

    def __init__(self, context: SSL.Context, mtu: int = 1200) -> None:
        self.connection = SSL.Connection(context, None)
        self.connection.set_ciphertext_mtu(mtu)
        self.completed = False
        self.closed = False
        self.error: SSL.Error | None = None
        self.received: list[bytes] = []

    def start_as_client(self) -> None:
        self.connection.set_connect_state()
        self._advance()

    def start_as_server(self) -> None:
        self.connection.set_accept_state()

    def receive_datagram(self, data: bytes) -> None:
        self.connection.bio_write(data)
        self._advance()

    def datagrams_to_send(self) -> list[bytes]:
        """Each record as a datagram of its own: memory BIOs do not keep the boundaries."""
        octets = b""
        try:
            while True:
                octets += self.connection.bio_read(65536)
        except SSL.WantReadError:
            pass
        datagrams = []
        while octets:
            length = 13 + int.from_bytes(octets[11:13], "big")
            datagrams.append(octets[:length])
            octets = octets[length:]
        return datagrams

    def send(self, data: bytes) -> None:
        self.connection.send(data)

    def shutdown(self) -> None:
        self.connection.shutdown()

    def export(self, length: int) -> bytes:
        return self.connection.export_keying_material(b"EXTRACTOR-dtls_srtp", length)

    def _advance(self) -> None:
        try:
            if not self.completed:
                self.connection.do_handshake()
                self.completed = True
            while True:
                self.received.append(self.connection.recv(65536))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error as error:
            self.error = error
