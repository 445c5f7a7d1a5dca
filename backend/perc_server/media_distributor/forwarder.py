"""The packet path in Python: hop by hop from a source to its receivers.

    sender's hop                                                        receiver's hop
    SRTP ─ known SSRC? ─ unprotect ─ padding only? ─┬─ PT, SEQ, MID ─ protect ─ SRTP
                │ no        │ fails       │ yes     ├─ …
               drop        drop        swallow      └─ …

SSRC, timestamp, CSRCs, marker and payload pass as they are (but see `carriage`). Nothing here can read a payload.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from perc.errors import AuthenticationFailed, DecodeError
from perc.srtp.packet import RtpPacket
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.carriage import Carriage, split_field
from perc_server.media_distributor.counts import MediaDistributorCounts, PacketDrop
from perc_server.media_distributor.hop import Hop, HopKeys
from perc_server.media_distributor.packet_path import Heard, Leg, Send
from perc_server.media_distributor.reception import Reception, ReportBlock
from perc_server.media_distributor.rtp import is_empty, ssrc_of
from perc_server.media_distributor.seams import ForwardedPacket, Tamper, Tap
from perc_server.media_distributor.sequence import IncomingSequence, OutgoingSequence

MAXIMUM_SSRCS_PER_HOP = 2048
"""SSRCs that one hop ever carries: each costs a context in libsrtp that must outlive every pause."""

MAXIMUM_RTCP_SENDERS = 256
"""SSRCs that one endpoint's RTCP ever comes from, for the same reason; a browser needs one per m-line."""


@dataclass(slots=True)
class _Receiver:
    """A leg in use."""

    leg: Leg
    sequence: OutgoingSequence


@dataclass(slots=True)
class _Stream:
    """A source, as far as packets go; sequence and reception begin with the first packet."""

    endpoint: str
    source: Source
    receivers: dict[str, _Receiver] = field(default_factory=dict)
    sequence: IncomingSequence | None = None
    reception: Reception | None = None


@dataclass(slots=True)
class _Link:
    """A hop, and the sequence numbers it has used, which live as long as its keys."""

    hop: Hop
    sequences: dict[int, OutgoingSequence] = field(default_factory=dict)
    rtcp_senders: set[int] = field(default_factory=set)


