"""OpenSSL as the server of a TlsClient: both ends in one thread, on memory BIOs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from perc.crypto.key_log import KeyLog
from perc.crypto.pyca import PycaProvider
from perc.errors import AlertDescription
from perc.tls.client import TlsClient
from perc.tls.config import ConnectionFailed, Event, TlsClientConfig
from perc.x509.path import TrustAnchors
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.x509.authority import NOW, Authority, Issued

PROVIDER = PycaProvider()
ROOT = Authority.root("Test Root")
SERVER = ROOT.issue_server("md.example")
CLIENT_KEY = run(PROVIDER.generate_signing_key())
CLIENT_CERTIFICATE = run(self_signed(PROVIDER, CLIENT_KEY, "perc", NOW))


def anchors(*authorities: Authority) -> TrustAnchors:
    return TrustAnchors([authority.der for authority in authorities])


def client(
    server_name: str = "md.example",
    trust: TrustAnchors | None = None,
    now: datetime = NOW,
    key_log: KeyLog | None = None,
) -> TlsClient:
    trust = anchors(ROOT) if trust is None else trust
    return TlsClient(PROVIDER, TlsClientConfig(server_name, trust, CLIENT_CERTIFICATE, CLIENT_KEY, now, key_log))


def server_context(server: Issued = SERVER, chain: tuple[Issued, ...] = ()) -> SSL.Context:
    """TLS 1.3, a client certificate required and any accepted, as a Media Distributor does it."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_privatekey(server.private_key)
    context.use_certificate(server.certificate)
    for extra in chain:
        context.add_extra_chain_cert(extra.certificate)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    return context


@dataclass
class Story:
    """A TlsClient and an OpenSSL server; `run` moves bytes until both have nothing more to say."""

    client: TlsClient = field(default_factory=client)
    context: SSL.Context = field(default_factory=server_context)
    portion: int = 1 << 20
    tamper: Callable[[bytes], bytes] = lambda data: data
    events: list[Event] = field(default_factory=list)
    received: bytes = b""
    client_flights: int = 0
    error: SSL.Error | None = None

    def __post_init__(self) -> None:
        self.server = SSL.Connection(self.context, None)
        self.server.set_accept_state()
        run(self.client.start())
        self.run()

    def run(self) -> Story:
        while to_server := self.client.data_to_send():
            self.client_flights += 1
            self.server.bio_write(to_server)
            self._step_server()
            self.deliver(self.tamper(self.server_output()))
        return self

    def serve(self) -> Story:
        """What the server wrote on its own, and what follows."""
        self.deliver(self.server_output())
        return self.run()

    def deliver(self, data: bytes) -> None:
        for start in range(0, len(data), self.portion):
            self.events += run(self.client.receive_data(data[start : start + self.portion]))

    def server_output(self) -> bytes:
        output = b""
        try:
            while True:
                output += self.server.bio_read(1 << 16)
        except SSL.WantReadError:
            return output

    def _step_server(self) -> None:
        try:
            if self.server.get_state_string().startswith(b"SSL negotiation finished"):
                while True:
                    self.received += self.server.recv(1 << 16)
            else:
                self.server.do_handshake()
                self._step_server()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.error = error

    def failure(self) -> AlertDescription:
        """The alert with which the connection failed on the client's side."""
        *_, alert = [event.error.alert for event in self.events if isinstance(event, ConnectionFailed)]
        return alert

    def client_certificate(self) -> bytes:
        certificate = self.server.get_peer_certificate(as_cryptography=True)
        return b"" if certificate is None else certificate.public_bytes(Encoding.DER)
