"""Key frame requests are rare, and bit rates follow the slowest receiver."""

from __future__ import annotations

from perc_server.media_distributor.feedback import (
    ESTIMATE_LIFETIME,
    KEY_FRAME_INTERVAL,
    MINIMUM_BITRATE,
    Bandwidth,
    KeyFrameRequests,
)


def test_a_request_is_due_at_once_and_its_repetitions_after_the_interval() -> None:
    requests = KeyFrameRequests()
    requests.request(1)
    assert requests.due(0.0) == [1]
    requests.request(1)
    requests.request(1)
    assert requests.due(KEY_FRAME_INTERVAL / 2) == []
    assert requests.due(KEY_FRAME_INTERVAL) == [1], "put off, not lost"
    assert requests.due(9.0) == []


def test_sources_do_not_wait_for_one_another() -> None:
    requests = KeyFrameRequests()
    requests.request(1)
    requests.due(0.0)
    requests.request(2)
    assert requests.due(0.1) == [2]


def test_nothing_is_asked_of_a_source_that_ended() -> None:
    requests = KeyFrameRequests()
    requests.request(1)
    requests.forget(1)
    assert requests.due(0.0) == []


def test_the_maximum_holds_without_estimates() -> None:
    assert Bandwidth(2_500_000).allowance({"bob": 1}, 0.0) == 2_500_000


def test_the_slowest_receiver_counts_and_its_streams_share() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimate("bob", 2_000_000, 0.0)
    bandwidth.estimate("carol", 5_000_000, 0.0)
    assert bandwidth.allowance({"bob": 1, "carol": 1}, 1.0) == 2_000_000
    assert bandwidth.allowance({"bob": 4, "carol": 1}, 1.0) == 500_000
    assert bandwidth.allowance({"carol": 1}, 1.0) == 2_500_000


def test_nobody_presses_a_sender_to_nothing() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimate("bob", 0, 0.0)
    assert bandwidth.allowance({"bob": 1}, 0.0) == MINIMUM_BITRATE


def test_old_estimates_and_those_who_left_count_no_more() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimate("bob", 500_000, 0.0)
    assert bandwidth.allowance({"bob": 1}, ESTIMATE_LIFETIME) == 2_500_000
    bandwidth.estimate("bob", 500_000, 20.0)
    bandwidth.forget("bob")
    assert bandwidth.allowance({"bob": 1}, 20.0) == 2_500_000
