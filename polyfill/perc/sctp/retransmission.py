"""The retransmission timer of one destination (RFC 9260, Section 6.3)."""

from __future__ import annotations

RTO_INITIAL = 0.5
RTO_MIN = 0.4
RTO_MAX = 8.0
"""Seconds. Section 16 recommends 1, 1 and 60 for the open Internet; here a key waits for it, the peer acknowledges
within 200 ms, and after a minute without any progress the association is over anyway."""
MAX_RETRANSMISSIONS = 10
"""Expiries in a row after which the peer is unreachable (Association.Max.Retrans of Section 16)."""

_ALPHA = 1 / 8
_BETA = 1 / 4


class RetransmissionTimer:
    """T3-rtx or T2-shutdown: when it is due, how long it waits, and how often it expired in a row."""

    def __init__(self) -> None:
        self.due_at: float | None = None
        self.expiries = 0
        self._rto = RTO_INITIAL
        self._smoothed: float | None = None
        self._variation = 0.0

    @property
    def rto(self) -> float:
        """Seconds that the next start waits."""
        return self._rto

    @property
    def exhausted(self) -> bool:
        """Whether the peer has not answered for too long."""
        return self.expiries > MAX_RETRANSMISSIONS

    def start(self, now: float) -> None:
        """Run, if it does not yet."""
        if self.due_at is None:
            self.due_at = now + self._rto

    def restart(self, now: float) -> None:
        """Run anew from `now`."""
        self.due_at = now + self._rto

    def stop(self) -> None:
        """Nothing is outstanding."""
        self.due_at = None

    def progress(self) -> None:
        """The peer acknowledged something new."""
        self.expiries = 0

    def expire(self) -> None:
        """The timer ran out: "RTO <- RTO * 2 ('back off the timer')" (rule E2)."""
        self.due_at = None
        self.expiries += 1
        self._rto = min(2 * self._rto, RTO_MAX)

    def measured(self, round_trip: float) -> None:
        """A round trip of something that was sent only once (rules C2, C3 and Karn's, C5)."""
        if self._smoothed is None:
            self._smoothed, self._variation = round_trip, round_trip / 2
        else:
            self._variation += _BETA * (abs(self._smoothed - round_trip) - self._variation)
            self._smoothed += _ALPHA * (round_trip - self._smoothed)
        self._rto = min(max(self._smoothed + 4 * self._variation, RTO_MIN), RTO_MAX)
