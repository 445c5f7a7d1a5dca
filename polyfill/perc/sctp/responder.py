"""The responder: sets up an association that a browser opens, and lets it go (RFC 9260, Sections 5, 8.4, 8.5 and 9).

     peer                                responder
     INIT              -------------->                        no state yet: all of it is in the cookie
                       <--------------   INIT ACK (cookie)
     COOKIE ECHO       -------------->   AssociationEstablished
                       <--------------   COOKIE ACK
     DATA, SACK        <------------->   DATA, SACK           MessageReceived
     SHUTDOWN          -------------->
                       <--------------   SHUTDOWN ACK
     SHUTDOWN COMPLETE -------------->   AssociationAborted

It never opens an association itself; it has one stream, one path, and no extensions. It runs inside a DTLS association
(RFC 8261), so that every packet is the authenticated peer's own: what is malformed is dropped, what breaks the protocol
ends the association, and nothing that a peer sends raises.
"""

from __future__ import annotations

from collections.abc import Callable

from perc.errors import ApiMisuse, DecodeError
from perc.sctp.association import Association, Load, State
from perc.sctp.chunks import T_FLAG, ChunkType, ErrorCause, Init, abort_chunk, error_chunk
from perc.sctp.cookie import StateCookie
from perc.sctp.events import AssociationAborted, AssociationEstablished, Event, MessageReceived
from perc.sctp.inbound import RECEIVE_WINDOW
from perc.sctp.initiation import answer_init
from perc.sctp.outbound import STREAM_ID
from perc.sctp.packet import Chunk, SctpPacket
from perc.sctp.reassembly import MAX_MESSAGE_LENGTH
from perc.wire import Writer

MAX_QUEUED = 16 * MAX_MESSAGE_LENGTH
"""Octets waiting for a peer at most: one that takes nothing while this much piles up is let go."""
_SECRET_LENGTH = 32
_GO_ON, _REPORT = 0x80, 0x40
"""The highest bits of an unknown chunk type: whether the rest of the packet counts, whether its sender hears of it."""


