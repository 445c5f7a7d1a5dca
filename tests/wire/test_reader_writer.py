from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError
from perc.wire import Reader, Writer

WIDTHS = [("uint8", 1), ("uint16", 2), ("uint24", 3), ("uint32", 4), ("uint64", 8)]


@pytest.mark.parametrize(("name", "width"), WIDTHS)
def test_integers_are_big_endian_and_come_back(name: str, width: int) -> None:
    for value in (0, 1, (1 << 8 * width) - 1, int.from_bytes(bytes(range(1, width + 1)), "big")):
        data = getattr(Writer(), name)(value).finish()
        assert data == value.to_bytes(width, "big")
        reader = Reader(data)
        assert getattr(reader, name)() == value
        reader.expect_end()


@pytest.mark.parametrize(("name", "width"), WIDTHS)
def test_integers_that_do_not_fit_are_the_callers_mistake(name: str, width: int) -> None:
    for value in (-1, 1 << 8 * width):
        with pytest.raises(ApiMisuse):
            getattr(Writer(), name)(value)


@pytest.mark.parametrize(("name", "width"), WIDTHS)
def test_truncated_integers_are_the_peers_mistake(name: str, width: int) -> None:
    with pytest.raises(DecodeError):
        getattr(Reader(bytes(width - 1)), name)()


@settings(max_examples=100)
@given(st.binary(max_size=300), st.integers(1, 3))
def test_vectors_come_back(data: bytes, length_bytes: int) -> None:
    if len(data) >> 8 * length_bytes:
        with pytest.raises(ApiMisuse):
            Writer().opaque(data, length_bytes)
        return
    reader = Reader(Writer().opaque(data, length_bytes).uint8(7).finish())
    assert reader.opaque(length_bytes) == data
    assert reader.uint8() == 7
    reader.expect_end()


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(0, (1 << 32) - 1))))
def test_a_structure_comes_back(values: list[bytes | int]) -> None:
    writer = Writer()
    for value in values:
        writer.opaque(value, 2) if isinstance(value, bytes) else writer.uint32(value)
    reader = Reader(writer.finish())
    found = [reader.opaque(2) if isinstance(value, bytes) else reader.uint32() for value in values]
    reader.expect_end()
    assert found == values


READS: list[Callable[[Reader], object]] = [
    Reader.uint8,
    Reader.uint16,
    Reader.uint24,
    Reader.uint32,
    Reader.uint64,
    lambda reader: reader.read(5),
    lambda reader: reader.opaque(1),
    lambda reader: reader.opaque(2, minimum=1, maximum=40),
    lambda reader: reader.vector(1).opaque(1),
    lambda reader: reader.expect_end(),
]


@settings(max_examples=300)
@given(st.binary(max_size=60), st.lists(st.sampled_from(READS), max_size=8))
def test_any_bytes_raise_nothing_but_decode_errors(data: bytes, reads: list[Callable[[Reader], object]]) -> None:
    reader = Reader(data)
    before = reader.remaining
    try:
        for read in reads:
            read(reader)
            assert 0 <= reader.remaining <= before
            before = reader.remaining
    except DecodeError:
        return


@pytest.mark.parametrize("length", [1, 4])
def test_a_vector_out_of_its_range(length: int) -> None:
    data = bytes([length]) + bytes(length)
    with pytest.raises(DecodeError):
        Reader(data).opaque(1, minimum=2, maximum=3)
    with pytest.raises(DecodeError):
        Reader(data).vector(1, minimum=2, maximum=3)
    with pytest.raises(ApiMisuse):
        Writer().opaque(bytes(length), 1, minimum=2, maximum=3)


def test_a_vector_longer_than_the_message() -> None:
    with pytest.raises(DecodeError):
        Reader(b"\x05abcd").opaque(1)


def test_trailing_octets() -> None:
    reader = Reader(b"\x01\x02")
    reader.uint8()
    with pytest.raises(DecodeError):
        reader.expect_end()


def test_a_reader_over_a_vector_ends_with_it() -> None:
    reader = Reader(b"\x02\x01\x02\x03")
    inner = reader.vector(1)
    assert inner.rest() == b"\x01\x02"
    inner.expect_end()
    assert reader.rest() == b"\x03"
    assert reader.rest() == b""
