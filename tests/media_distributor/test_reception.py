"""Reception statistics (RFC 3550, Appendix A)."""

from __future__ import annotations

from perc_server.media_distributor.reception import Reception


def test_nothing_lost() -> None:
    reception = Reception(5, 48_000, 65_536)
    for number in range(10):
        reception.packet(65_536 + number, 960 * number, 0.02 * number)
    block = reception.report(1.0)
    assert (block.ssrc, block.fraction_lost, block.packets_lost, block.highest_sequence) == (5, 0, 0, 65_545)
    assert block.jitter == 0
    assert (block.last_sender_report, block.delay_since_last_sender_report) == (0, 0)


def test_loss_since_the_last_report_and_in_all() -> None:
    reception = Reception(5, 48_000, 100)
    for index in (100, 101, 103):
        reception.packet(index, 0, 0.0)
    block = reception.report(1.0)
    assert (block.fraction_lost, block.packets_lost) == (256 // 4, 1)
    reception.packet(104, 0, 0.0)
    block = reception.report(2.0)
    assert (block.fraction_lost, block.packets_lost) == (0, 1)


def test_a_late_packet_is_no_loss() -> None:
    reception = Reception(5, 48_000, 100)
    for index in (100, 102, 101):
        reception.packet(index, 0, 0.0)
    assert reception.report(1.0).packets_lost == 0


def test_jitter_is_in_timestamp_units() -> None:
    reception = Reception(5, 1000, 0)
    reception.packet(0, 0, 0.0)
    reception.packet(1, 20, 0.036)  # 16 ms late
    assert reception.report(1.0).jitter == 1


def test_the_delay_since_the_last_sender_report() -> None:
    reception = Reception(5, 48_000, 0)
    reception.packet(0, 0, 0.0)
    reception.sender_report(0x0000_1234_5678_0000, 10.0)
    block = reception.report(10.5)
    assert (block.last_sender_report, block.delay_since_last_sender_report) == (0x12345678, 1 << 15)
