"""DTLS machines: a server that is fed datagrams, and both ends with somebody in between.

The server's randomness is the same in each run, so that a flight which OpenSSL once sent to it goes on being valid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property

from perc.crypto.key_log import KeyLog
from perc.crypto.provider import SigningKey
from perc.dtls import (
    AssociationClosed,
    AssociationFailed,
    DtlsClient,
    DtlsClientConfig,
    DtlsServer,
    DtlsServerConfig,
    Event,
    HandshakeCompleted,
    SrtpKeysExported,
)
from perc.dtls.association import Association
from perc.dtls.fragments import MAX_BUFFERED_MESSAGES, MAX_MESSAGE_LENGTH
from perc.dtls.record_layer import MAX_HELD_RECORDS
from perc.dtls.records import ContentType
from perc.ekt.ekt_key import EKTCipher, EktKey
from perc.x509.certificate import Certificate
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.dtls.insider import Insider
from tests.dtls.openssl import OpenSslPeer, make_context, make_identity
from tests.dtls.parties import AES_128, DOUBLE_128, accept_anyone
from tests.fuzz.target import Script, Target, pack
from tests.repeatable import RepeatableProvider

_NOW = datetime(2026, 6, 15, tzinfo=UTC)
_MAX_FLIGHT = 16
"""Datagrams that one datagram may bring about: a flight at the smallest MTU, an alert, an ACK."""


def _party(name: str) -> tuple[Certificate, SigningKey]:
    provider = RepeatableProvider(name)
    key = run(provider.generate_signing_key())
    return run(self_signed(provider, key, name, _NOW)), key


_SERVER, _CLIENT = _party("server"), _party("client")
_EKT_KEY = EktKey(bytes(16), bytes(12), 7, 300)


def _server(key_log: KeyLog | None = None) -> DtlsServer:
    config = DtlsServerConfig(*_SERVER, (DOUBLE_128, AES_128), ekt_ciphers=tuple(EKTCipher), key_log=key_log)
    return DtlsServer(RepeatableProvider("server's"), config, accept_anyone)


class _End:
    """An association that is watched: it ends once, keeps little and says little."""

    def __init__(self, association: Association) -> None:
        self.association = association
        self.connected = self.ended = False
        self.keys: SrtpKeysExported | None = None
        self.outgoing: list[bytes] = []

    def take(self, events: list[Event]) -> None:
        assert not (self.ended and events), "nothing happens after the end"
        for event in events:
            match event:
                case SrtpKeysExported():
                    self.keys = event
                case HandshakeCompleted():
                    self.connected = True
                case AssociationFailed() | AssociationClosed():
                    self.ended = True
        datagrams = self.association.datagrams_to_send()
        assert len(datagrams) <= _MAX_FLIGHT
        self.outgoing += datagrams
        held = self.association.held_messages
        assert len(held) <= MAX_BUFFERED_MESSAGES
        assert all(length <= MAX_MESSAGE_LENGTH for length in held)
        assert self.association.held_records <= MAX_HELD_RECORDS
        if self.ended:
            assert self.association.next_timeout() is None

    def receive(self, datagram: bytes, now: float) -> None:
        if not self.ended:
            self.take(run(self.association.receive_datagram(datagram, now)))

    def pass_time(self, now: float) -> None:
        if not self.ended:
            self.take(run(self.association.handle_timeout(now)))


def datagrams(data: bytes) -> None:
    """An empty datagram is a second in which nothing comes."""
    script, server, now = Script(data), _End(_server()), 0.0
    while not script.is_over:
        if datagram := script.part():
            server.receive(datagram, now)
        else:
            now += 1.0
            server.pass_time(now)


def recorded_flights() -> Iterable[bytes]:
    """What OpenSSL says to the server, cut into records and whole."""
    for profiles in (b"SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM"):
        server, client = _server(), OpenSslPeer(make_context(make_identity(), profiles))
        client.start_as_client()
        flights: list[list[bytes]] = []
        while flight := client.datagrams_to_send():
            flights.append(flight)
            for datagram in flight:
                run(server.receive_datagram(datagram, 0.0))
            for datagram in server.datagrams_to_send():
                client.receive_datagram(datagram)
        assert client.completed
        client.send(b"application data")
        flights.append(client.datagrams_to_send())
        yield pack(*(datagram for flight in flights for datagram in flight))
        yield pack(*(b"".join(flight) for flight in flights), b"", b"")


class _Between:
    """Somebody on the path, and in the client."""

    def __init__(self, script: Script) -> None:
        self._script = script
        client_config = DtlsClientConfig(*_CLIENT, (DOUBLE_128, AES_128), ekt_ciphers=tuple(EKTCipher))
        client = DtlsClient(RepeatableProvider("client's"), client_config, accept_anyone)
        self._key_log: list[str] = []
        self.ends = (_End(client), _End(_server(self._key_log.append)))
        self._seen: list[tuple[int, bytes]] = []
        self._now = 0.0
        self.ends[0].take(run(client.start(self._now)))

    def step(self) -> None:
        script, action = self._script, self._script.number() % 9
        match action:
            case 0 | 1:
                self._carry(action, lambda datagram: [datagram])
            case 2 | 3:
                self._carry(action - 2, lambda datagram: [script.damaged(datagram), datagram])
            case 4:
                self._carry(script.number() % 2, lambda _: [])
            case 5 if self._seen:
                receiver, datagram = self._seen[script.number() % len(self._seen)]
                self.ends[receiver].receive(datagram, self._now)
            case 6:
                self._now += script.number() / 8
                for end in self.ends:
                    end.pass_time(self._now)
            case 7:
                self._speak(script.number() % 2, script.number() % 3, script.part())
            case 8:
                self._give_key(script.number())

    def _carry(self, sender: int, treat) -> None:
        if not self.ends[sender].outgoing:
            return
        datagram = self.ends[sender].outgoing.pop(0)
        self._seen.append((1 - sender, datagram))
        for each in treat(datagram):
            self.ends[1 - sender].receive(each, self._now)

    def _speak(self, sender: int, kind: int, content: bytes) -> None:
        """A protected record with anything in it, as its owner may make it."""
        end, content_type = self.ends[sender], (ContentType.APPLICATION_DATA, ContentType.HANDSHAKE, ContentType.ALERT)
        if end.connected and not end.ended and len(content) <= 1000:
            side = (self._insider.client, self._insider.server)[sender]
            self.ends[1 - sender].receive(side.seal(content_type[kind], content), self._now)

    @cached_property
    def _insider(self) -> Insider:
        return Insider(self._key_log, (datagram for _, datagram in self._seen))

    def _give_key(self, spi: int) -> None:
        server = self.ends[1]
        if server.connected and not server.ended:
            key = EktKey(_EKT_KEY.key, _EKT_KEY.salt, spi, _EKT_KEY.ttl)
            run(server.association.send_ekt_key(key, self._now))  # type: ignore[attr-defined]
            server.take([])


def pair(data: bytes) -> None:
    script = Script(data)
    between = _Between(script)
    while not script.is_over:
        between.step()
    if all(end.connected for end in between.ends):
        assert between.ends[0].keys == between.ends[1].keys


def pair_seeds() -> Iterable[bytes]:
    handshake = bytes([0, 0]) + bytes([1] * 4) + bytes([0] * 6) + bytes([1] * 2)
    yield handshake
    yield handshake + b"\x08\x09" + b"\x01\x01\x00\x00" + b"\x07\x00\x00" + pack(b"hello") + b"\x06\xff"
    yield handshake + b"\x07\x00\x01" + pack(b"\x1a\x00\x00\x02\x00\x05\x00\x00\x00\x00\x00\x02ab")
    yield handshake + b"\x07\x00\x02" + pack(b"\x01\x00")
    yield b"\x04\x00\x06\x10\x00" + handshake


TARGETS = (Target("dtls-server", datagrams, recorded_flights), Target("dtls-pair", pair, pair_seeds))
