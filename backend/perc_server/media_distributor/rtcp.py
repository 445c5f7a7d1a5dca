"""RTCP packets, as far as a Media Distributor reads or writes them (RFC 3550, RFC 4585, RFC 5104, REMB).

RTCP is hop by hop (RFC 8723, Section 7): what is read here comes from one endpoint, what is written goes to one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from perc.errors import DecodeError
from perc_server.media_distributor.reception import ReportBlock

SENDER_REPORT = 200
RECEIVER_REPORT = 201
PAYLOAD_SPECIFIC_FEEDBACK = 206

_PICTURE_LOSS_INDICATION = 1
_FULL_INTRA_REQUEST = 4
_APPLICATION_LAYER_FEEDBACK = 15

_BLOCK = 24
_SENDER_INFO = 20
_REMB = b"REMB"
_MANTISSA = (1 << 18) - 1
_MAXIMUM_SSRCS = 255

_header = struct.Struct("!BBH")
_feedback = struct.Struct("!II")


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a source says of its clock and its counters; it passes through unchanged, for the receivers' lip-sync."""

    ssrc: int
    sender_info: bytes

    @property
    def ntp_timestamp(self) -> int:
        """64 bits."""
        return int.from_bytes(self.sender_info[:8], "big")


@dataclass(frozen=True, slots=True)
class Loss:
    """Of a report block, how much of a stream was lost since the last one."""

    media_ssrc: int
    fraction: float


@dataclass(frozen=True, slots=True)
class PictureLossIndication:
    """A key frame of `media_ssrc` is asked for; a full intra request is read as one, too."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class ReceiverEstimatedMaximumBitrate:
    """Bits per second that the streams of `ssrcs` may take together (draft-alvestrand-rmcat-remb-03)."""

    sender_ssrc: int
    bitrate: int
    ssrcs: tuple[int, ...]


RtcpPacket = SenderReport | Loss | PictureLossIndication | ReceiverEstimatedMaximumBitrate


def read_rtcp(compound: bytes) -> list[RtcpPacket]:
    """The packets of a compound that mean something here; `DecodeError` if it is not RTCP from end to end."""
    packets: list[RtcpPacket] = []
    position = 0
    while position < len(compound):
        if position + 4 > len(compound):
            raise DecodeError("an RTCP header cut short")
        first, packet_type, words = _header.unpack_from(compound, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            raise DecodeError("an RTCP packet that is not what it says")
        packets += _read_packet(first & 0x1F, packet_type, compound[position + 4 : end])
        position = end
    return packets


def _read_packet(count: int, packet_type: int, body: bytes) -> list[RtcpPacket]:
    if packet_type in (SENDER_REPORT, RECEIVER_REPORT):
        start = 4 + _SENDER_INFO * (packet_type == SENDER_REPORT)
        if len(body) < start + _BLOCK * count:
            raise DecodeError("a report cut short")
        losses = [_read_loss(body[at : at + _BLOCK]) for at in range(start, start + _BLOCK * count, _BLOCK)]
        if packet_type == RECEIVER_REPORT:
            return [*losses]
        return [SenderReport(int.from_bytes(body[:4], "big"), body[4:start]), *losses]
    if packet_type == PAYLOAD_SPECIFIC_FEEDBACK:
        if len(body) < _feedback.size:
            raise DecodeError("feedback cut short")
        sender, media = _feedback.unpack_from(body)
        return _read_feedback(count, sender, media, body[_feedback.size :])
    return []


def _read_loss(block: bytes) -> Loss:
    return Loss(int.from_bytes(block[:4], "big"), block[4] / 256)


def _read_feedback(message_type: int, sender: int, media: int, control: bytes) -> list[RtcpPacket]:
    if message_type == _PICTURE_LOSS_INDICATION:
        return [PictureLossIndication(sender, media)]
    if message_type == _FULL_INTRA_REQUEST:
        # Each entry is an SSRC, a command number and 24 reserved bits (RFC 5104, Section 4.3.1.1).
        entries = (control[start : start + 8] for start in range(0, len(control) - len(control) % 8, 8))
        return [PictureLossIndication(sender, int.from_bytes(entry[:4], "big")) for entry in entries]
    if message_type == _APPLICATION_LAYER_FEEDBACK and control[:4] == _REMB:
        return [_read_remb(sender, control[4:])]
    return []


def _read_remb(sender: int, control: bytes) -> ReceiverEstimatedMaximumBitrate:
    if len(control) < 4 or len(control) != 4 + 4 * control[0]:
        raise DecodeError("a REMB that is not what it says")
    exponent, mantissa = control[1] >> 2, int.from_bytes(control[1:4], "big") & _MANTISSA
    ssrcs = struct.unpack(f"!{control[0]}I", control[4:])
    return ReceiverEstimatedMaximumBitrate(sender, mantissa << exponent, ssrcs)


def write_sender_report(report: SenderReport) -> bytes:
    """The report without report blocks: those are of another hop."""
    return _write(0, SENDER_REPORT, report.ssrc.to_bytes(4, "big") + report.sender_info)


def write_receiver_report(sender_ssrc: int, blocks: tuple[ReportBlock, ...]) -> bytes:
    """A receiver report of up to 31 blocks."""
    body = sender_ssrc.to_bytes(4, "big") + b"".join(_write_block(block) for block in blocks)
    return _write(len(blocks), RECEIVER_REPORT, body)


def write_picture_loss_indication(packet: PictureLossIndication) -> bytes:
    """A PLI (RFC 4585, Section 6.3.1)."""
    body = _feedback.pack(packet.sender_ssrc, packet.media_ssrc)
    return _write(_PICTURE_LOSS_INDICATION, PAYLOAD_SPECIFIC_FEEDBACK, body)


def write_remb(packet: ReceiverEstimatedMaximumBitrate) -> bytes:
    """A REMB; the bit rate is rounded down to the 18 bits of its mantissa."""
    exponent = max(0, packet.bitrate.bit_length() - 18)
    rate = (exponent << 18 | packet.bitrate >> exponent).to_bytes(3, "big")
    ssrcs = packet.ssrcs[:_MAXIMUM_SSRCS]
    body = _feedback.pack(packet.sender_ssrc, 0) + _REMB + bytes([len(ssrcs)]) + rate
    return _write(_APPLICATION_LAYER_FEEDBACK, PAYLOAD_SPECIFIC_FEEDBACK, body + struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def _write_block(block: ReportBlock) -> bytes:
    lost = (block.packets_lost & 0xFFFFFF).to_bytes(3, "big")
    times = (block.highest_sequence, block.jitter, block.last_sender_report, block.delay_since_last_sender_report)
    return struct.pack("!IB3s4I", block.ssrc, block.fraction_lost, lost, *times)


def _write(count: int, packet_type: int, body: bytes) -> bytes:
    return _header.pack(2 << 6 | count, packet_type, len(body) // 4) + body
