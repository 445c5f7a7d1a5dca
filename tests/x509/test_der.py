from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import CertificateError
from perc.x509.der import DerReader, Tag, encode, encode_integer, encode_oid, encode_sequence


@settings(max_examples=100)
@given(st.integers(0, 1 << 200))
def test_integers_come_back(value: int) -> None:
    reader = DerReader(encode_integer(value))
    assert reader.integer() == value
    reader.expect_end()


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_come_back(length: int) -> None:
    reader = DerReader(encode(Tag.OCTET_STRING, bytes(length)))
    assert reader.element(Tag.OCTET_STRING) == bytes(length)
    reader.expect_end()


@pytest.mark.parametrize(
    ("dotted", "contents"),
    [
        ("2.5.29.19", "551d13"),
        ("1.2.840.113549.1.1.11", "2a864886f70d01010b"),
        ("1.2.840.10045.3.1.7", "2a8648ce3d030107"),
    ],
)
def test_object_identifiers(dotted: str, contents: str) -> None:
    assert encode_oid(dotted) == bytes.fromhex(contents)
    assert DerReader(encode(Tag.OBJECT_IDENTIFIER, encode_oid(dotted))).object_identifier() == bytes.fromhex(contents)


@pytest.mark.parametrize(
    ("der", "why"),
    [
        ("", "nothing"),
        ("04", "no length"),
        ("0402ff", "longer than what holds it"),
        ("04810100", "a long length below 128"),
        ("0482007f" + "00" * 127, "a length with a leading zero"),
        ("048000000000", "an indefinite length"),
        ("04840000000100", "a length of four octets"),
        ("0482", "a length that ends too early"),
        ("1f0100", "a high tag number"),
    ],
)
def test_only_der_elements(der: str, why: str) -> None:
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex(der)).any_element()


@pytest.mark.parametrize("der", ["0200", "02020001", "0202ffff", "03020001"])
def test_only_der_integers(der: str) -> None:
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex(der)).integer()


@pytest.mark.parametrize(("der", "value"), [("020100", 0), ("02017f", 127), ("02020080", 128), ("0201ff", -1)])
def test_integers_are_signed(der: str, value: int) -> None:
    assert DerReader(bytes.fromhex(der)).integer() == value


def test_a_flag_is_absent_or_true() -> None:
    assert not DerReader(b"").flag()
    assert DerReader(bytes.fromhex("0101ff")).flag()


@pytest.mark.parametrize("der", ["010100", "010101", "0100", "0102ffff"])
def test_a_default_is_not_encoded_and_true_has_one_form(der: str) -> None:
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex(der)).flag()


@pytest.mark.parametrize("der", ["0300", "030108", "030101", "03020701", "030208ff"])
def test_only_der_bit_strings(der: str) -> None:
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex(der)).bit_string()


def test_a_key_is_whole_octets() -> None:
    assert DerReader(bytes.fromhex("030300abcd")).whole_octets() == b"\xab\xcd"
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex("03020780")).whole_octets()


@pytest.mark.parametrize("der", ["0600", "060180", "060288"])
def test_object_identifiers_end(der: str) -> None:
    with pytest.raises(CertificateError):
        DerReader(bytes.fromhex(der)).object_identifier()


def test_encoded_gives_the_element_as_it_stands() -> None:
    inner = encode_sequence(encode_integer(5))
    reader = DerReader(inner + encode_integer(6))
    assert reader.encoded(Tag.SEQUENCE) == inner
    assert reader.integer() == 6


def test_nothing_may_trail() -> None:
    with pytest.raises(CertificateError):
        DerReader(b"\x05\x00").expect_end()


@settings(max_examples=300)
@given(st.binary(max_size=40))
def test_what_is_read_would_be_written_so(data: bytes) -> None:
    reader = DerReader(data)
    try:
        tag, contents = reader.any_element()
    except CertificateError:
        return
    assert data.startswith(encode(tag, contents))
