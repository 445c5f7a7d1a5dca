"""What arrives on an association: acknowledgement, reassembly, order (RFC 9260, Sections 6.2, 6.5, 6.6 and 6.9).

Memory is bounded: fragments count against the window that SACKs advertise, and a TSN too far ahead is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.chunks import Data, Sack
from perc.sctp.tsn import SSN_MODULUS, tsn_add, tsn_distance

MAX_MESSAGE_LENGTH = 65536
"""Octets of one message: the limit of the key channel."""
RECEIVE_WINDOW = 2 * MAX_MESSAGE_LENGTH
"""Octets of fragments kept at most: one message being completed, and one behind a loss."""
MAX_TSNS_AHEAD = 1024
"""How far beyond the cumulative TSN a fragment is kept: a window of fragments of 128 octets."""
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
        self._fragments: dict[int, Data] = {}
        self._buffered = 0
        self._waiting: dict[int, Message] = {}
        self._next_ssn = 0
        self._duplicates: list[int] = []

    @property
    def cumulative_tsn(self) -> int:
        """The last TSN of an unbroken run."""
        return self._cumulative_tsn

    def receive(self, data: Data, *, deliver: bool = True) -> list[Message]:
        """The messages that `data` completes, in order; `DecodeError` if its fragments contradict one another.

        With `deliver` false the fragment is acknowledged and forgotten: it was for a stream that does not exist.
        """
        if not self._accept(data.tsn, len(data.fragment)):
            return []
        if not deliver:
            return []
        self._check_neighbours(data)
        self._fragments[data.tsn] = data
        self._buffered += len(data.fragment)
        return self._complete(data.tsn)

    def sack(self) -> Sack:
        """What has arrived so far; duplicates are reported once."""
        duplicates, self._duplicates = tuple(self._duplicates), []
        window = max(0, RECEIVE_WINDOW - self._buffered)
        return Sack(self._cumulative_tsn, window, tuple(self._gaps()[:MAX_GAP_BLOCKS]), duplicates)

    def _accept(self, tsn: int, length: int) -> bool:
        distance = tsn_distance(tsn, self._cumulative_tsn)
        if distance <= 0 or tsn in self._ahead:
            if len(self._duplicates) < MAX_DUPLICATES:
                self._duplicates.append(tsn)
            return False
        if distance > MAX_TSNS_AHEAD or self._buffered + length > RECEIVE_WINDOW:
            return False
        self._ahead.add(tsn)
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

    def _complete(self, tsn: int) -> list[Message]:
        fragments = self._run_around(tsn)
        first, last = fragments[0], fragments[-1]
        if sum(len(fragment.fragment) for fragment in fragments) > MAX_MESSAGE_LENGTH:
            raise DecodeError(f"a message of more than {MAX_MESSAGE_LENGTH} octets")
        if not (first.beginning and last.ending):
            return []
        for fragment in fragments:
            del self._fragments[fragment.tsn]
        message = Message(first.stream_id, first.payload_protocol, b"".join(part.fragment for part in fragments))
        if first.unordered:
            self._buffered -= len(message.data)
            return [message]
        return self._in_order(first.stream_sequence_number, message)

    def _check_neighbours(self, data: Data) -> None:
        before = self._fragments.get(tsn_add(data.tsn, -1))
        after = self._fragments.get(tsn_add(data.tsn, 1))
        if before is not None:
            _check_adjacent(before, data)
        if after is not None:
            _check_adjacent(data, after)

    def _run_around(self, tsn: int) -> list[Data]:
        """The unbroken fragments of one message around `tsn`, from its beginning to its ending as far as they came."""
        run = [self._fragments[tsn]]
        while not run[0].beginning and (before := self._fragments.get(tsn_add(run[0].tsn, -1))):
            run.insert(0, before)
        while not run[-1].ending and (after := self._fragments.get(tsn_add(run[-1].tsn, 1))):
            run.append(after)
        return run

    def _in_order(self, ssn: int, message: Message) -> list[Message]:
        if (ssn - self._next_ssn) % SSN_MODULUS >= MAX_TSNS_AHEAD or ssn in self._waiting:
            raise DecodeError(f"stream sequence number {ssn} where {self._next_ssn} is due")
        self._waiting[ssn] = message
        delivered = []
        while (due := self._waiting.pop(self._next_ssn, None)) is not None:
            self._next_ssn = (self._next_ssn + 1) % SSN_MODULUS
            self._buffered -= len(due.data)
            delivered.append(due)
        return delivered


def _check_adjacent(before: Data, after: Data) -> None:
    # The fragments of a message have consecutive TSNs from its B bit to its E bit, and the stream, order and SSN of its
    # first (Section 6.9).
    if before.ending and after.beginning:
        return
    same_message = (
        before.stream_id == after.stream_id
        and before.unordered == after.unordered
        and before.payload_protocol == after.payload_protocol
        and (before.unordered or before.stream_sequence_number == after.stream_sequence_number)
    )
    if before.ending or after.beginning or not same_message:
        raise DecodeError("fragments of different messages follow one another")
