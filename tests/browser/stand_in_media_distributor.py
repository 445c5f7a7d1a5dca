"""A Media Distributor's tunnel port on OpenSSL: takes any client certificate and says SupportedProfiles."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from OpenSSL import SSL

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import Message, SupportedProfiles, write_message
from perc.tunnel.stream import MessageReader

GREETING = write_message(
    SupportedProfiles((SRTPProtectionProfile.AEAD_AES_256_GCM, SRTPProtectionProfile.AEAD_AES_128_GCM))
)


class StandInMediaDistributor:
    """One connection after the other, in a thread; a context manager.

    `greeting` makes what is said first, of the Key Distributor's fingerprint as `AB:CD:…`; `answer` makes what is said
    to each of its messages. `keys` is OpenSSL's key log.
    """

    def __init__(
        self,
        certificate: Path,
        greeting: Callable[[str], bytes] = lambda _: GREETING,
        answer: Callable[[Message], Iterable[Message]] = lambda _: (),
    ) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.use_certificate_chain_file(str(certificate))
        self._context.use_privatekey_file(str(certificate))
        self._context.set_keylog_callback(lambda _, line: self.keys.append(line.decode()))
        # The verify callback accepts a self-signed certificate, as RFC 9185 wants it compared by fingerprint.
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self._greeting = greeting
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connected: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="stand-in Media Distributor", daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.fingerprints: list[str] = []
        self.keys: list[str] = []
        self.versions: list[str] = []
        self.received: list[Message] = []
        self.ending = ""
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for end in (self._listener, self._connected):
            if end is not None:
                with contextlib.suppress(OSError):  # it ended by itself
                    end.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                self._connected, _ = self._listener.accept()
            except OSError:
                return  # shut down by __exit__
            # Or small messages wait for the acknowledgement of those before (40 ms).
            self._connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._connected:
                self._talk(SSL.Connection(self._context, self._connected))
            self.ended.set()

    def _talk(self, connection: SSL.Connection) -> None:
        connection.set_accept_state()
        try:
            connection.do_handshake()
            certificate = connection.get_peer_certificate()
            assert certificate is not None
            self.fingerprints.append(certificate.digest("sha256").decode())
            self.versions.append(connection.get_protocol_version_name())
            connection.sendall(self._greeting(self.fingerprints[-1]))
            reader = MessageReader()
            while True:
                reader.receive_data(connection.recv(1 << 16))
                self._take(reader, connection)
        except SSL.Error as error:
            self.ending = type(error).__name__  # ZeroReturnError is close_notify

    def _take(self, reader: MessageReader, connection: SSL.Connection) -> None:
        while (message := reader.next_message()) is not None:
            self.received.append(message)
            for said in self._answer(message):
                connection.sendall(write_message(said))
