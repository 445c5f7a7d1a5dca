"""Limits on guessing: so many attempts for one key within a window, then a pause.

An attempt is counted when it begins, and forgotten if it succeeds: whoever sends a thousand guesses at once gets no
more of them than whoever sends them one by one.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from perc_server.identity_provider.counts import IdentityProviderCounts, LimitKind
from perc_server.problems import Problem, ProblemKind

MAX_KEYS = 10_000
"""Keys remembered; beyond it the one that has been quiet the longest is forgotten."""


class AttemptLimit:
    """Counts attempts by key (a name, a network) in a sliding window of seconds; `clock` gives seconds."""

    def __init__(self, attempts: int, window: float, clock: Callable[[], float]) -> None:
        self._attempts = attempts
        self._window = window
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until another attempt is allowed; 0 if it is allowed now."""
        now, times = self._clock(), self._times.get(key)
        if times is None:
            return 0.0
        while times and times[0] <= now - self._window:
            times.popleft()
        return times[0] + self._window - now if len(times) >= self._attempts else 0.0

    def count(self, key: str) -> None:
        """Counts one attempt."""
        self._times.setdefault(key, deque(maxlen=self._attempts)).append(self._clock())
        self._times.move_to_end(key)
        if len(self._times) > MAX_KEYS:
            self._times.popitem(last=False)

    def take_back(self, key: str) -> None:
        """One attempt was none: it succeeded."""
        with suppress(KeyError, IndexError):
            self._times[key].pop()

    def forget(self, key: str) -> None:
        """Forgets the attempts of a key that has now proved itself."""
        self._times.pop(key, None)


class Limits:
    """All limits of one provider. They are kept in memory: a restart forgets them, and each process has its own."""

    def __init__(self, clock: Callable[[], float], counts: IdentityProviderCounts | None = None) -> None:
        self._counts = counts or IdentityProviderCounts()
        self._names = AttemptLimit(10, 600, clock)
        self._own = AttemptLimit(10, 600, clock)
        self._networks = AttemptLimit(30, 600, clock)
        self._registrations = AttemptLimit(20, 3600, clock)
        self._challenges = AttemptLimit(60, 600, clock)

    def guess(self, name: str, network: str, *, own: bool = False) -> float:
        """Counts a guess at this name's password; seconds to wait instead if there were too many.

        In a browser that has signed in as this name (`own`) it counts for itself: strangers, who could lock a name
        for everybody else, cannot lock it there, and get no guesses by it that they had not.
        """
        if own:
            return self._count(LimitKind.OWN_NAME, self._own, name)
        if wait := self._names.wait(name):
            self._counts.limits[LimitKind.NAME] += 1
        if network_wait := self._networks.wait(network):
            self._counts.limits[LimitKind.NETWORK] += 1
        if wait or network_wait:
            return max(wait, network_wait)
        self._names.count(name)
        self._networks.count(network)
        return 0.0

    def guessed(self, name: str, network: str, *, own: bool = False) -> None:
        """The guess was right. What others tried from that network, or at that name elsewhere, still counts."""
        if own:
            self._own.forget(name)
            return
        self._names.forget(name)
        self._networks.take_back(network)

    def registration(self, network: str) -> float:
        """Counts a registration; seconds to wait instead if there were too many."""
        return self._count(LimitKind.REGISTRATIONS, self._registrations, network)

    def challenge(self, network: str) -> float:
        """Counts a passkey challenge; seconds to wait instead if there were too many."""
        return self._count(LimitKind.CHALLENGES, self._challenges, network)

    def _count(self, kind: LimitKind, limit: AttemptLimit, key: str) -> float:
        wait = limit.wait(key)
        if wait:
            self._counts.limits[kind] += 1
        else:
            limit.count(key)
        return wait


def too_many(wait: float) -> Problem:
    """What to tell whoever has to wait that many seconds."""
    minutes = int(wait // 60) + 1
    detail = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, ProblemKind.TOO_MANY, detail)
