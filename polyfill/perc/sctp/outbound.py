"""What an association sends: fragmentation, retransmission, congestion and the peer's window.

RFC 9260, Sections 6.1, 6.2.1, 6.3, 6.9 and 7.2. Every message is ordered and reliable, on stream 0. What is in flight
stays below cwnd and below what the peer advertises; against a closed window one fragment at a time is the probe.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.chunks import Data, Sack
from perc.sctp.packet import COMMON_HEADER_LENGTH, MAX_PACKET_LENGTH
from perc.sctp.retransmission import RetransmissionTimer
from perc.sctp.tsn import SSN_MODULUS, tsn_add, tsn_distance

STREAM_ID = 0
DATA_CHUNK_OVERHEAD = 16
MAX_FRAGMENT_LENGTH = MAX_PACKET_LENGTH - COMMON_HEADER_LENGTH - DATA_CHUNK_OVERHEAD
INITIAL_CWND = 4 * MAX_PACKET_LENGTH
"""Octets: min(4·MTU, max(2·MTU, 4404)) of Section 7.2.1."""
MISSING_REPORTS = 3
"""How often SACKs pass over a TSN before it is sent again (Section 7.2.4)."""


@dataclass(slots=True)
class Outstanding:
    """A fragment that was sent and is not yet covered by the peer's cumulative TSN."""

    data: Data
    sent_at: float
    transmissions: int = 1
    missing_reports: int = 0
    acknowledged: bool = False
    lost: bool = False

    @property
    def in_flight(self) -> int:
        """Octets that this fragment takes of the window."""
        return 0 if self.acknowledged or self.lost else len(self.data.fragment)