class Forwarder:
    """A `PacketPath`. `dropped` counts what was not forwarded, by reason; a dropped packet is never answered."""

    def __init__(
        self,
        send: Send,
        heard: Heard,
        tap: Tap | None = None,
        tamper: Tamper | None = None,
        counts: MediaDistributorCounts | None = None,
    ) -> None:
        self._send = send
        self._heard = heard
        self._tap = tap
        self._tamper = tamper
        self._links: dict[str, _Link] = {}
        self._streams: dict[int, _Stream] = {}
        self._counts = counts or MediaDistributorCounts()
        self.dropped = self._counts.packets_dropped

    def add_hop(self, endpoint: str, keys: HopKeys) -> None:
        """See `PacketPath`."""
        self._links[endpoint] = _Link(Hop(keys))
        if self._tap is not None:
            self._tap.hop_added(endpoint, keys)

    def remove_hop(self, endpoint: str) -> None:
        """See `PacketPath`."""
        link = self._links.pop(endpoint, None)
        if link is not None:
            link.hop.close()
        for stream in self._streams.values():
            stream.receivers.pop(endpoint, None)

    def add_source(self, endpoint: str, source: Source) -> None:
        """See `PacketPath`."""
        self._streams[source.ssrc] = _Stream(endpoint, source)

    def remove_source(self, ssrc: int) -> None:
        """See `PacketPath`."""
        self._streams.pop(ssrc, None)

    def connect(self, ssrc: int, receiver: str, leg: Leg) -> None:
        """See `PacketPath`."""
        link, stream = self._links[receiver], self._streams[ssrc]
        if ssrc not in link.sequences and len(link.sequences) >= MAXIMUM_SSRCS_PER_HOP:
            self.dropped[PacketDrop.TOO_MANY_SOURCES] += 1
            return
        sequence = link.sequences.setdefault(ssrc, OutgoingSequence())
        sequence.resume()
        if self._tamper is not None:
            leg = self._tamper.leg(stream.source, receiver, leg)
        stream.receivers[receiver] = _Receiver(leg, sequence)

    def disconnect(self, ssrc: int, receiver: str) -> None:
        """See `PacketPath`."""
        self._streams[ssrc].receivers.pop(receiver, None)

    def receive_rtp(self, endpoint: str, packet: bytes, now: float) -> None:
        """See `PacketPath`."""
        if self._tap is not None:
            self._tap.rtp_received(endpoint, packet)
        link, stream = self._links.get(endpoint), self._streams.get(ssrc_of(packet))
        # Unknown SSRCs end here, before libsrtp would keep a context for each of them.
        if link is None or stream is None or stream.endpoint != endpoint:
            self.dropped[PacketDrop.UNKNOWN_SOURCE] += 1
            return
        try:
            protected, ekt_field = split_field(packet) if link.hop.is_double else (packet, None)
            received = link.hop.unprotect_rtp(protected)
            parsed = RtpPacket.read(received)
        except AuthenticationFailed:
            self.dropped[PacketDrop.NOT_AUTHENTIC] += 1
            return
        except DecodeError:
            self.dropped[PacketDrop.MALFORMED] += 1
            return
        if self._tamper is not None:
            parsed = self._tamper.received(parsed)
            stream = self._streams[parsed.ssrc]
        is_part_of_frame = stream.source.kind == "video" and not link.hop.is_double
        self._accept(stream, Carriage(parsed, ekt_field, is_part_of_frame), received, now)

    def _accept(self, stream: _Stream, carriage: Carriage, received: bytes, now: float) -> None:
        packet = carriage.received
        if stream.sequence is None or stream.reception is None:
            stream.sequence = IncomingSequence(packet.sequence_number)
            stream.reception = Reception(packet.ssrc, stream.source.clock_rate, stream.sequence.highest)
            self._heard(packet.ssrc)
        index = stream.sequence.extend(packet.sequence_number)
        stream.reception.packet(index, packet.timestamp, now)
        if is_empty(packet) or packet.payload_type != stream.source.payload_type:
            self.dropped[PacketDrop.PADDING if is_empty(packet) else PacketDrop.PAYLOAD_TYPE] += 1
            stream.sequence.swallow(index)
        else:
            position = stream.sequence.position(index)
            stream.sequence.advance(index)
            self._forward(stream, carriage, received, position)

    def _forward(self, stream: _Stream, carriage: Carriage, received: bytes, position: int) -> None:
        for endpoint, receiver in stream.receivers.items():
            sequence_number = receiver.sequence.place(position)
            if sequence_number is None:
                self.dropped[PacketDrop.TOO_LATE] += 1
                continue
            try:
                sent = self._protect(stream, endpoint, carriage, sequence_number)
            except AuthenticationFailed:
                self.dropped[PacketDrop.NOT_PROTECTED] += 1
                continue
            except DecodeError:
                self.dropped[PacketDrop.NO_EKT_FIELD] += 1
                continue
            if sent is None:
                continue
            self._send(endpoint, sent)
            self._counts.packets_forwarded += 1
            if self._tap is not None:
                self._tap.forwarded(ForwardedPacket(stream.endpoint, endpoint, received, sent))

    def _protect(self, stream: _Stream, endpoint: str, carriage: Carriage, sequence_number: int) -> bytes | None:
        leg, hop = stream.receivers[endpoint].leg, self._links[endpoint].hop
        header = replace(
            carriage.received,
            payload_type=leg.payload_type,
            sequence_number=sequence_number,
            extension=leg.extension,
        )
        packet, ekt_field = carriage.towards(header, is_double=hop.is_double)
        if self._tamper is not None:
            tampered = self._tamper.forwarded(packet, stream.source, endpoint)
            if tampered is None:
                return None
            packet = tampered
        return hop.protect_rtp(packet.write()) + ekt_field

    def receive_rtcp(self, endpoint: str, packet: bytes) -> bytes | None:
        """See `PacketPath`."""
        link, sender = self._links.get(endpoint), int.from_bytes(packet[4:8], "big")
        if link is None:
            self.dropped[PacketDrop.RTCP_NO_HOP] += 1
            return None
        if sender not in link.rtcp_senders and len(link.rtcp_senders) >= MAXIMUM_RTCP_SENDERS:
            self.dropped[PacketDrop.RTCP_TOO_MANY_SENDERS] += 1
            return None
        try:
            compound = link.hop.unprotect_rtcp(packet)
        except AuthenticationFailed:
            self.dropped[PacketDrop.RTCP_NOT_AUTHENTIC] += 1
            return None
        link.rtcp_senders.add(sender)
        return compound

    def send_rtcp(self, endpoint: str, compound: bytes) -> None:
        """See `PacketPath`."""
        link = self._links.get(endpoint)
        if link is not None:
            self._send(endpoint, link.hop.protect_rtcp(compound))

    def sender_report(self, ssrc: int, ntp_timestamp: int, now: float) -> None:
        """See `PacketPath`."""
        stream = self._streams.get(ssrc)
        if stream is not None and stream.reception is not None:
            stream.reception.sender_report(ntp_timestamp, now)

    def report(self, ssrc: int, now: float) -> ReportBlock | None:
        """See `PacketPath`."""
        stream = self._streams.get(ssrc)
        return None if stream is None or stream.reception is None else stream.reception.report(now)
