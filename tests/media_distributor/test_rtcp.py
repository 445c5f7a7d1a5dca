"""RTCP, read and written; aiortc reads what is written and writes what is read."""

from __future__ import annotations

import contextlib

import pytest
from aiortc import rtp
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import DecodeError
from perc_server.media_distributor.reception import ReportBlock
from perc_server.media_distributor.rtcp import (
    Loss,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    SenderReport,
    read_rtcp,
    write_picture_loss_indication,
    write_receiver_report,
    write_remb,
    write_sender_report,
)

BLOCK = ReportBlock(0x1234, 25, -3, 70_000, 12, 0xABCDEF01, 65536)


def test_a_receiver_report_as_aiortc_reads_it() -> None:
    (packet,) = rtp.RtcpPacket.parse(write_receiver_report(1, (BLOCK,)))
    assert isinstance(packet, rtp.RtcpRrPacket)
    (report,) = packet.reports
    assert (packet.ssrc, report.ssrc, report.fraction_lost, report.packets_lost) == (1, 0x1234, 25, -3)
    assert (report.highest_sequence, report.jitter, report.lsr, report.dlsr) == (70_000, 12, 0xABCDEF01, 65536)


def test_of_a_receiver_report_the_loss_is_read() -> None:
    assert read_rtcp(write_receiver_report(1, (BLOCK, BLOCK))) == [Loss(0x1234, 25 / 256)] * 2


def test_a_picture_loss_indication_both_ways() -> None:
    packet = PictureLossIndication(1, 99)
    octets = write_picture_loss_indication(packet)
    assert read_rtcp(octets) == [packet]
    (parsed,) = rtp.RtcpPacket.parse(octets)
    assert isinstance(parsed, rtp.RtcpPsfbPacket)
    assert (parsed.fmt, parsed.media_ssrc) == (1, 99)


def test_a_full_intra_request_is_a_picture_loss_indication_for_each_entry() -> None:
    entries = (5).to_bytes(4, "big") + b"\x07\0\0\0" + (6).to_bytes(4, "big") + b"\x08\0\0\0"
    packet = rtp.RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=entries)
    assert read_rtcp(bytes(packet)) == [PictureLossIndication(1, 5), PictureLossIndication(1, 6)]


@pytest.mark.parametrize("bitrate", [0, 1, 262_143, 262_144, 2_500_000, 30_000_000])
def test_remb_as_aiortc_reads_it(bitrate: int) -> None:
    octets = write_remb(ReceiverEstimatedMaximumBitrate(1, bitrate, (7, 8)))
    (packet,) = rtp.RtcpPacket.parse(octets)
    assert isinstance(packet, rtp.RtcpPsfbPacket)
    read, ssrcs = rtp.unpack_remb_fci(packet.fci)
    assert ssrcs == [7, 8]
    assert bitrate * 0.9999 <= read <= bitrate
    assert read_rtcp(octets) == [ReceiverEstimatedMaximumBitrate(1, read, (7, 8))]


def test_a_sender_report_loses_its_blocks_and_nothing_else() -> None:
    info = rtp.RtcpSenderInfo(ntp_timestamp=1 << 40, rtp_timestamp=9, packet_count=3, octet_count=500)
    block = rtp.RtcpReceiverInfo(1, 64, 0, 0, 0, 0, 0)
    report, loss = read_rtcp(bytes(rtp.RtcpSrPacket(ssrc=77, sender_info=info, reports=[block])))
    assert isinstance(report, SenderReport)
    assert loss == Loss(1, 0.25)
    assert report.ntp_timestamp == 1 << 40
    (written,) = rtp.RtcpPacket.parse(write_sender_report(report))
    assert isinstance(written, rtp.RtcpSrPacket)
    assert (written.ssrc, written.sender_info, written.reports) == (77, info, [])


def test_what_means_nothing_here_is_passed_over() -> None:
    chunk = rtp.RtcpSourceInfo(ssrc=1, items=[(1, b"name")])
    compound = bytes(rtp.RtcpSdesPacket(chunks=[chunk])) + write_picture_loss_indication(PictureLossIndication(1, 2))
    assert read_rtcp(compound) == [PictureLossIndication(1, 2)]


@pytest.mark.parametrize(
    "octets",
    [
        b"\x80",
        b"\x80\xc9\0\x05\0\0\0\x01",
        b"\x40\xc9\0\x01\0\0\0\x01",
        b"\x80\xc8\0\x01\0\0\0\x01",
        b"\x81\xc9\0\x01\0\0\0\x01",
        b"\x81\xce\0\x01\0\0\0\x01",
        b"\x8f\xce\0\x04" + bytes(8) + b"REMB" + b"\x02\0\0\0",
    ],
    ids=[
        "cut header",
        "cut body",
        "version",
        "cut sender report",
        "cut receiver report",
        "cut feedback",
        "REMB of too few SSRCs",
    ],
)
def test_malformed(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        read_rtcp(octets)


@settings(max_examples=100)
@given(st.binary(max_size=80))
def test_anything_at_all_raises_nothing_else(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        read_rtcp(octets)
