"""Key frame requests are rare, and bit rates follow the slowest receiver."""

from __future__ import annotations

from perc_server.media_distributor.feedback import (
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


def test_the_maximum_holds_without_loss() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimated("bob", 300_000)
    bandwidth.lost("bob", 0.0)
    assert bandwidth.allowance(["bob", "carol"]) == 2_500_000, "an estimate alone may be a busy CPU"


def test_loss_confirms_the_estimate() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimated("bob", 800_000)
    bandwidth.lost("bob", 0.05)
    assert bandwidth.allowance(["bob"]) == 800_000


def test_little_loss_without_an_estimate_changes_nothing() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.lost("bob", 0.05)
    assert bandwidth.allowance(["bob"]) == 2_500_000


def test_high_loss_presses_and_its_end_lets_grow() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.lost("bob", 0.2)
    assert bandwidth.allowance(["bob"]) == 2_250_000
    bandwidth.lost("bob", 0.0)
    assert bandwidth.allowance(["bob"]) == 2_430_000
    bandwidth.lost("bob", 0.0)
    assert bandwidth.allowance(["bob"]) == 2_500_000


def test_the_slowest_receiver_counts_and_only_among_the_sources_own() -> None:
    bandwidth = Bandwidth(2_000_000)
    bandwidth.lost("bob", 0.5)
    bandwidth.lost("carol", 0.2)
    assert bandwidth.allowance(["bob", "carol"]) == 1_500_000
    assert bandwidth.allowance(["carol"]) == 1_800_000
    bandwidth.forget("bob")
    assert bandwidth.allowance(["bob"]) == 2_000_000


def test_nobody_presses_a_sender_to_nothing() -> None:
    bandwidth = Bandwidth(2_500_000)
    bandwidth.estimated("bob", 0)
    for _ in range(20):
        bandwidth.lost("bob", 1.0)
    assert bandwidth.allowance(["bob"]) == MINIMUM_BITRATE
