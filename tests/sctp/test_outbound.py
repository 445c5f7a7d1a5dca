"""What may be in flight, and when it grows (RFC 9260, Sections 6.1 and 7.2)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from perc.sctp.chunks import Data, Sack
from perc.sctp.outbound import INITIAL_CWND, MAX_FRAGMENT_LENGTH, Outbound
from perc.sctp.retransmission import MAX_RETRANSMISSIONS, RTO_INITIAL, RTO_MAX, RTO_MIN, RetransmissionTimer

SPACE = 1088


def drain(outbound: Outbound, now: float = 0.0) -> list[Data]:
    sent = []
    while data := outbound.next_data(SPACE, now):
        sent.append(data)
    return sent


def test_the_first_flight_is_four_packets_and_slow_start_adds_one_per_sack() -> None:
    outbound = Outbound(1, 10**6)
    outbound.enqueue(53, bytes(60_000))
    first = drain(outbound)
    assert len(first) == INITIAL_CWND // MAX_FRAGMENT_LENGTH == 4
    outbound.acknowledge(Sack(4, 10**6), 0.1)
    assert len(drain(outbound)) == 5


def test_a_timeout_starts_from_one_packet() -> None:
    outbound = Outbound(1, 10**6)
    outbound.enqueue(53, bytes(60_000))
    drain(outbound)
    outbound.handle_expiry()
    assert [data.tsn for data in drain(outbound)] == [1]


def test_a_fragment_that_the_peer_no_longer_reports_is_outstanding_again() -> None:
    outbound = Outbound(1, 10**6)
    outbound.enqueue(53, bytes(3 * MAX_FRAGMENT_LENGTH))
    drain(outbound)
    outbound.acknowledge(Sack(0, 10**6, ((2, 3),)), 0.1)
    outbound.acknowledge(Sack(0, 10**6), 0.2)
    outbound.handle_expiry()
    outbound.acknowledge(Sack(1, 10**6), 0.3)
    assert [data.tsn for data in drain(outbound)] == [2]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8000)), min_size=1, max_size=25))
@settings(max_examples=60)
def test_the_peers_window_is_respected_but_for_one_probe(steps: list[tuple[int, int]]) -> None:
    outbound = Outbound(0, 5000)
    outbound.enqueue(53, bytes(65_000))
    acknowledged, in_flight = -1, [data.tsn for data in drain(outbound)]
    for number, (count, window) in enumerate(steps):
        acknowledged += min(count, len(in_flight))
        in_flight = in_flight[min(count, len(in_flight)) :]
        outbound.acknowledge(Sack(acknowledged % 2**32, window), float(number))
        new = drain(outbound)
        in_flight += [data.tsn for data in new]
        assert not new or len(in_flight) == 1 or len(in_flight) * MAX_FRAGMENT_LENGTH <= window + MAX_FRAGMENT_LENGTH


def test_the_timeout_follows_round_trips_within_its_limits() -> None:
    timer = RetransmissionTimer()
    assert timer.rto == RTO_INITIAL
    timer.measured(1.0)
    assert timer.rto == 3.0
    for _ in range(50):
        timer.measured(0.001)
    assert timer.rto == RTO_MIN
    for _ in range(MAX_RETRANSMISSIONS + 1):
        assert not timer.exhausted
        timer.expire()
    assert timer.exhausted
    assert timer.rto == RTO_MAX
    timer.progress()
    assert not timer.exhausted
