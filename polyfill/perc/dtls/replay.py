"""The sliding window that drops replayed records (RFC 6347, Section 4.1.2.6)."""

from __future__ import annotations

# "A minimum window size of 32 MUST be supported, but a window size of 64 is preferred": records of a data channel burst
# may be reordered, and a wider window is only a wider integer.
WINDOW_SIZE = 128


class ReplayWindow:
    """Remembers which of the latest `WINDOW_SIZE` sequence numbers were received.

    Ask `is_fresh` before a record is opened, and `mark` after: "The receive window is updated only if the MAC
    verification succeeds."
    """

    __slots__ = ("_received", "_right_edge")

    def __init__(self) -> None:
        self._right_edge = -1
        self._received = 0

    def is_fresh(self, sequence_number: int) -> bool:
        """Whether the number is neither marked nor left of the window."""
        behind = self._right_edge - sequence_number
        if behind < 0:
            return True
        return behind < WINDOW_SIZE and not self._received >> behind & 1

    def mark(self, sequence_number: int) -> None:
        """Note the number of a record that authenticated."""
        ahead = sequence_number - self._right_edge
        if ahead > 0:
            kept = self._received << ahead if ahead < WINDOW_SIZE else 0
            self._received = (kept | 1) & ((1 << WINDOW_SIZE) - 1)
            self._right_edge = sequence_number
        else:
            self._received |= 1 << -ahead
