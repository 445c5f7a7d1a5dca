"""RTCP of a conference: what receivers ask for goes to senders, what senders say of their clocks goes to receivers."""

from __future__ import annotations

from perc.errors import DecodeError
from perc_server.media_distributor.counts import MediaDistributorCounts, PacketDrop
from perc_server.media_distributor.endpoint import Endpoint
from perc_server.media_distributor.feedback import Bandwidth
from perc_server.media_distributor.packet_path import PacketPath
from perc_server.media_distributor.rtcp import (
    Loss,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    RtcpPacket,
    SenderReport,
    read_rtcp,
    write_picture_loss_indication,
    write_receiver_report,
    write_remb,
    write_sender_report,
)
from perc_server.media_distributor.switchboard import OWN_SSRC, Switchboard

REPORT_INTERVAL = 1.0
"""Seconds between two reports to a sender: as often as browsers report."""

_MAXIMUM_BLOCKS = 31
"""Report blocks in a packet: the count has five bits."""


class Reports:
    """Reads each endpoint's RTCP, and writes the Media Distributor's own."""

    def __init__(
        self, path: PacketPath, switchboard: Switchboard, maximum_bitrate: int, counts: MediaDistributorCounts
    ) -> None:
        self._counts = counts
        self._path = path
        self._switchboard = switchboard
        self._bandwidth = Bandwidth(maximum_bitrate)
        self._next_report: dict[str, float] = {}

    def receive(self, endpoint: Endpoint, packet: bytes, now: float) -> None:
        """An SRTCP packet came from the endpoint."""
        compound = self._path.receive_rtcp(endpoint.endpoint_id, packet)
        if compound is None:
            return
        try:
            packets = read_rtcp(compound)
        except DecodeError:
            self._counts.packets_dropped[PacketDrop.RTCP_MALFORMED] += 1
            return  # it authenticated, so it is the endpoint's own loss
        for each in packets:
            self._take(endpoint, each, now)
        self.request_key_frames(now)

    def _take(self, endpoint: Endpoint, packet: RtcpPacket, now: float) -> None:
        receiver = endpoint.endpoint_id
        match packet:
            case SenderReport():
                self._forward(endpoint, packet, now)
            case PictureLossIndication(media_ssrc=ssrc):
                if receiver in self._switchboard.receivers(ssrc):
                    self._switchboard.key_frames.request(ssrc)
            case Loss(media_ssrc=ssrc, fraction=fraction):
                if ssrc in self._switchboard.videos(receiver):
                    self._bandwidth.lost(receiver, fraction)
            case ReceiverEstimatedMaximumBitrate(bitrate=bitrate):
                self._bandwidth.estimated(receiver, bitrate // max(1, len(self._switchboard.videos(receiver))))

    def request_key_frames(self, now: float) -> None:
        """Send the requests that are due."""
        for ssrc in self._switchboard.key_frames.due(now):
            owner = self._switchboard.owner(ssrc)
            if owner is not None:
                compound = write_receiver_report(OWN_SSRC, ())
                compound += write_picture_loss_indication(PictureLossIndication(OWN_SSRC, ssrc))
                self._path.send_rtcp(owner.endpoint_id, compound)

    def report(self, endpoint: Endpoint, now: float) -> None:
        """Tell the endpoint how its sources arrive and how much they may take, if it is time."""
        sources = list(self._switchboard.sources_of(endpoint))[:_MAXIMUM_BLOCKS]
        if not sources or now < self._next_report.get(endpoint.endpoint_id, 0.0):
            return
        self._next_report[endpoint.endpoint_id] = now + REPORT_INTERVAL
        blocks = [self._path.report(source.ssrc, now) for source in sources]
        compound = write_receiver_report(OWN_SSRC, tuple(block for block in blocks if block is not None))
        videos = tuple(source.ssrc for source in sources if source.kind == "video")
        if videos:
            # The estimate is for all of the endpoint's streams together.
            bitrate = sum(self._bandwidth.allowance(self._switchboard.receivers(ssrc)) for ssrc in videos)
            compound += write_remb(ReceiverEstimatedMaximumBitrate(OWN_SSRC, bitrate, videos))
        self._path.send_rtcp(endpoint.endpoint_id, compound)

    def left(self, endpoint: Endpoint) -> None:
        """The endpoint is gone."""
        self._bandwidth.forget(endpoint.endpoint_id)
        self._next_report.pop(endpoint.endpoint_id, None)

    def _forward(self, endpoint: Endpoint, report: SenderReport, now: float) -> None:
        if self._switchboard.owner(report.ssrc) is not endpoint:
            return
        self._path.sender_report(report.ssrc, report.ntp_timestamp, now)
        for receiver in self._switchboard.receivers(report.ssrc):
            self._path.send_rtcp(receiver, write_sender_report(report))
