"""Framing of EKTFields (RFC 8870, Section 4.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError
from perc.srtp.ekt_field import EKTField, ExtensionEKTField, FullEKTField, ShortEKTField, split_ekt_field

uint16 = st.integers(0, 65535)
fields: st.SearchStrategy[EKTField] = st.one_of(
    st.builds(FullEKTField, st.binary(min_size=1, max_size=251), uint16, uint16),
    st.just(ShortEKTField()),
    st.builds(ExtensionEKTField, st.integers(3, 255), st.binary(min_size=1, max_size=1024)),
)


def test_known_octets() -> None:
    full = FullEKTField(bytes(40), 0x1234, 0x0005)
    assert full.write() == bytes(40) + bytes.fromhex("1234 0005 002f 02")
    assert len(full.write()) == 47
    assert ShortEKTField().write() == b"\0"
    assert ExtensionEKTField(4, b"abc").write() == b"abc\x00\x06\x04"


@given(st.binary(max_size=20), fields)
def test_a_field_is_read_from_the_end(before: bytes, field: EKTField) -> None:
    assert split_ekt_field(before + field.write()) == (before, field)


@given(st.binary(max_size=60))
def test_arbitrary_packets_split_back_together_or_are_refused(data: bytes) -> None:
    try:
        before, field = split_ekt_field(data)
    except DecodeError:
        return
    assert before + field.write() == data


def test_an_unknown_type_with_a_valid_length_comes_off() -> None:
    assert split_ekt_field(b"rest" + b"?" + b"\x00\x04\x08") == (b"rest", ExtensionEKTField(8, b"?"))


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "02",
        "000702",  # a FullEKTField without a ciphertext
        "00" * 8 + "000702",
        "00" * 8 + "001002",  # longer than the packet
        "00" * 300 + "010302",  # a ciphertext of 252 octets
        "000303",  # an extension without data
        "00" * 1100 + "040404",  # an extension of 1025 octets
        "00" * 20 + "000801",  # the reserved type
    ],
)
def test_lengths_out_of_their_range_and_the_reserved_type_are_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        split_ekt_field(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "field",
    [
        FullEKTField(b"", 1, 1),
        FullEKTField(bytes(252), 1, 1),
        FullEKTField(b"x", 65536, 1),
        ExtensionEKTField(2, b"x"),
        ExtensionEKTField(3, b""),
        ExtensionEKTField(3, bytes(1025)),
    ],
)
def test_fields_that_could_not_be_read_are_not_written(field: EKTField) -> None:
    with pytest.raises(ApiMisuse):
        field.write()
