"""How senders are steered: key frames are asked for sparingly, bit rates follow the slowest receiver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KEY_FRAME_INTERVAL = 0.5
"""Seconds between two requests to one source: a key frame costs several pictures, whoever asks for it."""

LOW_LOSS = 0.02
"""Below it a bit rate may grow."""

HIGH_LOSS = 0.1
"""Above it a bit rate has to fall."""

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


@dataclass(slots=True)
class _Downlink:
    """One receiver's share for each of its video streams, and what it said last of it."""

    bitrate: int
    estimate: int | None = None


class Bandwidth:
    """What the way to each receiver bears, judged by loss (draft-ietf-rmcat-gcc-02, Section 6).

    A receiver's own estimate counts only while packets are lost. Without abs-send-time it is made from RTP timestamps,
    and takes a busy CPU for a busy network: on loopback, with three senders and nothing lost, estimates were seen to
    fall from 3.4 Mbit/s to 0.3.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._downlinks: dict[str, _Downlink] = {}

    def estimated(self, receiver: str, share: int) -> None:
        """The receiver's REMB, divided by the number of its video streams."""
        self._downlink(receiver).estimate = share

    def lost(self, receiver: str, fraction: float) -> None:
        """A receiver report: this fraction of a video stream was lost since the last one."""
        downlink = self._downlink(receiver)
        bitrate = float(downlink.bitrate)
        if fraction < LOW_LOSS:
            bitrate *= 1.08
        elif downlink.estimate is not None:
            bitrate = min(bitrate, downlink.estimate)
        if fraction > HIGH_LOSS:
            bitrate *= 1 - fraction / 2
        downlink.bitrate = int(max(MINIMUM_BITRATE, min(self._maximum, bitrate)))

    def forget(self, receiver: str) -> None:
        """The receiver left."""
        self._downlinks.pop(receiver, None)

    def allowance(self, receivers: Iterable[str]) -> int:
        """Bits per second for a source with these receivers: as much as the slowest of them can take."""
        shares = (self._downlinks[receiver].bitrate for receiver in receivers if receiver in self._downlinks)
        return min(shares, default=self._maximum)

    def _downlink(self, receiver: str) -> _Downlink:
        return self._downlinks.setdefault(receiver, _Downlink(self._maximum))
