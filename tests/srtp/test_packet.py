"""RTP packets (RFC 3550, Section 5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError
from perc.srtp.packet import MAX_PACKET_LENGTH, HeaderExtension, RtpPacket

extensions = st.builds(
    HeaderExtension,
    st.integers(0, 65535),
    st.integers(0, 6).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
)
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence_number=st.integers(0, 65535),
    timestamp=st.integers(0, 2**32 - 1),
    ssrc=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=40),
    marker=st.booleans(),
    padding=st.booleans(),
    csrcs=st.lists(st.integers(0, 2**32 - 1), max_size=15).map(tuple),
    extension=st.none() | extensions,
)
OCTETS = bytes.fromhex("b1ef1234 00000005 00000006 00000007 bede0001 10300000") + b"media"
PACKET = RtpPacket(
    *(111, 0x1234, 5, 6, b"media"),
    marker=True,
    padding=True,
    csrcs=(7,),
    extension=HeaderExtension(0xBEDE, bytes.fromhex("10300000")),
)


def test_known_octets() -> None:
    assert RtpPacket.read(OCTETS) == PACKET
    assert PACKET.write() == OCTETS


def test_the_synthetic_header_has_no_extension() -> None:
    assert PACKET.write_header(extension=False) == bytes.fromhex("a1ef1234 00000005 00000006 00000007")


@given(packets)
def test_what_is_written_reads_back(packet: RtpPacket) -> None:
    assert RtpPacket.read(packet.write()) == packet


@given(st.binary(max_size=60))
def test_arbitrary_octets_read_back_the_same_or_are_refused(data: bytes) -> None:
    try:
        packet = RtpPacket.read(data)
    except DecodeError:
        return
    assert packet.write() == data


@pytest.mark.parametrize("cut", range(24))
def test_truncated_headers_are_refused(cut: int) -> None:
    with pytest.raises(DecodeError):
        RtpPacket.read(OCTETS[:cut])


@pytest.mark.parametrize("version", [0, 1, 3])
def test_only_version_2_is_rtp(version: int) -> None:
    with pytest.raises(DecodeError, match="version"):
        RtpPacket.read(bytes([version << 6]) + bytes(20))


def test_limits() -> None:
    with pytest.raises(DecodeError):
        RtpPacket.read(b"\x80" + bytes(MAX_PACKET_LENGTH))
    with pytest.raises(DecodeError, match="1028"):
        RtpPacket.read(b"\x90" + bytes(11) + bytes.fromhex("bede0101") + bytes(1028))


@pytest.mark.parametrize(
    "packet",
    [
        RtpPacket(128, 0, 0, 0, b""),
        RtpPacket(0, 65536, 0, 0, b""),
        RtpPacket(0, 0, 2**32, 0, b""),
        RtpPacket(0, 0, 0, -1, b""),
        RtpPacket(0, 0, 0, 0, b"", csrcs=(1,) * 16),
        RtpPacket(0, 0, 0, 0, b"", extension=HeaderExtension(0, b"odd")),
    ],
)
def test_values_that_do_not_fit_are_the_callers_mistake(packet: RtpPacket) -> None:
    with pytest.raises(ApiMisuse):
        packet.write()
