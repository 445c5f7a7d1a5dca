"""An established association: DATA, SACK, HEARTBEAT and the peer's SHUTDOWN (RFC 9260, Sections 6, 8.3 and 9.2).

                         ESTABLISHED
                              |
                              | receive SHUTDOWN
                              v
                      SHUTDOWN-RECEIVED      what is outstanding is still sent
                              |
                              | no outstanding chunks
                              | send SHUTDOWN ACK, start T2-shutdown
                              v
                      SHUTDOWN-ACK-SENT
                              |
                              | receive SHUTDOWN COMPLETE
                              v
                           CLOSED

The other half of that diagram belongs to an endpoint that shuts down by itself; the Key Distributor ends with ABORT or
with the DTLS association.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from perc.errors import DecodeError
from perc.sctp.chunks import ChunkType, Data, ErrorCause, Sack, error_chunk
from perc.sctp.cookie import StateCookie
from perc.sctp.inbound import Inbound, Message
from perc.sctp.outbound import DATA_CHUNK_OVERHEAD, STREAM_ID, Outbound
from perc.sctp.packet import COMMON_HEADER_LENGTH, MAX_PACKET_LENGTH, Chunk, SctpPacket
from perc.sctp.reconfig import answer_re_config
from perc.sctp.retransmission import RetransmissionTimer
from perc.wire import Reader, Writer

MAX_CONTROL_CHUNKS = 16
"""Answers that wait to be sent: what a peer asks beyond that goes unanswered, as if it had been lost."""
_ROOM = MAX_PACKET_LENGTH - COMMON_HEADER_LENGTH


class State(Enum):
    """States of RFC 9260, Section 4, that a responder passes with an association."""

    ESTABLISHED = "established"
    SHUTDOWN_RECEIVED = "shutdown received"
    SHUTDOWN_ACK_SENT = "shutdown ack sent"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Load:
    """What an association keeps in memory; each number has a bound that no peer can exceed."""

    octets_held: int
    """Of messages that are incomplete or not due: at most the receive window and one fragment's cost."""
    tsns_ahead: int
    """TSNs that arrived beyond a gap: at most `MAX_TSNS_AHEAD`."""
    octets_unacknowledged: int
    """Of messages to the peer, sent or not: at most `MAX_QUEUED`."""
    control_chunks: int
    """Answers that wait to be sent: at most `MAX_CONTROL_CHUNKS`."""


