"""What one address may ask of this server, and that nobody else pays for it."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from perc_server.call_processing import limits as module
from perc_server.call_processing.limits import OFFERS, PENDING_OFFERS, STARTS, STREAMS, Allowances, Limits, Shares
from perc_server.problems import Problem


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_as_much_as_flows_in() -> None:
    clock = Clock()
    allowances = Allowances(3, 0.5, clock)
    for _ in range(3):
        assert allowances.spend("alice") == 0
    assert allowances.spend("alice") == 2
    assert allowances.spend("bob") == 0
    clock.now += 1
    assert allowances.spend("alice") == 1
    clock.now += 1
    assert allowances.spend("alice") == 0
    assert allowances.spend("alice") == 2
    clock.now += 1000
    assert [allowances.spend("alice") for _ in range(4)] == [0, 0, 0, 2]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_ADDRESSES", 2)
    allowances = Allowances(1, 0.001, Clock())
    for address in ("a", "b", "a", "c"):
        allowances.spend(address)
    assert allowances.spend("a") > 0, "heard of more lately than b"
    assert allowances.spend("b") == 0


def test_a_share_is_given_back_once() -> None:
    shares = Shares(1)
    give_back = shares.take("alice")
    assert give_back is not None
    assert shares.take("alice") is None
    assert shares.take("bob") is not None
    give_back()
    give_back()
    assert shares.take("alice") is not None
    assert shares.take("alice") is None


def test_a_classroom_of_fifty_behind_one_address_joins_and_joins_again_when_the_teacher_reloads() -> None:
    limits = Limits(Clock())
    streams = [limits.stream("school") for _ in range(50)]
    limits.start("school")
    for _ in range(50 * 3):  # each joins, and asks for more slots twice
        with limits.offer("school"):
            pass
    limits.start("school")
    streams += [limits.stream("school") for _ in range(50)]  # while the old ones are not known to be gone
    pending = [limits.offer("school") for _ in range(50)]
    for each in pending:
        each.__enter__()
    for each in pending:
        each.__exit__(None, None, None)
    for give_back in streams:
        give_back()


def refused(problem: pytest.ExceptionInfo[Problem]) -> None:
    assert (problem.value.status, problem.value.kind) == (HTTPStatus.TOO_MANY_REQUESTS, "too-many")
    assert int(problem.value.response().headers["retry-after"]) > 0


def test_starts_are_limited() -> None:
    limits = Limits(Clock())
    for _ in range(STARTS):
        limits.start("eve")
    with pytest.raises(Problem) as problem:
        limits.start("eve")
    refused(problem)
    limits.start("alice")


def test_offers_are_limited() -> None:
    limits = Limits(Clock())
    for _ in range(OFFERS):
        with limits.offer("eve"):
            pass
    with pytest.raises(Problem) as problem, limits.offer("eve"):
        pass
    refused(problem)
    with limits.offer("alice"):
        pass


def test_offers_that_wait_for_an_answer_are_limited() -> None:
    limits = Limits(Clock())
    pending = [limits.offer("eve") for _ in range(PENDING_OFFERS)]
    for each in pending:
        each.__enter__()
    with pytest.raises(Problem) as problem, limits.offer("eve"):
        pass
    refused(problem)
    with limits.offer("alice"):
        pass
    pending[0].__exit__(None, None, None)
    with limits.offer("eve"):
        pass


def test_event_streams_are_limited() -> None:
    limits = Limits(Clock())
    streams = [limits.stream("eve") for _ in range(STREAMS)]
    with pytest.raises(Problem) as problem:
        limits.stream("eve")
    refused(problem)
    limits.stream("alice")
    streams[0]()
    limits.stream("eve")
