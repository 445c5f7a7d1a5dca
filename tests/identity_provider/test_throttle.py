"""Attempts are counted by key, in a window, within bounds."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from perc_server.addresses import network
from perc_server.identity_provider.throttle import MAX_KEYS, AttemptLimit, Limits
from tests.identity_provider.site import Clock


def test_so_many_attempts_then_a_pause_until_the_window_has_moved_on() -> None:
    clock = Clock()
    limit = AttemptLimit(3, 60, clock)
    for _ in range(3):
        assert limit.wait("alice") == 0
        limit.count("alice")
        clock.now += 10
    assert limit.wait("alice") == 30
    assert limit.wait("anna") == 0
    clock.now += 30
    assert limit.wait("alice") == 0


def test_success_forgets() -> None:
    limit = AttemptLimit(1, 60, Clock())
    limit.count("alice")
    limit.forget("alice")
    assert limit.wait("alice") == 0


def test_success_takes_back_one_attempt_of_the_network_and_no_more() -> None:
    limits = Limits(Clock())
    for number in range(29):
        assert limits.guess(f"user{number}", "192.0.2.1") == 0
    for _ in range(5):
        assert limits.guess("alice", "192.0.2.1") == 0
        limits.guessed("alice", "192.0.2.1")
    assert limits.guess("bob", "192.0.2.1") == 0
    assert limits.guess("alice", "192.0.2.1") > 0


def test_those_who_guess_at_a_name_do_not_lock_its_owners_browser() -> None:
    limits = Limits(Clock())
    for _ in range(10):
        assert limits.guess("alice", "198.51.100.1") == 0
    assert limits.guess("alice", "198.51.100.1") > 0
    assert limits.guess("alice", "192.0.2.1") > 0
    assert limits.guess("alice", "192.0.2.1", own=True) == 0


def test_those_who_guess_from_a_network_do_not_lock_the_browsers_of_others_in_it() -> None:
    limits = Limits(Clock())
    for number in range(30):
        limits.guess(f"user{number}", "192.0.2.1")
    assert limits.guess("alice", "192.0.2.1") > 0
    assert limits.guess("alice", "192.0.2.1", own=True) == 0


def test_guesses_at_a_browser_of_the_owners_are_limited_too_for_all_of_them_together() -> None:
    clock = Clock()
    limits = Limits(clock)
    assert [limits.guess("alice", f"192.0.2.{number}", own=True) for number in range(10)] == [0] * 10
    assert limits.guess("alice", "192.0.2.11", own=True) > 0
    assert limits.guess("alice", "192.0.2.11") == 0, "and they cost strangers nothing"
    clock.now += 600
    assert limits.guess("alice", "192.0.2.11", own=True) == 0


def test_a_right_guess_takes_back_only_guesses_of_its_own_kind() -> None:
    limits = Limits(Clock())
    for _ in range(10):
        limits.guess("alice", "198.51.100.1")
        limits.guess("alice", "192.0.2.1", own=True)
    limits.guessed("alice", "192.0.2.1", own=True)
    assert limits.guess("alice", "198.51.100.1") > 0
    assert limits.guess("alice", "192.0.2.1", own=True) == 0


def test_memory_is_bounded() -> None:
    limit = AttemptLimit(1, 60, Clock())
    for number in range(MAX_KEYS + 1):
        limit.count(str(number))
    assert limit.wait("0") == 0
    assert limit.wait("1") > 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "testclient"),
    ],
)
def test_a_host_with_a_whole_ipv6_network_counts_as_one(address: str, key: str) -> None:
    assert network(Request({"type": "http", "client": (address, 1)})) == key