class SctpResponder:
    """One peer's SCTP, from its first INIT on. Synchronous; `now` is monotonic seconds."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._secret = random_bytes(_SECRET_LENGTH)
        self._association: Association | None = None
        self._datagrams: list[bytes] = []
        self._unreported: list[Event] = []

    def receive_datagram(self, data: bytes, now: float) -> list[Event]:
        """Take in one SCTP packet; what came of it."""
        events = self._take_unreported()
        try:
            packet = SctpPacket.read(data)
        except DecodeError:
            # Discarded in silence (Section 6.8): there is no tag that could be trusted for an answer.
            return events
        if any(chunk.type == ChunkType.INIT for chunk in packet.chunks):
            self._receive_init(packet, now)
        elif packet.chunks[0].type == ChunkType.COOKIE_ECHO:
            events += self._receive_cookie_echo(packet, now)
        elif self._belongs(packet):
            events += self._receive_chunks(packet.chunks, now)
        else:
            self._receive_out_of_the_blue(packet)
        self._flush(now)
        return events

    def send(self, stream_id: int, ppid: int, message: bytes, now: float) -> None:
        """Queue a message; it arrives whole, once and in order, or `AssociationAborted` follows.

        Without an association it goes nowhere: a peer can end one at any time, and the event that says so may still be
        on its way to the caller. `ApiMisuse` on a stream other than 0, for an empty message and for one above 64 KiB.
        """
        if stream_id != STREAM_ID or not 0 < len(message) <= MAX_MESSAGE_LENGTH:
            raise ApiMisuse(f"a message of {len(message)} octets on stream {stream_id}")
        if self._association is None or self._association.state is not State.ESTABLISHED:
            return
        if self._association.outbound.pending + len(message) > MAX_QUEUED:
            self._unreported += self._abort(
                ErrorCause.USER_INITIATED_ABORT, "the peer takes too little of what is sent"
            )
            return
        self._association.outbound.enqueue(ppid, message)
        self._flush(now)

    def abort(self) -> None:
        """End the association, if there is one, with an ABORT; no event follows."""
        if self._association is not None:
            self._abort(ErrorCause.USER_INITIATED_ABORT, "closed")

    def datagrams_to_send(self) -> list[bytes]:
        """The packets to send now."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    @property
    def load(self) -> Load | None:
        """What the association keeps in memory; None without one."""
        return None if self._association is None else self._association.load

    def next_timeout(self) -> float | None:
        """When to call `handle_timeout`; a time in the past means at once."""
        if self._unreported:
            return float("-inf")
        return None if self._association is None else self._association.next_timeout()

    def handle_timeout(self, now: float) -> list[Event]:
        """Act on the timers that are due."""
        events = self._take_unreported()
        if self._association is not None:
            self._association.handle_timeout(now)
            if self._association.unreachable:
                events += self._abort(ErrorCause.USER_INITIATED_ABORT, "the peer does not acknowledge")
        self._flush(now)
        return events

    def _receive_init(self, packet: SctpPacket, now: float) -> None:
        # An INIT stands alone in a packet whose verification tag is zero; anything else is discarded in silence
        # (Sections 3 and 8.5.1).
        if len(packet.chunks) != 1 or packet.verification_tag:
            return
        association = self._association
        if association is not None and association.state is State.SHUTDOWN_ACK_SENT:
            association.send_shutdown_ack(now)  # Section 9.2, instead of the INIT ACK.
            return
        try:
            init = Init.read(packet.chunks[0].value)
        except DecodeError:
            return
        if not init.initiate_tag:
            return  # A tag of zero names no association (Section 3.3.2).
        # An INIT changes nothing, not even where an association exists: only the echo of a cookie does (Section 5.2.2).
        cookie = self._new_cookie(packet, init, now)
        self._answer(packet, init.initiate_tag, answer_init(init, cookie, self._secret, RECEIVE_WINDOW))

    def _new_cookie(self, packet: SctpPacket, init: Init, now: float) -> StateCookie:
        existing = self._association
        return StateCookie(
            ports=packet.ports,
            # Set one bit: a tag is never zero.
            own_tag=int.from_bytes(self._random_bytes(4), "big") | 1,
            peer_tag=init.initiate_tag,
            own_tsn=int.from_bytes(self._random_bytes(4), "big"),
            peer_tsn=init.initial_tsn,
            peer_window=init.receiver_window,
            created_at=now,
            own_tie_tag=existing.cookie.own_tag if existing else 0,
            peer_tie_tag=existing.cookie.peer_tag if existing else 0,
        )

    def _receive_cookie_echo(self, packet: SctpPacket, now: float) -> list[Event]:
        try:
            cookie = StateCookie.open(self._secret, packet.chunks[0].value)
        except DecodeError:
            return []  # Forged, or of another responder (Section 5.1.5).
        if (cookie.own_tag, cookie.ports) != (packet.verification_tag, packet.ports):
            return []
        existing = self._association
        events: list[Event] = []
        if existing is not None and cookie.is_of(existing.cookie):
            existing.send_control(Chunk(ChunkType.COOKIE_ACK, 0, b""))  # The echo again: action D of Section 5.2.4.
        elif cookie.staleness(now) > 0:
            measure = Writer().uint32(min(cookie.staleness(now), 2**32 - 1)).finish()
            self._answer(packet, cookie.peer_tag, error_chunk(ErrorCause.STALE_COOKIE, measure))
            return []
        elif existing is not None and not cookie.is_restart_of(existing.cookie):
            return []  # An older cookie of the same peer: action C.
        elif existing is not None and existing.state is State.SHUTDOWN_ACK_SENT:
            existing.send_shutdown_ack(now)
            existing.send_control(error_chunk(ErrorCause.COOKIE_RECEIVED_WHILE_SHUTTING_DOWN, b""))
            return []
        else:
            self._association = Association(cookie)
            events.append(AssociationEstablished())
        return events + self._receive_chunks(packet.chunks[1:], now)

    def _belongs(self, packet: SctpPacket) -> bool:
        """Whether the packet's verification tag is the one that it must have (Sections 8.5 and 8.5.1)."""
        if self._association is None or packet.ports != self._association.cookie.ports:
            return False
        first = packet.chunks[0]
        reflected = first.type in (ChunkType.ABORT, ChunkType.SHUTDOWN_COMPLETE) and first.flags & T_FLAG
        cookie = self._association.cookie
        return packet.verification_tag == (cookie.peer_tag if reflected else cookie.own_tag)

    def _receive_chunks(self, chunks: tuple[Chunk, ...], now: float) -> list[Event]:
        events: list[Event] = []
        try:
            for chunk in chunks:
                if self._association is None or not self._receive_chunk(self._association, chunk, events, now):
                    break
        except DecodeError as error:
            events += self._abort(ErrorCause.PROTOCOL_VIOLATION, str(error))
        return events

    def _receive_chunk(self, association: Association, chunk: Chunk, events: list[Event], now: float) -> bool:
        """Take in one chunk; whether the rest of its packet is to be processed too."""
        if chunk.type == ChunkType.ABORT:
            self._association = None
            events.append(AssociationAborted("the peer aborted the association"))
            return False
        if chunk.type not in set(ChunkType):
            # "Unrecognized Chunk Type" is reported with the whole chunk (Sections 3.2 and 3.3.10.6).
            if chunk.type & _REPORT:
                association.send_control(error_chunk(ErrorCause.UNRECOGNIZED_CHUNK_TYPE, chunk.write()))
            return bool(chunk.type & _GO_ON)
        for message in association.receive(chunk, now):
            events.append(MessageReceived(message.stream_id, message.payload_protocol, message.data))
        if association.state is State.CLOSED:
            self._association = None
            events.append(AssociationAborted("the peer shut the association down"))
        return True

    def _receive_out_of_the_blue(self, packet: SctpPacket) -> None:
        """A packet that belongs to no association (Section 8.4)."""
        types = {chunk.type for chunk in packet.chunks}
        if types & {ChunkType.ABORT, ChunkType.SHUTDOWN_COMPLETE, ChunkType.COOKIE_ACK, ChunkType.ERROR}:
            return
        if ChunkType.SHUTDOWN_ACK in types:
            self._answer(packet, packet.verification_tag, Chunk(ChunkType.SHUTDOWN_COMPLETE, T_FLAG, b""))
        else:
            self._answer(packet, packet.verification_tag, Chunk(ChunkType.ABORT, T_FLAG, b""))

    def _answer(self, packet: SctpPacket, tag: int, chunk: Chunk) -> None:
        self._datagrams.append(SctpPacket(packet.ports.reversed(), tag, (chunk,)).write())

    def _abort(self, cause: ErrorCause, reason: str) -> list[Event]:
        if self._association is None:
            return []
        cookie, self._association = self._association.cookie, None
        chunk = abort_chunk(cause, reason)
        self._datagrams.append(SctpPacket(cookie.ports.reversed(), cookie.peer_tag, (chunk,)).write())
        return [AssociationAborted(reason)]

    def _flush(self, now: float) -> None:
        if self._association is not None:
            self._datagrams += self._association.packets(now)

    def _take_unreported(self) -> list[Event]:
        events, self._unreported = self._unreported, []
        return events
