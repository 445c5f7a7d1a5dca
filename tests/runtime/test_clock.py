"""A computer whose two clocks the test moves."""

from __future__ import annotations

from perc.runtime.clock import SleepCountingClock


class Computer:
    def __init__(self) -> None:
        self.awake, self.time_of_day = 100.0, 1_700_000_000.0
        self.clock = SleepCountingClock(lambda: self.awake, lambda: self.time_of_day)

    def spend(self, awake: float, time_of_day: float | None = None) -> float:
        self.awake += awake
        self.time_of_day += awake if time_of_day is None else time_of_day
        return self.clock.read()


def test_time_that_passes_awake_is_the_clocks_own() -> None:
    assert Computer().spend(400) == 500


def test_a_sleep_counts_once() -> None:
    computer = Computer()
    assert computer.spend(1, 3601) == 3701
    assert computer.clock.read() == 3701
    assert computer.spend(1) == 3702


def test_a_time_of_day_that_drifts_or_is_set_back_changes_nothing() -> None:
    computer = Computer()
    for _ in range(100):
        computer.spend(1, 1.125)
    assert computer.spend(0, -3600) == 200
    assert computer.spend(1) == 201
