"""The conference's own time, which stands still while nobody could be reached.

Deadlines of associations say how long an endpoint may take. While there is no tunnel, and while this Key Distributor
itself could not run (a frozen page, a sleeping computer), an endpoint cannot keep one, so that time does not count.

    now ───────▶ ·····│ stop ~~~~~~~~ go_on │·····│ asleep ~~~~ │·····▶
    read(now) ─▶ ·····│                     │·····│             │·····▶
"""

from __future__ import annotations

import math


class ConferenceClock:
    """Translates monotonic time to the conference's time and back."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._stopped_at: float | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether time stands still."""
        return self._stopped_at is not None

    def read(self, now: float) -> float:
        """The conference's time."""
        return (now if self._stopped_at is None else self._stopped_at) - self._skipped

    def when(self, time: float) -> float:
        """The monotonic time of a conference's time to come, if the clock goes on; `read` of it is never earlier."""
        when = time + self._skipped
        return when if when - self._skipped >= time else math.nextafter(when, math.inf)

    def stop(self, now: float) -> None:
        """Stand still from now on."""
        self._stopped_at = now

    def go_on(self, now: float) -> float:
        """Go on; for how many seconds the clock stood still."""
        stood_still = 0.0 if self._stopped_at is None else now - self._stopped_at
        self._stopped_at = None
        self.skip(stood_still)
        return stood_still

    def skip(self, seconds: float) -> None:
        """Leave out the last seconds."""
        self._skipped += seconds
