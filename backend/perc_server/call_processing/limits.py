"""What one address may ask of this server, so that nobody uses up what is there for all.

Two kinds: an allowance flows in with time and can be saved up to a burst; a share is held and given back. Both are
generous enough for a classroom of fifty behind one address. They are kept in memory: a restart forgets them.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from http import HTTPStatus

from perc_server.call_processing.counts import CallProcessingCounts, LimitKind
from perc_server.problems import Problem, ProblemKind

OFFERS = 300
"""Offers at once: a class of fifty joins, asks for more slots three times each as it grows, and joins once more when
its teacher reloads."""

OFFERS_PER_SECOND = 2.0
"""And that again within three minutes."""

PENDING_OFFERS = 50
"""Offers that wait for the Key Distributor's signature: the class joins at once. A conference has room for twice as
many, so that one address does not keep everybody else out."""

STARTS = 30
"""Conferences at once: the classes of a school begin on the hour, and some reload."""

STARTS_PER_SECOND = 0.5
"""A conference without a tunnel lives for 60 s: one address has at most 60 such, of the 256 of a Media Distributor."""

STREAMS = 100
"""Event streams: a class, each with an old stream that is not known to be gone yet, or in a second tab."""

MAXIMUM_ADDRESSES = 10_000
"""Addresses remembered; beyond it the one that has been quiet the longest is forgotten."""

PATIENCE = 5.0
"""Seconds after which to ask again for a share, which is given back when somebody has gone or was answered."""

_PHRASES = {
    LimitKind.STARTS: "conferences started",
    LimitKind.OFFERS: "offers",
    LimitKind.PENDING_OFFERS: "offers at once",
    LimitKind.STREAMS: "event streams",
}


class Allowances:
    """By address: so much at once, and so much per second; `clock` gives seconds."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, address: str) -> float:
        """Spends one; seconds to wait instead if there is none left."""
        now = self._clock()
        left, at = self._left.get(address, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[address] = (left if wait else left - 1, now)
        self._left.move_to_end(address)
        if len(self._left) > MAXIMUM_ADDRESSES:
            self._left.popitem(last=False)
        return wait


class Shares:
    """By address: so much at a time."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._held: Counter[str] = Counter()

    def take(self, address: str) -> Callable[[], None] | None:
        """Takes one, to be given back by calling what is returned; `None` if the address holds all that it may."""
        if self._held[address] >= self._each:
            return None
        self._held[address] += 1
        give_back = contextlib.ExitStack()
        give_back.callback(self._give_back, address)
        return give_back.close  # which does it once, however often it is called

    def _give_back(self, address: str) -> None:
        self._held[address] -= 1
        if not self._held[address]:
            del self._held[address]


class Limits:
    """All limits of one server; each raises a `Problem` for an address that asks for more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, counts: CallProcessingCounts | None = None) -> None:
        self._counts = counts or CallProcessingCounts()
        self._offers = Allowances(OFFERS, OFFERS_PER_SECOND, clock)
        self._starts = Allowances(STARTS, STARTS_PER_SECOND, clock)
        self._pending = Shares(PENDING_OFFERS)
        self._streams = Shares(STREAMS)

    def start(self, address: str) -> None:
        """One more conference is started."""
        if wait := self._starts.spend(address):
            raise self._too_many(LimitKind.STARTS, wait)

    @contextlib.contextmanager
    def offer(self, address: str) -> Iterator[None]:
        """One more offer, which is being answered meanwhile."""
        if wait := self._offers.spend(address):
            raise self._too_many(LimitKind.OFFERS, wait)
        give_back = self._pending.take(address)
        if give_back is None:
            raise self._too_many(LimitKind.PENDING_OFFERS, PATIENCE)
        try:
            yield
        finally:
            give_back()

    def stream(self, address: str) -> Callable[[], None]:
        """One more event stream; what is returned is to be called when it has ended."""
        give_back = self._streams.take(address)
        if give_back is None:
            raise self._too_many(LimitKind.STREAMS, PATIENCE)
        return give_back

    def _too_many(self, limit: LimitKind, wait: float) -> Problem:
        self._counts.limits[limit] += 1
        detail = f"Too many {_PHRASES[limit]} from your address. Try again in a moment."
        return Problem(HTTPStatus.TOO_MANY_REQUESTS, ProblemKind.TOO_MANY, detail, retry_after=wait)