class Association:
    """One association, from the cookie on. `DecodeError` from any method is a violation that ends it with ABORT."""

    def __init__(self, cookie: StateCookie) -> None:
        self.cookie = cookie
        self.state = State.ESTABLISHED
        self.outbound = Outbound(cookie.own_tsn, cookie.peer_window)
        self._inbound = Inbound(cookie.peer_tsn)
        self._shutdown_timer = RetransmissionTimer()
        self._control: list[Chunk] = [Chunk(ChunkType.COOKIE_ACK, 0, b"")]
        self._sack_due = False

    def send_control(self, chunk: Chunk) -> None:
        """Queue a chunk to go out before any DATA, unless it fits no packet: an echo of something large."""
        if len(self._control) < MAX_CONTROL_CHUNKS and len(chunk.write()) <= _ROOM:
            self._control.append(chunk)

    def receive(self, chunk: Chunk, now: float) -> list[Message]:
        """Take in one chunk of a packet whose verification tag is right; the messages that it completes."""
        match chunk.type:
            case ChunkType.DATA:
                return self._receive_data(Data.read(chunk))
            case ChunkType.SACK:
                self.outbound.acknowledge(Sack.read(chunk.value), now)
            case ChunkType.HEARTBEAT:
                self.send_control(Chunk(ChunkType.HEARTBEAT_ACK, 0, chunk.value))
            case ChunkType.SHUTDOWN:
                self._receive_shutdown(chunk.value, now)
            case ChunkType.SHUTDOWN_COMPLETE if self.state is State.SHUTDOWN_ACK_SENT:
                self.state = State.CLOSED
            case ChunkType.RE_CONFIG:
                for answer in answer_re_config(chunk.value):
                    self.send_control(answer)
        return []

    def packets(self, now: float) -> list[bytes]:
        """All packets that may go out now: control chunks, then a SACK, then DATA."""
        if self.state is State.SHUTDOWN_RECEIVED and not self.outbound.pending:
            self.state = State.SHUTDOWN_ACK_SENT
            self.send_shutdown_ack(now)
        packets = []
        while chunks := self._next_chunks(now):
            packets.append(SctpPacket(self.cookie.ports.reversed(), self.cookie.peer_tag, tuple(chunks)).write())
        return packets

    @property
    def load(self) -> Load:
        """What is kept now."""
        inbound = self._inbound
        return Load(inbound.octets_held, inbound.tsns_ahead, self.outbound.pending, len(self._control))

    @property
    def unreachable(self) -> bool:
        """Whether the peer has not answered for too long (Section 8.1)."""
        return self.outbound.timer.exhausted or self._shutdown_timer.exhausted

    def next_timeout(self) -> float | None:
        """When T3-rtx or T2-shutdown is due."""
        due = [timer.due_at for timer in (self.outbound.timer, self._shutdown_timer) if timer.due_at is not None]
        return min(due, default=None)

    def handle_timeout(self, now: float) -> None:
        """Act on the timers that ran out."""
        if _is_due(self.outbound.timer, now):
            self.outbound.handle_expiry()
        if _is_due(self._shutdown_timer, now):
            self._shutdown_timer.expire()
            self.send_shutdown_ack(now)

    def _receive_data(self, data: Data) -> list[Message]:
        if not data.fragment:
            raise DecodeError("a DATA chunk without user data")
        if self.state is not State.ESTABLISHED:
            return []  # The peer said that nothing more would come.
        self._sack_due = True
        if data.stream_id != STREAM_ID:
            # "[…] acknowledge the reception of the DATA chunk following the normal procedure and immediately send an
            # ERROR chunk with cause set to 'Invalid Stream Identifier'" (Section 6.5).
            information = Writer().uint16(data.stream_id).uint16(0).finish()
            self.send_control(error_chunk(ErrorCause.INVALID_STREAM_IDENTIFIER, information))
        return self._inbound.receive(data, deliver=data.stream_id == STREAM_ID)

    def _receive_shutdown(self, value: bytes, now: float) -> None:
        reader = Reader(value)
        cumulative_tsn = reader.uint32()
        reader.expect_end()
        self.outbound.acknowledge_up_to(cumulative_tsn, now)
        if self.state is State.ESTABLISHED:
            self.state = State.SHUTDOWN_RECEIVED
        elif self.state is State.SHUTDOWN_ACK_SENT:
            self.send_shutdown_ack(now)

    def send_shutdown_ack(self, now: float) -> None:
        """Queue a SHUTDOWN ACK, and expect its answer."""
        self._shutdown_timer.restart(now)
        self.send_control(Chunk(ChunkType.SHUTDOWN_ACK, 0, b""))

    def _next_chunks(self, now: float) -> list[Chunk]:
        """The chunks of one packet."""
        chunks: list[Chunk] = []
        space = _ROOM
        while self._control and len(self._control[0].write()) <= space:
            chunks.append(self._control.pop(0))
            space -= len(chunks[-1].write())
        if self._sack_due:
            sack = self._inbound.sack().write()
            if len(sack.write()) > space:
                return chunks
            self._sack_due = False
            chunks.append(sack)
            space -= len(sack.write())
        while data := self.outbound.next_data(space, now):
            chunks.append(data.write())
            space -= DATA_CHUNK_OVERHEAD + len(data.fragment) + -len(data.fragment) % 4
        return chunks


def _is_due(timer: RetransmissionTimer, now: float) -> bool:
    return timer.due_at is not None and timer.due_at <= now
