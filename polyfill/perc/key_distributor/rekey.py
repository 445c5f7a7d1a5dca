"""When the conference gets a new EKTKey (RFC 8871, Section 4.5.2, leaves it to the Key Distributor).

Always at half of ekt_ttl. With `ON_MEMBERSHIP` also for each one who joins, so that a newcomer cannot read what was
recorded before, and for each one who leaves: the first join rekeys at once; a join less than a second after a rekey
waits for the next one and gets only that key, so that fifty who come together do not mean fifty rekeys.
"""

from __future__ import annotations

from enum import Enum

from perc.key_distributor.ekt_keys import EKT_TTL

JOIN_INTERVAL = 1.0
"""Seconds between rekeys for newcomers: what someone who joins in a crowd has to wait at most."""

LEAVE_INTERVAL = 0.25
"""Seconds between rekeys for leavers: the old key is valid for this overlap anyway."""


class RekeyPolicy(Enum):
    """What a new EKTKey is made for."""

    AT_HALF_LIFE = "only before the old one expires"
    ON_MEMBERSHIP = "whenever someone joins or leaves, too"


class RekeyCause(Enum):
    """Why the next EKTKey is made; the values stand in a trace."""

    JOIN = "join"
    LEAVE = "leave"
    HALF_LIFE = "half-life"


class RekeySchedule:
    """Knows when the next rekey is due, and why; `due` is None while the conference has no key and needs none."""

    def __init__(self, policy: RekeyPolicy) -> None:
        self._policy = policy
        self._last: float | None = None
        self.due: float | None = None
        self.cause = RekeyCause.JOIN

    @property
    def newcomers_share_key(self) -> bool:
        """Whether a newcomer may have the key that was used before it came."""
        return self._policy is RekeyPolicy.AT_HALF_LIFE

    def joined(self, now: float) -> None:
        """Someone needs a key."""
        if self._last is None:
            self.due, self.cause = now, RekeyCause.JOIN
        elif not self.newcomers_share_key:
            self._advance(max(now, self._last + JOIN_INTERVAL), RekeyCause.JOIN)

    def left(self, now: float) -> None:
        """Someone who knows the key must not hear more."""
        if self._last is not None and self._policy is RekeyPolicy.ON_MEMBERSHIP:
            self._advance(max(now, self._last + LEAVE_INTERVAL), RekeyCause.LEAVE)

    def rekeyed(self, now: float) -> None:
        """There is a new key."""
        self._last = now
        self.due, self.cause = now + EKT_TTL / 2, RekeyCause.HALF_LIFE

    def age(self, seconds: float) -> None:
        """The last rekey is longer ago, by seconds that `now` does not count."""
        if self._last is not None:
            self._last -= seconds
        if self.due is not None:
            self.due -= seconds

    def stop(self) -> None:
        """Nobody is there who needs a key."""
        self._last = self.due = None

    def _advance(self, due: float, cause: RekeyCause) -> None:
        if self.due is None or due < self.due:
            self.due, self.cause = due, cause
