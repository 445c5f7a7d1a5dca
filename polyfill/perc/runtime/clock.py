"""Monotonic time that goes on while the computer sleeps.

On Linux and macOS performance.now() stands still meanwhile (w3c/hr-time, issue 115), so that nothing here would
know how old its EKTKey has become. The time of day goes on. Only what it gains all at once counts, so that clocks which
drift or are set right do no harm.
"""

from __future__ import annotations

from collections.abc import Callable

SLEEP = 5.0
"""Seconds that a sleep lasts at least."""


class SleepCountingClock:
    """`awake` never goes back, `time_of_day` may; both are in seconds."""

    def __init__(self, awake: Callable[[], float], time_of_day: Callable[[], float]) -> None:
        self._awake = awake
        self._time_of_day = time_of_day
        self._ahead = time_of_day() - awake()
        self._slept = 0.0

    def read(self) -> float:
        """The time awake, and what was slept."""
        awake = self._awake()
        ahead = self._time_of_day() - awake
        if ahead - self._ahead >= SLEEP:
            self._slept += ahead - self._ahead
        self._ahead = ahead
        return awake + self._slept
