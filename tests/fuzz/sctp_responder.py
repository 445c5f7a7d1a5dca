"""The SCTP responder, against a peer whose tags and checksums are right and who otherwise does anything."""

from __future__ import annotations

from collections.abc import Iterable

from perc.sctp.association import MAX_CONTROL_CHUNKS
from perc.sctp.chunks import ChunkType, Data, Init, Sack
from perc.sctp.events import AssociationAborted, AssociationEstablished, Event, MessageReceived
from perc.sctp.inbound import MAX_TSNS_AHEAD, RECEIVE_WINDOW
from perc.sctp.packet import MAX_PACKET_LENGTH, Chunk, SctpPacket
from perc.sctp.reassembly import FRAGMENT_COST, MAX_MESSAGE_LENGTH
from perc.sctp.responder import MAX_QUEUED, SctpResponder
from perc.sctp.tsn import tsn_add, tsn_distance
from tests.fuzz.sctp import with_checksum
from tests.fuzz.target import Script, Target, pack
from tests.repeatable import RepeatableProvider
from tests.sctp.client import CHROMIUM_INIT, PORTS, Client

_MAX_WAITS = 64
"""Timeouts until a silent peer is given up: eleven of each timer."""


class _Peer:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._now = 0.0
        self._client = Client(SctpResponder(RepeatableProvider().random_bytes))
        self._open = False
        self._acknowledged_tsn = self._highest_tsn = 0
        """Of the responder's DATA: what was acknowledged last, and the highest that has come."""

    @property
    def responder(self) -> SctpResponder:
        return self._client.responder

    def step(self) -> None:
        script = self._script
        match script.number() % 7:
            case 0:
                self._open_association()
            case 1:
                self._give(Chunk(script.number(), script.number(), script.part()))
            case 2:
                self._take(self.responder.receive_datagram(with_checksum(script.part()), self._now))
            case 3:
                self._now += script.number() / 16
                self._take(self.responder.handle_timeout(self._now))
            case 4:
                length = script.number(2)
                if length:
                    self.responder.send(0, 53, bytes(length), self._now)
                    self._take([])
            case 5:
                self._give(self._data())
            case _:
                self._give(self._sack())

    def _open_association(self) -> None:
        if self._script.number() % 2 or not self._open:
            self._initiate()  # the answer to the first is lost
            init_ack = self._initiate()
            if init_ack is not None:
                self._client.peer_tag = init_ack.initiate_tag
                self._acknowledged_tsn = self._highest_tsn = tsn_add(init_ack.initial_tsn, -1)
                self._take(self._client.echo(init_ack, self._now))

    def _initiate(self) -> Init | None:
        events, init_ack = self._client.initiate(self._now)
        self._take(events)
        assert init_ack is not None or self._open, "a responder that has no association answers with INIT ACK"
        return init_ack

    def _data(self) -> Chunk:
        script = self._script
        tsn = (CHROMIUM_INIT.initial_tsn + script.number()) % 2**32
        fields = script.number()
        flags = dict(zip(("beginning", "ending", "unordered"), (fields & 1, fields & 2, fields & 4), strict=True))
        given = {name: bool(value) for name, value in flags.items()}
        return Data(tsn, fields >> 7, script.number(), 53, script.part() or b"x", **given).write()

    def _sack(self) -> Chunk:
        script = self._script
        first, length = script.number(), script.number()
        gaps = ((first + 1, first + 1 + length),) if length else ()
        cumulative = (self._acknowledged_tsn + script.number()) % 2**32
        if tsn_distance(self._highest_tsn, cumulative) >= 0:
            self._acknowledged_tsn = cumulative
        return Sack(cumulative, script.number(2), gaps).write()

    def _give(self, chunk: Chunk) -> None:
        packet = SctpPacket(PORTS, self._client.peer_tag, (chunk,)).write()
        self._take(self.responder.receive_datagram(packet, self._now))

    def _take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case AssociationEstablished():
                    self._open = True
                case AssociationAborted():
                    assert self._open, "what never was cannot end"
                    self._open = False
                case MessageReceived(_, _, data):
                    assert self._open
                    assert len(data) <= MAX_MESSAGE_LENGTH
        for datagram in self.responder.datagrams_to_send():
            assert len(datagram) <= MAX_PACKET_LENGTH
            for chunk in SctpPacket.read(datagram).chunks:
                if chunk.type == ChunkType.DATA:
                    self._highest_tsn = max(self._highest_tsn, Data.read(chunk).tsn, key=self._distance)
        self._check_bounds()

    def _distance(self, tsn: int) -> int:
        return tsn_distance(tsn, self._acknowledged_tsn)

    def _check_bounds(self) -> None:
        load = self.responder.load
        if load is None:
            return
        assert load.octets_held <= RECEIVE_WINDOW + FRAGMENT_COST
        assert load.tsns_ahead <= MAX_TSNS_AHEAD
        assert load.octets_unacknowledged <= MAX_QUEUED
        assert load.control_chunks <= MAX_CONTROL_CHUNKS

    def fall_silent(self) -> None:
        """Whatever waits for an answer that does not come ends after a while."""
        for _ in range(_MAX_WAITS):
            due = self.responder.next_timeout()
            if due is None:
                return
            self._now = max(self._now, due)
            self._take(self.responder.handle_timeout(self._now))
        raise AssertionError("it waits for ever")


def responder(data: bytes) -> None:
    script = Script(data)
    peer = _Peer(script)
    while not script.is_over:
        peer.step()
    peer.fall_silent()


def seeds() -> Iterable[bytes]:
    established = b"\x00\x00"
    message = b"\x05\x00\x03\x00" + pack(b"announce")
    yield established + message + b"\x04\x10\x00" + b"\x06\x00\x00\x01\xff\xff"
    yield established + b"\x05\x01\x02\x00" + pack(b"second half") + b"\x05\x00\x01\x00" + pack(b"first half")
    yield established + b"\x04\xff\xff" + b"\x06\x02\x03\x01\xff\xff" * 4 + b"\x03\xff" * 4
    yield established + b"\x01\x07\x00" + pack(bytes(4)) + b"\x04\x00\x10\x01\x0e\x00\x00\x00"
    yield established + b"\x01\x82\x00" + pack(b"\x00\x0d\x00\x10" + bytes(12)) + b"\x01\x04\x00" + pack(b"beat")
    yield established + b"\x00\x01" + b"\x02" + pack(SctpPacket(PORTS, 0, (Chunk(ChunkType.ABORT, 1, b""),)).write())
    yield b"\x02" + pack(SctpPacket(PORTS, 0, (CHROMIUM_INIT.write(ChunkType.INIT),)).write())


TARGETS = (Target("sctp-responder", responder, seeds),)
