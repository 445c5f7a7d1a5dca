"""The tunnel's TLS 1.3 server on memory BIOs: it accepts exactly the client certificates that were announced.

A Key Distributor's certificate is self-signed and new for each conference, so its fingerprint is all there is to check.
Python's `ssl` cannot accept such a certificate; pyOpenSSL's verify callback can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL.crypto import X509

from perc.errors import PeerError
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.key_log import KeyLog

MAXIMUM_CHUNK = 65_536
"""Octets moved between OpenSSL and its caller at a time."""

Announced = Callable[[Fingerprint], bool]
"""Whether a certificate with this fingerprint is expected."""


class TlsFailed(PeerError):
    """The connection failed or was refused; OpenSSL has queued the alert, if there is one to send."""


def server_context(certificate: Path, is_announced: Announced, key_log: KeyLog | None = None) -> SSL.Context:
    """TLS 1.3 only, a client certificate required, no resumption: every tunnel shows its certificate anew."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))

    if key_log is not None:
        context.set_keylog_callback(key_log.write)

    def verify(_connection: SSL.Connection, presented: X509, _error: int, depth: int, _ok: int) -> bool:
        # Called for each complaint about the chain, and for each certificate without one. Who issued a Key
        # Distributor's certificate proves nothing; only the certificate itself counts.
        der = presented.to_cryptography().public_bytes(Encoding.DER)
        return depth > 0 or is_announced(Fingerprint.of(der))

    # "A tunnel MUST be a mutually authenticated TLS connection" (RFC 9185, Section 5.2).
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
    return context


class TlsServer:
    """One connection."""

    def __init__(self, context: SSL.Context) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._is_established = False
        self.is_closed = False
        """Whether the other side closed the connection in order."""

    @property
    def client(self) -> Fingerprint | None:
        """The fingerprint of the client's certificate, once the handshake is complete."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True) if self._is_established else None
        return None if certificate is None else Fingerprint.of(certificate.public_bytes(Encoding.DER))

    def receive_data(self, data: bytes) -> bytes:
        """The plaintext in `data`; raises `TlsFailed`, after which only `data_to_send` is of use."""
        self._connection.bio_write(data)
        plaintext = bytearray()
        try:
            if not self._is_established:
                self._connection.do_handshake()
                self._is_established = True
            while True:
                plaintext += self._connection.recv(MAXIMUM_CHUNK)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.is_closed = True
        except SSL.Error as error:
            raise TlsFailed(_reason(error)) from error
        return bytes(plaintext)

    def data_to_send(self) -> bytes:
        """What is to be written to the TCP connection now."""
        data = bytearray()
        while True:
            try:
                data += self._connection.bio_read(MAXIMUM_CHUNK)
            except SSL.WantReadError:
                return bytes(data)

    def send(self, plaintext: bytes) -> None:
        """Encrypt; the handshake is complete."""
        if plaintext:
            self._connection.sendall(plaintext)

    def close(self) -> None:
        """Queue close_notify, where there is a connection to close."""
        if self._is_established:
            with contextlib.suppress(SSL.Error):  # one that has failed has sent its alert instead
                self._connection.shutdown()


def _reason(error: SSL.Error) -> str:
    queue = error.args[0] if error.args else []
    return ", ".join(entry[-1] for entry in queue) if isinstance(queue, list) and queue else type(error).__name__
