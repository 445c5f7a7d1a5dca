"""Failures are counted by key, in a window, within bounds."""

from __future__ import annotations

from perc_server.identity_provider.throttle import MAX_KEYS, FailureLimit


def test_so_many_failures_then_a_pause_until_the_window_has_moved_on() -> None:
    limit = FailureLimit(3, 60)
    for now in (0, 10, 20):
        assert limit.wait("alice", now) == 0
        limit.failed("alice", now)
    assert limit.wait("alice", 30) == 30
    assert limit.wait("anna", 30) == 0
    assert limit.wait("alice", 60) == 0


def test_success_forgets() -> None:
    limit = FailureLimit(1, 60)
    limit.failed("alice", 0)
    limit.succeeded("alice")
    assert limit.wait("alice", 1) == 0


def test_memory_is_bounded() -> None:
    limit = FailureLimit(1, 60)
    for number in range(MAX_KEYS + 1):
        limit.failed(str(number), 0)
    assert limit.wait("0", 1) == 0
    assert limit.wait("1", 1) > 0
