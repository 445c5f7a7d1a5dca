"""Messages from their fragments (RFC 9260, Section 6.9).

Fragments come in any order, and a peer may send many that never become a message. Neighbours are joined into runs as
they come, so that each takes the same time however many there are, and each is charged for what it costs to keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.errors import DecodeError
from perc.sctp.chunks import Data
from perc.sctp.tsn import tsn_add

MAX_MESSAGE_LENGTH = 65536
"""Octets of one message: the limit of the key channel."""
FRAGMENT_COST = 128
"""Octets that a fragment is charged with beside its own: about what keeping it takes."""


@dataclass(slots=True)
class _Run:
    """Consecutive fragments of one message."""

    first: Data
    last: Data
    octets: int


class Reassembly:
    """Fragments that wait for their neighbours; `cost` is what they take of the receiver's window."""

    def __init__(self) -> None:
        self.cost = 0
        self._fragments: dict[int, Data] = {}
        self._by_first: dict[int, _Run] = {}
        self._by_last: dict[int, _Run] = {}

    @property
    def fragments_held(self) -> int:
        """How many fragments wait for their neighbours."""
        return len(self._fragments)

    @property
    def runs_held(self) -> int:
        """How many entries there are of runs, by their first and by their last fragment."""
        return len(self._by_first) + len(self._by_last)

    def add(self, data: Data) -> list[Data]:
        """All fragments of the message that `data` completes; none if it completes nothing.

        `DecodeError` if fragments contradict one another, or make more than a message may have.
        """
        before = self._by_last.get(tsn_add(data.tsn, -1))
        after = self._by_first.get(tsn_add(data.tsn, 1))
        run = _Run(data, data, len(data.fragment))
        if before is not None and not _is_boundary(before.last, data):
            run = _Run(before.first, run.last, before.octets + run.octets)
        if after is not None and not _is_boundary(data, after.first):
            run = _Run(run.first, after.last, run.octets + after.octets)
        if run.octets > MAX_MESSAGE_LENGTH:
            raise DecodeError(f"a message of more than {MAX_MESSAGE_LENGTH} octets")
        self._fragments[data.tsn] = data
        self.cost += cost_of(data)
        return self._take(run) if run.first.beginning and run.last.ending else self._keep(run)

    def _keep(self, run: _Run) -> list[Data]:
        # Joined runs leave entries inside the new one, which are never asked for: their neighbours are there already.
        self._by_first[run.first.tsn] = self._by_last[run.last.tsn] = run
        return []

    def _take(self, run: _Run) -> list[Data]:
        fragments: list[Data] = []
        tsn = run.first.tsn
        while not fragments or fragments[-1] is not run.last:
            fragments.append(self._fragments.pop(tsn))
            self._by_first.pop(tsn, None)
            self._by_last.pop(tsn, None)
            tsn = tsn_add(tsn, 1)
        self.cost -= sum(cost_of(fragment) for fragment in fragments)
        return fragments


def cost_of(data: Data) -> int:
    """What a fragment takes of the receiver's window."""
    return len(data.fragment) + FRAGMENT_COST


def _is_boundary(before: Data, after: Data) -> bool:
    """Whether one message ends and another begins between two neighbours; `DecodeError` if only one of them says so.

    The fragments of a message have consecutive TSNs from its B bit to its E bit, and the stream, order and SSN of its
    first (Section 6.9).
    """
    if before.ending and after.beginning:
        return True
    same_message = (
        before.stream_id == after.stream_id
        and before.unordered == after.unordered
        and before.payload_protocol == after.payload_protocol
        and (before.unordered or before.stream_sequence_number == after.stream_sequence_number)
    )
    if before.ending or after.beginning or not same_message:
        raise DecodeError("fragments of different messages follow one another")
    return False
