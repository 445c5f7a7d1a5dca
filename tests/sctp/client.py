"""A data channel's opening side, packet by packet: what a story about the responder needs to say."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from perc.sctp.chunks import ChunkType, Data, Init, ParameterType, Sack
from perc.sctp.events import AssociationEstablished, Event
from perc.sctp.packet import Chunk, Parameter, Ports, SctpPacket
from perc.sctp.responder import SctpResponder

PORTS = Ports(5000, 5000)
TAG = 0x0A0B0C0D
TSN = 0xFFFFFFFE
WINDOW = 5 * 1024 * 1024
CHROMIUM_INIT = Init(
    TAG,
    WINDOW,
    65535,
    65535,
    TSN,
    (Parameter(0xC000, b""), Parameter(0x8008, b"\x82\xc0"), Parameter(0x8001, b"\0\0\0\1")),
)
"""Chromium's INIT: partial reliability, RE-CONFIG and FORWARD-TSN, zero checksums offered."""


def counting_random() -> Callable[[int], bytes]:
    """Randomness that counts: different each time and the same in each run."""
    counter = itertools.count(1)
    return lambda length: next(counter).to_bytes(length, "big")


def packet(*chunks: Chunk, tag: int, ports: Ports = PORTS) -> bytes:
    """One packet's octets."""
    return SctpPacket(ports, tag, chunks).write()


class Client:
    """Talks to `responder` and keeps what it answered."""

    def __init__(self, responder: SctpResponder | None = None, init: Init = CHROMIUM_INIT) -> None:
        self.responder = responder or SctpResponder(counting_random())
        self.init = init
        self.peer_tag = 0
        self.answers: list[SctpPacket] = []
        self.next_tsn = init.initial_tsn

    def give(self, *chunks: Chunk, tag: int | None = None, now: float = 0.0) -> list[Event]:
        """The events of one packet; `answers` holds what came back for it."""
        data = packet(*chunks, tag=self.peer_tag if tag is None else tag)
        events = self.responder.receive_datagram(data, now)
        self.collect()
        return events

    def collect(self) -> list[Chunk]:
        """The chunks that the responder has to send now."""
        self.answers = [SctpPacket.read(data) for data in self.responder.datagrams_to_send()]
        return self.chunks

    @property
    def chunks(self) -> list[Chunk]:
        """All chunks of the last answer."""
        return [chunk for answer in self.answers for chunk in answer.chunks]

    @property
    def data(self) -> list[Data]:
        """The DATA chunks of the last answer."""
        return [Data.read(chunk) for chunk in self.chunks if chunk.type == ChunkType.DATA]

    @property
    def sack(self) -> Sack:
        """The last SACK of the last answer."""
        return [Sack.read(chunk.value) for chunk in self.chunks if chunk.type == ChunkType.SACK][-1]

    def request(self, now: float = 0.0) -> Init:
        """Send INIT and return the INIT ACK, in a story where the responder has no reason to send anything else."""
        _, init_ack = self.initiate(now)
        assert init_ack is not None, [chunk.type for chunk in self.chunks]
        return init_ack

    def initiate(self, now: float = 0.0) -> tuple[list[Event], Init | None]:
        """Send INIT, in any state; return the events and the INIT ACK, or None where SHUTDOWN ACK is the answer.

        "If an endpoint is in the SHUTDOWN-ACK-SENT state and receives an INIT chunk (e.g., if the SHUTDOWN COMPLETE
        chunk was lost) […], it SHOULD discard the INIT chunk and retransmit the SHUTDOWN ACK chunk" (RFC 9260, Section
        9.2). Every other state answers with INIT ACK.
        """
        events = self.give(self.init.write(ChunkType.INIT), tag=0, now=now)
        (chunk,) = self.chunks
        if chunk.type == ChunkType.SHUTDOWN_ACK:
            return events, None
        assert chunk.type == ChunkType.INIT_ACK
        return events, Init.read(chunk.value)

    def echo(self, init_ack: Init, now: float = 0.0) -> list[Event]:
        """Send the cookie back."""
        cookie = next(p.value for p in init_ack.parameters if p.type == ParameterType.STATE_COOKIE)
        return self.give(Chunk(ChunkType.COOKIE_ECHO, 0, cookie), tag=init_ack.initiate_tag, now=now)

    def establish(self, now: float = 0.0) -> Client:
        """The whole handshake."""
        init_ack = self.request(now)
        self.peer_tag = init_ack.initiate_tag
        assert self.echo(init_ack, now) == [AssociationEstablished()]
        assert [chunk.type for chunk in self.chunks] == [ChunkType.COOKIE_ACK]
        return self

    def message(self, data: bytes, ssn: int = 0, **fields: object) -> Chunk:
        """The next DATA chunk, a whole message unless `fields` say otherwise."""
        tsn, self.next_tsn = self.next_tsn, (self.next_tsn + 1) % 2**32
        return Data(tsn, 0, ssn, 53, data, **fields).write()  # type: ignore[arg-type]

    def acknowledge(self, cumulative_tsn: int, window: int = WINDOW, now: float = 0.0, **fields: object) -> list[Event]:
        """Send a SACK."""
        return self.give(Sack(cumulative_tsn, window, **fields).write(), now=now)  # type: ignore[arg-type]
