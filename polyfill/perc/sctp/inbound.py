"""What arrives on an association: acknowledgement and order (RFC 9260, Sections 6.2, 6.5 and 6.6).

Memory is bounded: what is kept counts against the window that SACKs advertise, and a TSN too far ahead is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.chunks import Data, Sack
from perc.sctp.reassembly import FRAGMENT_COST, MAX_MESSAGE_LENGTH, Reassembly, cost_of
from perc.sctp.tsn import SSN_MODULUS, tsn_add, tsn_distance

RECEIVE_WINDOW = 2 * MAX_MESSAGE_LENGTH
"""What is kept at most: one message being completed, and one behind a loss."""
MAX_TSNS_AHEAD = 1024
"""How far beyond the cumulative TSN a fragment is kept: no window holds more of them."""
MAX_GAP_BLOCKS = 200
"""Gap blocks in a SACK, so that it fits one packet."""
MAX_DUPLICATES = 16
"""Duplicate TSNs reported in one SACK; they only help the peer's statistics."""


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message."""

    stream_id: int
    payload_protocol: int
    data: bytes


class Inbound:
    """The receiving half of an association with one stream."""

    def __init__(self, initial_tsn: int) -> None:
        self._cumulative_tsn = tsn_add(initial_tsn, -1)
        self._ahead: set[int] = set()
        self._reassembly = Reassembly()
        self._waiting: dict[int, Message] = {}
        self._waiting_cost = 0
        self._next_ssn = 0
        self._duplicates: list[int] = []

    def receive(self, data: Data, *, deliver: bool = True) -> list[Message]:
        """The messages that `data` completes, in order; `DecodeError` if its fragments contradict one another.

        With `deliver` false the fragment is acknowledged and forgotten: it was for a stream that does not exist.
        """
        if not self._accept(data) or not deliver:
            return []
        fragments = self._reassembly.add(data)
        if not fragments:
            return []
        content = b"".join(fragment.fragment for fragment in fragments)
        message = Message(data.stream_id, data.payload_protocol, content)
        return [message] if data.unordered else self._in_order(data.stream_sequence_number, message)

    def sack(self) -> Sack:
        """What has arrived so far; duplicates are reported once."""
        duplicates, self._duplicates = tuple(self._duplicates), []
        return Sack(self._cumulative_tsn, max(0, self._window()), tuple(self._gaps()[:MAX_GAP_BLOCKS]), duplicates)

    @property
    def octets_held(self) -> int:
        """What is kept of messages that are incomplete or not due, as it counts against the window."""
        return self._reassembly.cost + self._waiting_cost

    @property
    def tsns_ahead(self) -> int:
        """How many TSNs have arrived beyond the cumulative one."""
        return len(self._ahead)

    def _window(self) -> int:
        return RECEIVE_WINDOW - self.octets_held

    def _accept(self, data: Data) -> bool:
        """Count the TSN as arrived, unless it did before or cannot be kept."""
        distance = tsn_distance(data.tsn, self._cumulative_tsn)
        if distance <= 0 or data.tsn in self._ahead:
            if len(self._duplicates) < MAX_DUPLICATES:
                self._duplicates.append(data.tsn)
            return False
        if distance > MAX_TSNS_AHEAD or cost_of(data) > self._window():
            return False
        self._ahead.add(data.tsn)
        while (following := tsn_add(self._cumulative_tsn, 1)) in self._ahead:
            self._ahead.remove(following)
            self._cumulative_tsn = following
        return True

    def _gaps(self) -> list[tuple[int, int]]:
        gaps: list[tuple[int, int]] = []
        for offset in sorted(tsn_distance(tsn, self._cumulative_tsn) for tsn in self._ahead):
            if gaps and gaps[-1][1] == offset - 1:
                gaps[-1] = (gaps[-1][0], offset)
            else:
                gaps.append((offset, offset))
        return gaps

    def _in_order(self, ssn: int, message: Message) -> list[Message]:
        if (ssn - self._next_ssn) % SSN_MODULUS >= MAX_TSNS_AHEAD or ssn in self._waiting:
            raise DecodeError(f"stream sequence number {ssn} where {self._next_ssn} is due")
        self._waiting[ssn] = message
        self._waiting_cost += _cost(message)
        delivered = []
        while (due := self._waiting.pop(self._next_ssn, None)) is not None:
            self._next_ssn = (self._next_ssn + 1) % SSN_MODULUS
            self._waiting_cost -= _cost(due)
            delivered.append(due)
        return delivered


def _cost(message: Message) -> int:
    return len(message.data) + FRAGMENT_COST
