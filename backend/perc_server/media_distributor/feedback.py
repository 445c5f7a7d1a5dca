"""How senders are steered: key frames are asked for sparingly, bit rates follow the slowest receiver."""

from __future__ import annotations

from dataclasses import dataclass

KEY_FRAME_INTERVAL = 0.5
"""Seconds between two requests to one source: a key frame costs several pictures, whoever asks for it."""

ESTIMATE_LIFETIME = 10.0
"""Seconds after which a receiver's estimate counts no more; browsers repeat theirs every second."""

MINIMUM_BITRATE = 150_000
"""Bits per second that no receiver can press a sender below: less is no picture for anyone."""


class KeyFrameRequests:
    """Requests per source, at most one per interval. One that comes too early is put off, not lost."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}
        self._waiting: set[int] = set()

    def request(self, ssrc: int) -> None:
        """Somebody needs a key frame of this source."""
        self._waiting.add(ssrc)

    def due(self, now: float) -> list[int]:
        """The sources to ask now."""
        due = [ssrc for ssrc in self._waiting if now - self._last.get(ssrc, float("-inf")) >= KEY_FRAME_INTERVAL]
        self._waiting.difference_update(due)
        self._last.update(dict.fromkeys(due, now))
        return due

    def forget(self, ssrc: int) -> None:
        """The source ended."""
        self._waiting.discard(ssrc)
        self._last.pop(ssrc, None)


@dataclass(frozen=True, slots=True)
class _Estimate:
    bitrate: int
    made_at: float


class Bandwidth:
    """What each receiver says it can take, and what that leaves for a sender."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._estimates: dict[str, _Estimate] = {}

    def estimate(self, receiver: str, bitrate: int, now: float) -> None:
        """A receiver's REMB: for all streams that it gets, together."""
        self._estimates[receiver] = _Estimate(bitrate, now)

    def forget(self, receiver: str) -> None:
        """The receiver left."""
        self._estimates.pop(receiver, None)

    def allowance(self, streams: dict[str, int], now: float) -> int:
        """Bits per second for a source whose receivers get so many video streams each."""
        shares = [
            estimate.bitrate // max(1, count)
            for receiver, count in streams.items()
            if (estimate := self._estimates.get(receiver)) is not None and now - estimate.made_at < ESTIMATE_LIFETIME
        ]
        return max(MINIMUM_BITRATE, min([self._maximum, *shares]))
