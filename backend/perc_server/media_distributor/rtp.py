"""What forwarding needs to know of RTP packets beside their header (RFC 3550, RFC 8285, RFC 9143).

The payload is opaque here: a Media Distributor may change payload type, sequence number, marker and header extensions,
and nothing else (RFC 8723, Section 5.2).
"""

from __future__ import annotations

from perc.srtp.packet import HeaderExtension, RtpPacket

_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000
_ONE_BYTE_MAXIMUM_ID = 14
_ONE_BYTE_MAXIMUM_LENGTH = 16


def ssrc_of(packet: bytes) -> int:
    """The SSRC of a packet that may still be protected; it has its fixed header."""
    return int.from_bytes(packet[8:12], "big")


def is_empty(packet: RtpPacket) -> bool:
    """Whether it carries nothing but padding: a sender probes its path so, and no one else needs it."""
    return not packet.payload or (packet.padding and packet.payload[-1] >= len(packet.payload))


def mid_extension(extension_id: int, mid: str) -> HeaderExtension:
    """A header extension with nothing but the MID (RFC 9143, Section 15.1), in one-byte form where that fits."""
    value = mid.encode("ascii")
    if extension_id <= _ONE_BYTE_MAXIMUM_ID and len(value) <= _ONE_BYTE_MAXIMUM_LENGTH:
        profile, element = _ONE_BYTE_PROFILE, bytes([extension_id << 4 | len(value) - 1]) + value
    else:
        profile, element = _TWO_BYTE_PROFILE, bytes([extension_id, len(value)]) + value
    return HeaderExtension(profile, element + bytes(-len(element) % 4))
