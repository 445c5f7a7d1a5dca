"""What a datagram on a conference's port is, by its first octets (RFC 7983, Section 7; RFC 5761, Section 4)."""

from __future__ import annotations

from enum import Enum, auto

MAXIMUM_DATAGRAM = 1500
"""Octets of a datagram: one Ethernet frame, which nobody here exceeds. What is larger is dropped unread."""

MINIMUM_RTP = 12
MINIMUM_RTCP = 8


class Datagram(Enum):
    """The protocols that share the port."""

    STUN = auto()
    DTLS = auto()
    RTP = auto()
    RTCP = auto()
    UNKNOWN = auto()


def classify(datagram: bytes) -> Datagram:
    """The protocol of a datagram; UNKNOWN for what is to be dropped."""
    if not datagram or len(datagram) > MAXIMUM_DATAGRAM:
        return Datagram.UNKNOWN
    first = datagram[0]
    if 128 <= first <= 191:
        return _rtp_or_rtcp(datagram)
    if 20 <= first <= 63:
        return Datagram.DTLS
    return Datagram.STUN if first <= 3 else Datagram.UNKNOWN


def _rtp_or_rtcp(datagram: bytes) -> Datagram:
    # RTCP's packet types 192 to 223 are where RTP would have its marker and payload types 64 to 95, which the answers
    # never allow.
    if len(datagram) >= MINIMUM_RTCP and 192 <= datagram[1] <= 223:
        return Datagram.RTCP
    return Datagram.RTP if len(datagram) >= MINIMUM_RTP else Datagram.UNKNOWN
