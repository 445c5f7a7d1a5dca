"""DTLS 1.2 server handshakes: ours beside OpenSSL's, each against the same OpenSSL clients.

The work is the same: ECDHE on x25519 (the first choice of both sides), ECDSA on P-256, AES-128-GCM, extended master
secret, a self-signed certificate of some 300 octets each way, the SRTP keys exported; one process, all in memory.

Only the server's own CPU time counts. Handshakes go forward in step, as when a conference begins: each server does its
part of all of them before the clients do theirs, so that neither runs in the other's caches. A client's flight is one
datagram, as OpenSSL and BoringSSL send it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from OpenSSL import SSL

from perc.dtls import DtlsServer, DtlsServerConfig
from tests.bench.report import Measurement
from tests.driving import run
from tests.dtls.openssl import OpenSslPeer, make_context, make_identity
from tests.dtls.parties import AES_128, KEY_DISTRIBUTOR, PROVIDER, accept_anyone

AT_ONCE = 50
ROUNDS = 150
EXPORTED_LENGTH = 2 * (AES_128.key_length + AES_128.salt_length)
MAX_FLIGHT_LENGTH = 4096


class Server(Protocol):
    """A server's part of one handshake: a client's flight in, its own flight out."""

    completed: bool

    def answer(self, flight: bytes) -> bytes: ...


class OurServer:
    _config = DtlsServerConfig(KEY_DISTRIBUTOR.certificate, KEY_DISTRIBUTOR.key, (AES_128,))

    def __init__(self) -> None:
        self._server = DtlsServer(PROVIDER, self._config, accept_anyone)
        self.completed = False

    def answer(self, flight: bytes) -> bytes:
        self.completed = bool(run(self._server.receive_datagram(flight, 0.0)))
        return b"".join(self._server.datagrams_to_send())


class OpenSslServer:
    """With no more Python around it than it takes."""

    _context = make_context(make_identity())

    def __init__(self) -> None:
        self._connection = SSL.Connection(self._context, None)
        self._connection.set_ciphertext_mtu(1200)
        self._connection.set_accept_state()
        self.completed = False

    def answer(self, flight: bytes) -> bytes:
        self._connection.bio_write(flight)
        try:
            self._connection.do_handshake()
            self.completed = bool(self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", EXPORTED_LENGTH))
        except SSL.WantReadError:
            pass
        return self._connection.bio_read(MAX_FLIGHT_LENGTH)


class Client(OpenSslPeer):
    """Knows its flights, which memory BIOs do not bound."""

    _context = make_context(make_identity())

    def __init__(self) -> None:
        super().__init__(self._context)
        self.start_as_client()

    def flight(self) -> bytes:
        return b"".join(self.datagrams_to_send())

    def receive(self, flight: bytes) -> None:
        self.receive_datagram(flight)


def seconds_per_handshake(make: Callable[[], Server]) -> float:
    """CPU time of one server handshake, when `AT_ONCE` go forward together."""
    clients = [Client() for _ in range(AT_ONCE)]
    started = time.process_time()
    servers = [make() for _ in clients]
    spent = time.process_time() - started
    while not all(client.completed for client in clients):
        flights = [client.flight() for client in clients]
        started = time.process_time()
        answers = [server.answer(flight) for server, flight in zip(servers, flights, strict=True)]
        spent += time.process_time() - started
        for client, answer in zip(clients, answers, strict=True):
            client.receive(answer)
    if not all(server.completed for server in servers):
        raise RuntimeError("a handshake did not come to its end")
    return spent / AT_ONCE


def measure() -> list[Measurement]:
    """The quickest of rounds that alternate: whatever else the machine does can only add to them."""
    seconds_per_handshake(OurServer), seconds_per_handshake(OpenSslServer)  # warm up
    rounds = [(seconds_per_handshake(OurServer), seconds_per_handshake(OpenSslServer)) for _ in range(ROUNDS)]
    ours, openssl = (min(times) for times in zip(*rounds, strict=True))
    return [
        Measurement("DTLS server handshakes, this project on CPython", 1 / ours, "/s/core"),
        Measurement("DTLS server handshakes, OpenSSL", 1 / openssl, "/s/core"),
        Measurement("ratio of the two", openssl / ours, "", "≥ 0.6"),
    ]
