"""Limits on guessing: so many failures for one key within a window, then a pause."""

from __future__ import annotations

from collections import OrderedDict, deque

MAX_KEYS = 10_000
"""Keys remembered; beyond it the one that has been quiet the longest is forgotten."""


class FailureLimit:
    """Counts failures by key (a name, an address) in a sliding window of seconds."""

    def __init__(self, failures: int, window: float) -> None:
        self._failures = failures
        self._window = window
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until another attempt is allowed; 0 if it is allowed now."""
        times = self._times.get(key)
        if times is None:
            return 0.0
        while times and times[0] <= now - self._window:
            times.popleft()
        return times[0] + self._window - now if len(times) >= self._failures else 0.0

    def failed(self, key: str, now: float) -> None:
        """Counts one failure."""
        self._times.setdefault(key, deque(maxlen=self._failures)).append(now)
        self._times.move_to_end(key)
        if len(self._times) > MAX_KEYS:
            self._times.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forgets the failures of a key that has now proved itself."""
        self._times.pop(key, None)
