"""Positions and outgoing sequence numbers: gaps of swallowed packets close, and nothing comes twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from perc_server.media_distributor.sequence import MAXIMUM_GAP, IncomingSequence, OutgoingSequence


def positions(*arrivals: tuple[int, bool]) -> list[int | None]:
    """Positions relative to the first; None for swallowed packets."""
    incoming = IncomingSequence(arrivals[0][0])
    first = incoming.highest
    result: list[int | None] = []
    for sequence_number, swallowed in arrivals:
        index = incoming.extend(sequence_number)
        if swallowed:
            incoming.swallow(index)
            result.append(None)
        else:
            result.append(incoming.position(index) - first)
            incoming.advance(index)
    return result


def test_swallowed_packets_leave_no_gap() -> None:
    assert positions((10, False), (11, True), (12, True), (13, False)) == [0, None, None, 1]


def test_lost_packets_do() -> None:
    assert positions((10, False), (13, False)) == [0, 3]


def test_a_late_packet_takes_its_place_before_the_swallowed_one() -> None:
    assert positions((10, False), (12, True), (13, False), (11, False)) == [0, None, 2, 1]


def test_a_late_padding_packet_leaves_its_gap() -> None:
    # 12 went out as position 2 already; closing the gap now would give 13 the same.
    assert positions((10, False), (12, False), (11, True), (13, False)) == [0, 2, None, 3]


def test_the_sequence_number_rolls_over() -> None:
    assert positions((65534, False), (65535, True), (0, False), (1, False)) == [0, None, 1, 2]


@settings(max_examples=60)
@given(
    st.integers(0, 65535),
    st.lists(st.booleans(), min_size=1, max_size=120),
    st.randoms(use_true_random=False),
    st.integers(0, 8),
)
def test_no_position_comes_twice(first: int, kinds: list[bool], random: object, disorder: int) -> None:
    order = sorted(range(len(kinds)), key=lambda number: number + random.uniform(0, disorder))  # type: ignore[attr-defined]
    order.remove(0)
    arrivals = [((first + number) % 65536, kinds[number]) for number in [0, *order]]
    forwarded = [position for position in positions(*arrivals) if position is not None]
    assert len(set(forwarded)) == len(forwarded)
    by_number = [
        position for _, position in sorted(zip([0, *order], positions(*arrivals), strict=True)) if position is not None
    ]
    assert by_number == sorted(by_number), "the order on the way in is the order on the way out"


def test_outgoing_numbers_begin_low_and_follow_the_positions() -> None:
    outgoing = OutgoingSequence()
    first = outgoing.place(90_000)
    assert first is not None
    assert first < 1 << 15, "so that the receiver finds the ROC"
    assert [outgoing.place(position) for position in (90_001, 90_003, 90_002)] == [first + 1, first + 3, first + 2]


def test_a_pause_goes_on_where_it_stopped() -> None:
    outgoing = OutgoingSequence()
    first = outgoing.place(100) or 0
    outgoing.place(101)
    outgoing.resume()
    assert outgoing.place(70_000) == first + 2
    assert outgoing.place(69_999) is None, "from before the pause ended: its number may be taken"
    assert outgoing.place(70_001) == first + 3


def test_another_source_under_the_same_ssrc_goes_on_where_the_first_stopped() -> None:
    outgoing = OutgoingSequence()
    first = outgoing.place(100_000) or 0
    outgoing.resume()
    assert outgoing.place(5) == first + 1


def test_a_gap_that_would_put_the_roc_in_doubt_is_closed() -> None:
    outgoing = OutgoingSequence()
    first = outgoing.place(0) or 0
    assert outgoing.place(MAXIMUM_GAP) == first + MAXIMUM_GAP
    assert outgoing.place(3 * MAXIMUM_GAP) == first + MAXIMUM_GAP + 1


@settings(max_examples=60)
@given(st.lists(st.one_of(st.integers(0, 20_000), st.none()), max_size=80))
def test_no_number_is_given_twice(positions_or_pauses: list[int | None]) -> None:
    outgoing = OutgoingSequence()
    seen: set[int] = set()
    asked: set[int] = set()
    for position in positions_or_pauses:
        if position is None:
            outgoing.resume()
            asked.clear()
        elif position not in asked:
            asked.add(position)
            number = outgoing.place(position)
            assert number is None or number not in seen
            if number is not None:
                seen.add(number)
