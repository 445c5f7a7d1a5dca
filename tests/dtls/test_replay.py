"""The replay window against the definition: a set of all numbers ever seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perc.dtls.replay import WINDOW_SIZE, ReplayWindow


@given(st.lists(st.integers(0, 3 * WINDOW_SIZE), max_size=200))
def test_each_number_once_and_none_from_before_the_window(numbers):
    window, seen = ReplayWindow(), set()
    for number in numbers:
        in_window = not seen or number > max(seen) - WINDOW_SIZE
        assert window.is_fresh(number) == (in_window and number not in seen)
        if window.is_fresh(number):
            window.mark(number)
            seen.add(number)


def test_a_jump_forgets_what_is_left_behind():
    window = ReplayWindow()
    window.mark(0)
    window.mark(2**48 - 1)
    assert not window.is_fresh(2**48 - 1)
    assert not window.is_fresh(1)
    assert window.is_fresh(2**48 - 2)