class Outbound:
    """The sending half of an association with one stream."""

    def __init__(self, initial_tsn: int, peer_window: int) -> None:
        self.timer = RetransmissionTimer()
        self._next_tsn = initial_tsn
        self._acknowledged_tsn = tsn_add(initial_tsn, -1)
        self._next_ssn = 0
        self._queue: deque[Data] = deque()
        self._outstanding: dict[int, Outstanding] = {}
        self._peer_window = peer_window
        self._cwnd = INITIAL_CWND
        self._slow_start_threshold = peer_window
        self._partial_acknowledged = 0
        self._recovery_exit: int | None = None

    @property
    def pending(self) -> int:
        """Octets that the peer has not acknowledged, sent or not."""
        waiting = sum(len(data.fragment) for data in self._queue)
        return waiting + sum(len(entry.data.fragment) for entry in self._outstanding.values())

    def enqueue(self, payload_protocol: int, message: bytes) -> None:
        """Queue a message as fragments with consecutive TSNs (Section 6.9)."""
        for start in range(0, len(message), MAX_FRAGMENT_LENGTH):
            fragment = message[start : start + MAX_FRAGMENT_LENGTH]
            ending = start + len(fragment) == len(message)
            # A message is all there is to say: without the I bit its acknowledgement may wait 200 ms (Section 6.2).
            self._queue.append(
                Data(
                    tsn=self._next_tsn,
                    stream_id=STREAM_ID,
                    stream_sequence_number=self._next_ssn,
                    payload_protocol=payload_protocol,
                    fragment=fragment,
                    beginning=start == 0,
                    ending=ending,
                    immediate=ending,
                )
            )
            self._next_tsn = tsn_add(self._next_tsn, 1)
        self._next_ssn = (self._next_ssn + 1) % SSN_MODULUS

    def next_data(self, space: int, now: float) -> Data | None:
        """The next fragment that may go out now, with at most `space` octets as a chunk; lost ones come first."""
        for entry in self._outstanding.values():
            if entry.lost:
                return self._retransmit(entry, space, now)
        if not self._queue or not self._may_send(self._queue[0], space):
            return None
        data = self._queue.popleft()
        self._outstanding[data.tsn] = Outstanding(data, now)
        self.timer.start(now)
        return data

    def acknowledge(self, sack: Sack, now: float) -> None:
        """Take in a SACK; `DecodeError` if it acknowledges what was never sent."""
        advance = tsn_distance(sack.cumulative_tsn, self._acknowledged_tsn)
        if advance < 0:
            return  # An older SACK, overtaken on the way (Section 6.2.1, rule D i).
        if advance > len(self._outstanding):
            raise DecodeError("a SACK for a TSN that was not sent")
        flight_before = self._flight()
        acknowledged = self._advance(advance, now)
        highest_new = self._mark_gaps(sack)
        self._peer_window = sack.receiver_window
        self._grow(acknowledged, flight_before)
        if highest_new is not None:
            self._count_missing(highest_new, now)
        # A peer that answers probes of its closed window is not unreachable (Section 6.1, rule A).
        if advance or highest_new is not None or not sack.receiver_window:
            self.timer.progress()
        if not self._outstanding:
            self.timer.stop()
        elif advance:
            self.timer.restart(now)
        else:
            self.timer.start(now)

    def acknowledge_up_to(self, cumulative_tsn: int, now: float) -> None:
        """Take in what a SHUTDOWN acknowledges, which says nothing of gaps or windows."""
        self.acknowledge(Sack(cumulative_tsn, self._peer_window), now)

    def handle_expiry(self) -> None:
        """T3-rtx ran out: all in flight is lost, the window starts from one packet (Sections 6.3.3 and 7.2.3)."""
        self.timer.expire()
        self._slow_start_threshold = max(self._cwnd // 2, 4 * MAX_PACKET_LENGTH)
        self._cwnd = MAX_PACKET_LENGTH
        self._partial_acknowledged = 0
        self._recovery_exit = None
        for entry in self._outstanding.values():
            entry.lost = not entry.acknowledged

    def _may_send(self, data: Data, space: int) -> bool:
        if len(data.fragment) + DATA_CHUNK_OVERHEAD > space:
            return False
        # "Regardless of the value of rwnd […], the data sender can always have one DATA chunk in flight to the receiver
        # if allowed by cwnd" (Section 6.1, rule A); cwnd is never less than one packet.
        flight = self._flight()
        return not flight or flight + len(data.fragment) <= min(self._cwnd, self._peer_window)

    def _retransmit(self, entry: Outstanding, space: int, now: float) -> Data | None:
        if not self._may_send(entry.data, space):
            return None
        entry.lost = False
        entry.missing_reports = 0
        entry.transmissions += 1
        entry.sent_at = now
        self.timer.start(now)
        return entry.data

    def _flight(self) -> int:
        return sum(entry.in_flight for entry in self._outstanding.values())

    def _advance(self, count: int, now: float) -> int:
        """Forget the first `count` outstanding fragments; the octets that were not acknowledged before."""
        octets, sent_at = 0, None
        for tsn in list(self._outstanding)[:count]:
            entry = self._outstanding.pop(tsn)
            self._acknowledged_tsn = tsn
            if entry.acknowledged:
                continue
            octets += len(entry.data.fragment)
            # Karn's algorithm: no measurement from what was sent more than once (Section 6.3.1, rule C5).
            sent_at = entry.sent_at if entry.transmissions == 1 else None
        if sent_at is not None:
            self.timer.measured(now - sent_at)
        return octets

    def _mark_gaps(self, sack: Sack) -> int | None:
        """Mark what the gap blocks cover, and unmark what they no longer do; the highest TSN newly covered."""
        covered = {
            offset for first, last in sack.gaps for offset in range(first, min(last, len(self._outstanding)) + 1)
        }
        highest_new = None
        for tsn, entry in self._outstanding.items():
            acknowledged = tsn_distance(tsn, self._acknowledged_tsn) in covered
            if acknowledged and not entry.acknowledged:
                highest_new = tsn
                entry.lost = False
            entry.acknowledged = acknowledged
        return highest_new

    def _grow(self, acknowledged: int, flight_before: int) -> None:
        if self._recovery_exit is not None:
            if tsn_distance(self._acknowledged_tsn, self._recovery_exit) < 0:
                return
            self._recovery_exit = None
        # cwnd only grows while it is what limits the sender (Sections 7.2.1 and 7.2.2).
        if not acknowledged or flight_before + MAX_FRAGMENT_LENGTH < self._cwnd:
            return
        if self._cwnd <= self._slow_start_threshold:
            self._cwnd += min(acknowledged, MAX_PACKET_LENGTH)
            return
        self._partial_acknowledged += acknowledged
        if self._partial_acknowledged >= self._cwnd:
            self._partial_acknowledged -= self._cwnd
            self._cwnd += MAX_PACKET_LENGTH

    def _count_missing(self, highest_new: int, now: float) -> None:
        """Fast retransmit (Section 7.2.4): once per fragment, one reduction of cwnd per recovery."""
        for tsn, entry in self._outstanding.items():
            if entry.acknowledged or entry.lost or tsn_distance(tsn, highest_new) >= 0:
                continue
            entry.missing_reports += 1
            if entry.missing_reports < MISSING_REPORTS or entry.transmissions > 1:
                continue
            entry.lost = True
            if self._recovery_exit is None:
                self._slow_start_threshold = self._cwnd = max(self._cwnd // 2, 4 * MAX_PACKET_LENGTH)
                self._recovery_exit = next(reversed(self._outstanding))
                self.timer.restart(now)
