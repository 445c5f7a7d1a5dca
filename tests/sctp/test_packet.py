"""Packets and parameters (RFC 9260, Section 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import DecodeError
from perc.sctp.packet import Chunk, Parameter, Ports, SctpPacket, read_parameters, write_parameters
from perc.sctp.tsn import tsn_add, tsn_distance

chunks = st.builds(Chunk, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=30))
packets = st.builds(
    SctpPacket,
    st.builds(Ports, st.integers(0, 65535), st.integers(0, 65535)),
    st.integers(0, 2**32 - 1),
    st.lists(chunks, min_size=1, max_size=4).map(tuple),
)
PACKET = SctpPacket(Ports(5000, 5000), 7, (Chunk(4, 0, b"abc"),)).write()


def test_known_octets() -> None:
    assert PACKET.hex() == "1388138800000007" + PACKET[8:12].hex() + "04000007" + "61626300"


@given(packets)
def test_what_is_written_reads_back(packet: SctpPacket) -> None:
    assert SctpPacket.read(packet.write()) == packet


@pytest.mark.parametrize("position", range(len(PACKET)))
def test_any_changed_octet_is_refused(position: int) -> None:
    data = bytearray(PACKET)
    data[position] ^= 0x40
    with pytest.raises(DecodeError):
        SctpPacket.read(bytes(data))


def test_a_zero_checksum_is_refused() -> None:
    with pytest.raises(DecodeError, match="checksum"):
        SctpPacket.read(PACKET[:8] + bytes(4) + PACKET[12:])


@given(st.lists(st.builds(Parameter, st.integers(0, 65535), st.binary(max_size=9)), max_size=3))
def test_parameters_read_back(parameters: list[Parameter]) -> None:
    assert read_parameters(write_parameters(parameters)) == tuple(parameters)


@pytest.mark.parametrize("octets", ["0001", "00010003", "00010009 00000000"])
def test_malformed_parameters_are_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        read_parameters(bytes.fromhex(octets))


def test_serial_numbers_wrap() -> None:
    assert tsn_add(0xFFFFFFFF, 1) == 0
    assert tsn_distance(1, 0xFFFFFFFF) == 2
    assert tsn_distance(0xFFFFFFFF, 1) == -2
