"""How well a source's packets arrive, as receiver reports say it (RFC 3550, Section 6.4.1 and Appendix A)."""

from __future__ import annotations

from dataclasses import dataclass

_LOSS_LIMIT = (1 << 23) - 1


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One report block; times and fractions in the units of the wire."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int
    delay_since_last_sender_report: int


class Reception:
    """The counters of one source, from its first packet on."""

    def __init__(self, ssrc: int, clock_rate: int, first_index: int) -> None:
        self._ssrc = ssrc
        self._clock_rate = clock_rate
        self._first = first_index
        self._highest = first_index
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._sender_report: tuple[int, float] | None = None

    def packet(self, index: int, timestamp: int, now: float) -> None:
        """A packet with this extended sequence number arrived."""
        self._received += 1
        self._highest = max(self._highest, index)
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            distance = abs(transit - self._transit) % (1 << 32)
            self._jitter += (min(distance, (1 << 32) - distance) - self._jitter) / 16
        self._transit = transit

    def sender_report(self, ntp_timestamp: int, now: float) -> None:
        """The source's sender report arrived, with this 64-bit NTP timestamp."""
        self._sender_report = (ntp_timestamp >> 16 & 0xFFFFFFFF, now)

    def report(self, now: float) -> ReportBlock:
        """A report block on what arrived since the last one (RFC 3550, Appendix A.3)."""
        expected = self._highest - self._first + 1
        lost = max(-_LOSS_LIMIT, min(_LOSS_LIMIT, expected - self._received))
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        fraction = (lost_now << 8) // expected_now if expected_now and lost_now > 0 else 0
        middle, arrival = self._sender_report or (0, now)
        return ReportBlock(
            self._ssrc,
            min(fraction, 255),
            lost,
            self._highest & 0xFFFFFFFF,
            int(self._jitter) & 0xFFFFFFFF,
            middle,
            int((now - arrival) * 65536) & 0xFFFFFFFF,
        )
