"""The Original Header Block (RFC 8723, Section 4) and what a Media Distributor may do to it (Section 5.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError
from perc.srtp.ohb import OriginalHeaderBlock
from perc.srtp.packet import RtpPacket

PACKET = RtpPacket(111, 0x1234, 5, 6, b"")
blocks = st.builds(
    OriginalHeaderBlock,
    st.none() | st.integers(0, 127),
    st.none() | st.integers(0, 65535),
    st.none() | st.booleans(),
)


@pytest.mark.parametrize(
    ("block", "octets"),
    [
        (OriginalHeaderBlock(), "00"),
        (OriginalHeaderBlock(sequence_number=0x1234), "1234 01"),
        (OriginalHeaderBlock(payload_type=111), "6f 02"),
        (OriginalHeaderBlock(marker=False), "04"),
        (OriginalHeaderBlock(marker=True), "0c"),
        (OriginalHeaderBlock(111, 0x1234, False), "6f 1234 07"),
        (OriginalHeaderBlock(111, 0x1234, True), "6f 1234 0f"),
    ],
)
def test_known_octets(block: OriginalHeaderBlock, octets: str) -> None:
    assert block.write() == bytes.fromhex(octets)
    assert OriginalHeaderBlock.split(b"payload" + block.write()) == (b"payload", block)


@given(st.binary(max_size=20), blocks)
def test_a_block_is_read_from_the_end(payload: bytes, block: OriginalHeaderBlock) -> None:
    assert OriginalHeaderBlock.split(payload + block.write()) == (payload, block)


@given(st.binary(max_size=8))
def test_arbitrary_payloads_split_back_together_or_are_refused(payload: bytes) -> None:
    try:
        before, block = OriginalHeaderBlock.split(payload)
    except DecodeError:
        return
    assert before + block.write() == payload


@pytest.mark.parametrize("bit", [0x10, 0x20, 0x40, 0x80])
def test_reserved_bits_must_be_zero(bit: int) -> None:
    with pytest.raises(DecodeError, match="reserved"):
        OriginalHeaderBlock.split(bytes([0, bit]))


def test_b_must_be_zero_without_m() -> None:
    with pytest.raises(DecodeError, match="marker"):
        OriginalHeaderBlock.split(b"\0\x08")


@pytest.mark.parametrize("octets", ["", "01", "0001", "02", "000003", "ff02"])
def test_truncated_blocks_and_payload_types_of_eight_bits_are_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        OriginalHeaderBlock.split(bytes.fromhex(octets))


def test_a_distributor_adds_the_originals_of_what_it_changes() -> None:
    sent = replace(PACKET, sequence_number=1, marker=True)
    assert OriginalHeaderBlock().covering(PACKET, sent) == OriginalHeaderBlock(None, 0x1234, False)
    assert OriginalHeaderBlock().covering(PACKET, replace(PACKET, payload_type=96)) == OriginalHeaderBlock(111)
    assert OriginalHeaderBlock().covering(PACKET, PACKET) == OriginalHeaderBlock()


def test_a_second_distributor_leaves_originals_alone() -> None:
    first = OriginalHeaderBlock(96, 7, True)
    assert first.covering(PACKET, RtpPacket(1, 2, 5, 6, b"", marker=True)) == first


def test_restoring_puts_the_originals_back() -> None:
    sent = replace(PACKET, payload_type=96, sequence_number=1, marker=True)
    assert OriginalHeaderBlock().covering(PACKET, sent).restore(sent) == PACKET


def test_values_that_do_not_fit_are_the_callers_mistake() -> None:
    for block in (OriginalHeaderBlock(payload_type=128), OriginalHeaderBlock(sequence_number=65536)):
        with pytest.raises(ApiMisuse):
            block.write()
