"""Chunks with fields (RFC 9260, Section 3.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import DecodeError
from perc.sctp.chunks import ChunkType, Data, Init, Sack
from perc.sctp.packet import Chunk, Parameter

uint32, uint16 = st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)
flags = st.booleans()
data_chunks = st.builds(Data, uint32, uint16, uint16, uint32, st.binary(max_size=20), flags, flags, flags, flags)
parameters = st.lists(st.builds(Parameter, uint16, st.binary(max_size=9)), max_size=3).map(tuple)
gaps = st.sets(st.integers(1, 60), max_size=8).map(lambda s: tuple(zip(*[iter(sorted(s))] * 2, strict=False)))


@given(data_chunks)
def test_data_reads_back(data: Data) -> None:
    assert Data.read(data.write()) == data


@given(st.builds(Init, uint32, uint32, uint16, uint16, uint32, parameters))
def test_init_reads_back(init: Init) -> None:
    assert Init.read(init.write(ChunkType.INIT).value) == init


@given(st.builds(Sack, uint32, uint32, gaps, st.lists(uint32, max_size=3).map(tuple)))
def test_sack_reads_back(sack: Sack) -> None:
    assert Sack.read(sack.write().value) == sack


def test_reserved_flags_of_data_are_ignored() -> None:
    chunk = Data(1, 0, 0, 53, b"x").write()
    assert Data.read(Chunk(chunk.type, chunk.flags | 0xF0, chunk.value)) == Data(1, 0, 0, 53, b"x")


@pytest.mark.parametrize("gap_blocks", [((0, 1),), ((2, 1),), ((1, 3), (3, 4)), ((5, 6), (1, 2))])
def test_gap_blocks_must_be_in_order_and_apart(gap_blocks: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(DecodeError, match="order"):
        Sack.read(Sack(1, 1, gap_blocks).write().value)


def test_a_sack_has_no_more_than_it_counts() -> None:
    with pytest.raises(DecodeError):
        Sack.read(Sack(1, 1).write().value + bytes(4))
