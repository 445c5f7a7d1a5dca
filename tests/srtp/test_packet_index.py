"""Packet indices and replay (RFC 3711, Section 3.3 and Appendix A)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import ApiMisuse
from perc.srtp import packet_index
from perc.srtp.packet_index import INDEX_LIMIT, WINDOW_SIZE, IndexCounter, ReplayWindow, RisingIndex, estimate_index


@given(st.integers(0, 2**40), st.integers(-32767, 32767))
def test_the_closest_index_is_estimated(highest: int, distance: int) -> None:
    assert estimate_index(highest, (highest + distance) % 65536) == highest + distance


@pytest.mark.parametrize(
    ("highest", "sequence", "index"),
    [
        (None, 7, 7),
        (0xFFFF, 0, 0x10000),
        (0x10000, 0xFFFF, 0xFFFF),
        (5, 0x8005, 0x8005),
        (0x18000, 0, 0x10000),
        (5, 0xFFFF, -1),
    ],
)
def test_rollover_and_ties_as_appendix_a_decides(highest: int | None, sequence: int, index: int) -> None:
    assert estimate_index(highest, sequence) == index


def test_a_counter_starts_below_2_15_and_never_repeats() -> None:
    counter = IndexCounter(lambda length: b"\xff" * length)
    assert [counter.take() for _ in range(3)] == [0x7FFF, 0x8000, 0x8001]


def test_a_counter_ends_before_an_index_would_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    assert INDEX_LIMIT == 2**48, "RFC 3711, Section 9.2"
    monkeypatch.setattr(packet_index, "INDEX_LIMIT", 2)
    counter = IndexCounter(bytes)
    assert [counter.take(), counter.take()] == [0, 1]
    with pytest.raises(ApiMisuse):
        counter.take()


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_a_window_takes_each_recent_index_once(indices: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for index in indices:
        highest = max(seen, default=-1)
        assert window.is_fresh(index) is (index not in seen and index > highest - WINDOW_SIZE)
        if window.is_fresh(index):
            window.accept(index)
            seen.add(index)
    assert window.highest == max(seen, default=None)


def test_indices_out_of_range_are_never_fresh() -> None:
    for state in (ReplayWindow(), RisingIndex()):
        assert not state.is_fresh(-1)
        assert not state.is_fresh(INDEX_LIMIT)
        assert state.is_fresh(0)


def test_rising_takes_nothing_from_before() -> None:
    state = RisingIndex()
    state.accept(5)
    assert [state.is_fresh(index) for index in (4, 5, 6)] == [False, False, True]
    assert state.highest == 5
