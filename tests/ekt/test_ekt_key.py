"""The EKTKey structure and the supported_ekt_ciphers extension (RFC 8870, Section 5.2)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.ekt.ekt_key import EKTCipher, EktKey, read_ekt_ciphers, read_selected_ekt_cipher
from perc.errors import DecodeError, IllegalParameter, PeerError

KEY = EktKey(bytes(range(16)), bytes(range(100, 112)), 0x1234, 300)
OCTETS = bytes.fromhex("0010000102030405060708090a0b0c0d0e0f000c6465666768696a6b6c6d6e6f123400012c")


def test_both_vectors_have_a_length_of_two_octets() -> None:
    assert KEY.write() == OCTETS
    assert EktKey.read(OCTETS) == KEY


@pytest.mark.parametrize(("length", "cipher"), [(16, EKTCipher.AESKW128), (32, EKTCipher.AESKW256)])
def test_the_key_length_tells_the_cipher(length: int, cipher: EKTCipher) -> None:
    assert EktKey(bytes(length), bytes(12), 1, 300).cipher is cipher
    assert cipher.key_length == length


@pytest.mark.parametrize("length", [1, 15, 17, 24, 33, 256])
def test_a_key_that_no_cipher_takes_is_an_illegal_parameter(length: int) -> None:
    with pytest.raises(IllegalParameter):
        EktKey.read(EktKey(bytes(length), bytes(12), 1, 300).write())


def test_a_longer_salt_is_truncated_and_a_shorter_one_refused() -> None:
    assert EktKey.read(EktKey(bytes(16), bytes(range(14)), 1, 300).write()).salt == bytes(range(12))
    with pytest.raises(IllegalParameter):
        EktKey.read(EktKey(bytes(16), bytes(11), 1, 300).write())


def test_secrets_do_not_show_in_a_repr() -> None:
    assert repr(KEY) == "EktKey(spi=4660, ttl=300)"


@given(st.binary(max_size=80))
def test_arbitrary_bodies_raise_only_peer_errors(body: bytes) -> None:
    with suppress(PeerError):
        assert len(EktKey.read(body).salt) == 12


@pytest.mark.parametrize("cut", range(len(OCTETS)))
def test_a_truncated_body_is_a_decode_error(cut: int) -> None:
    with pytest.raises(DecodeError):
        EktKey.read(OCTETS[:cut])


def test_trailing_octets_are_a_decode_error() -> None:
    with pytest.raises(DecodeError):
        EktKey.read(OCTETS + b"\0")


def test_unknown_ciphers_of_a_client_are_passed_over() -> None:
    assert read_ekt_ciphers(b"\x04\x09\x02\x00\x01") == (EKTCipher.AESKW256, EKTCipher.AESKW128)
    with pytest.raises(DecodeError):
        read_ekt_ciphers(b"\x00")


def test_a_server_selects_one_known_cipher() -> None:
    assert read_selected_ekt_cipher(b"\x01") is EKTCipher.AESKW128
    with pytest.raises(IllegalParameter):
        read_selected_ekt_cipher(b"\x00")
    with pytest.raises(DecodeError):
        read_selected_ekt_cipher(b"\x01\x02")
