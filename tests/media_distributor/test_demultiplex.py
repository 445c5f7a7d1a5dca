"""First octets (RFC 7983, Section 7)."""

from __future__ import annotations

import pytest

from perc_server.media_distributor.demultiplex import MAXIMUM_DATAGRAM, Datagram, classify

KINDS = [
    (range(4), Datagram.STUN),
    (range(4, 20), Datagram.UNKNOWN),
    (range(20, 64), Datagram.DTLS),
    (range(64, 128), Datagram.UNKNOWN),
    (range(128, 192), Datagram.RTP),
    (range(192, 256), Datagram.UNKNOWN),
]


@pytest.mark.parametrize(("first", "kind"), [(first, kind) for octets, kind in KINDS for first in octets])
def test_every_first_octet(first: int, kind: Datagram) -> None:
    assert classify(bytes([first]) + bytes(40)) is kind


@pytest.mark.parametrize(
    ("second", "kind"), [(191, Datagram.RTP), (192, Datagram.RTCP), (223, Datagram.RTCP), (224, Datagram.RTP)]
)
def test_rtp_and_rtcp_share_their_first_octets(second: int, kind: Datagram) -> None:
    assert classify(bytes([0x80, second]) + bytes(40)) is kind


@pytest.mark.parametrize(
    "datagram", [b"", b"\x80\x60" + bytes(9), b"\x80\xc8" + bytes(5), b"\x16" + bytes(MAXIMUM_DATAGRAM)]
)
def test_too_short_or_too_long(datagram: bytes) -> None:
    assert classify(datagram) is Datagram.UNKNOWN
