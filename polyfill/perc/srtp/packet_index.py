"""Packet indices: what a SEQ stands for, and which ones have been used (RFC 3711, Sections 3.3.1 and 3.3.2).

An index is ROC * 2^16 + SEQ. Senders take each index once; receivers take each index once, and none that is too old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from perc.errors import ApiMisuse

SEQUENCE_MODULUS = 1 << 16
INDEX_LIMIT = 1 << 48
"""Packets that one master key may protect at most (RFC 3711, Section 9.2)."""
WINDOW_SIZE = 1024
"""Indices remembered behind the highest: 20 seconds of audio, one of dense video."""


def estimate_index(highest: int | None, sequence_number: int) -> int:
    """The index that a SEQ stands for, given the highest so far: the closest one, as Appendix A of RFC 3711 decides.

    With none so far the ROC is zero; before the first ROC the result is negative, and so never fresh.
    """
    if highest is None:
        return sequence_number
    roc, last = divmod(highest, SEQUENCE_MODULUS)
    half = SEQUENCE_MODULUS // 2
    if last < half:
        roc -= sequence_number - last > half
    else:
        roc += last - half > sequence_number
    return roc * SEQUENCE_MODULUS + sequence_number


class IndexCounter:
    """Hands out the indices of one SSRC's inner layer, each once.

    The first is random, but below 2^15: a receiver that misses the first packets does not guess a wrong ROC.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._next = int.from_bytes(random_bytes(2), "big") % (SEQUENCE_MODULUS // 2)

    def take(self) -> int:
        """The next index; it is used up, whatever becomes of its packet."""
        if self._next >= INDEX_LIMIT:
            raise ApiMisuse("every index of this SSRC has been used")
        index = self._next
        self._next += 1
        return index


class ReplayState(Protocol):
    """What a receiver remembers of the indices of one SSRC."""

    @property
    def highest(self) -> int | None:
        """The highest index accepted; None before the first."""
        ...

    def is_fresh(self, index: int) -> bool:
        """Whether the index has not been accepted yet and is recent enough to tell."""
        ...

    def accept(self, index: int) -> None:
        """Remember an index whose packet has authenticated: "only after authentication" (Section 3.3.2)."""
        ...


class ReplayWindow:
    """A sliding window: each of the last `WINDOW_SIZE` indices once, in any order."""

    def __init__(self) -> None:
        self.highest: int | None = None
        self._seen = 0

    def is_fresh(self, index: int) -> bool:
        """`ReplayState.is_fresh`."""
        if index < 0 or index >= INDEX_LIMIT:
            return False
        if self.highest is None or index > self.highest:
            return True
        behind = self.highest - index
        return behind < WINDOW_SIZE and not self._seen >> behind & 1

    def accept(self, index: int) -> None:
        """`ReplayState.accept`."""
        if self.highest is None or index > self.highest:
            ahead = 0 if self.highest is None else min(index - self.highest, WINDOW_SIZE)
            self._seen = (self._seen << ahead | 1) & (1 << WINDOW_SIZE) - 1
            self.highest = index
        else:
            self._seen |= 1 << self.highest - index


class RisingIndex:
    """Strictly rising: whole video frames, since a decoder has no use for one from before the last."""

    def __init__(self) -> None:
        self.highest: int | None = None

    def is_fresh(self, index: int) -> bool:
        """`ReplayState.is_fresh`."""
        return (-1 if self.highest is None else self.highest) < index < INDEX_LIMIT

    def accept(self, index: int) -> None:
        """`ReplayState.accept`."""
        self.highest = index
