"""Sequence numbers on their way through: gaps of swallowed packets are closed, and no number comes twice.

A source's packets get a position: their extended sequence number less the packets swallowed before them. A receiver's
packets get a sequence number of their own, which follows the positions for as long as it is forwarded to. Both maps
are injective; that, and not libsrtp's check alone, is why one (hop key, SSRC, ROC, SEQ) is protected once.
"""

from __future__ import annotations

import secrets
from collections import deque

_MODULUS = 1 << 16

MAXIMUM_LATENESS = 1024
"""Packets behind the newest: as in SRTP's replay window, which has refused older ones before."""

MAXIMUM_GAP = 4096
"""Lost packets that a receiver may see as lost. A larger gap is closed, well before the ROC would be in doubt."""


class IncomingSequence:
    """The positions of one source's packets, which SRTP has authenticated and found to be no repetitions."""

    def __init__(self, first: int) -> None:
        # One cycle up, so that what is late at the start does not become negative.
        self.first = self.highest = first + _MODULUS
        self._swallowed = 0
        self._lately_swallowed: deque[int] = deque(maxlen=MAXIMUM_LATENESS)

    def extend(self, sequence_number: int) -> int:
        """The extended sequence number, counted from the newest packet (RFC 3711, Section 3.3.1)."""
        distance = (sequence_number - self.highest) % _MODULUS
        if distance >= _MODULUS // 2:
            distance -= _MODULUS
        return self.highest + distance

    def advance(self, index: int) -> None:
        """A packet with this extended sequence number came."""
        self.highest = max(self.highest, index)

    def swallow(self, index: int) -> None:
        """The packet is not forwarded. If a newer one has been, its gap cannot be closed any more, and stays."""
        if index >= self.highest:
            self._swallowed += 1
            self._lately_swallowed.append(index)
        self.advance(index)

    def position(self, index: int) -> int:
        """Where the packet stands among those that are forwarded."""
        before = self._swallowed
        if index < self.highest:
            before -= sum(swallowed > index for swallowed in self._lately_swallowed)
        return index - before


class OutgoingSequence:
    """The sequence numbers of one SSRC on one hop; lives as long as the hop's key, through every pause."""

    def __init__(self) -> None:
        # Below 2^15, so that the receiver finds the ROC even if the first packets are lost (RFC 3711, Section 3.3.1).
        self._next = secrets.randbelow(_MODULUS // 2)
        self._first_position: int | None = None
        self._offset = 0

    def resume(self) -> None:
        """Forwarding starts, or starts again after a pause or with another source under this SSRC."""
        self._first_position = None

    def place(self, position: int) -> int | None:
        """The sequence number for a position; None for a packet from before the last start, which is too late."""
        if self._first_position is None or position + self._offset >= self._next + MAXIMUM_GAP:
            self._first_position = position
            self._offset = self._next - position
        if position < self._first_position:
            return None
        number = position + self._offset
        self._next = max(self._next, number + 1)
        return number % _MODULUS
