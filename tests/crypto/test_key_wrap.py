from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.crypto.key_wrap import AesBlock, unwrap_with_padding, wrap_with_padding
from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse, AuthenticationFailed
from tests.driving import run
from tests.vectors.provider_vectors import load, octets

PROVIDER = PycaProvider()


def encryption(key: bytes) -> AesBlock:
    async def encrypt(block: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    return encrypt


def decryption(key: bytes) -> AesBlock:
    async def decrypt(block: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(block)

    return decrypt


@pytest.mark.parametrize("case", load("key_wrap_with_padding"))
def test_nist_vectors(case: dict[str, str | None]) -> None:
    key, wrapped = octets(case, "key"), octets(case, "wrapped")
    if case["plaintext"] is None:
        with pytest.raises(AuthenticationFailed):
            run(unwrap_with_padding(decryption(key), wrapped))
    else:
        plaintext = octets(case, "plaintext")
        assert run(wrap_with_padding(encryption(key), plaintext)) == wrapped
        assert run(unwrap_with_padding(decryption(key), wrapped)) == plaintext


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=80), st.sampled_from([bytes(16), bytes(range(32))]))
def test_equals_openssl(plaintext: bytes, key: bytes) -> None:
    wrapped = run(wrap_with_padding(encryption(key), plaintext))
    assert wrapped == run(PROVIDER.wrap(run(PROVIDER.import_wrapping_key(key)), plaintext))
    assert run(unwrap_with_padding(decryption(key), wrapped)) == plaintext


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=60), st.data())
def test_one_flipped_bit_does_not_unwrap(plaintext: bytes, data: st.DataObject) -> None:
    wrapped = bytearray(run(wrap_with_padding(encryption(bytes(16)), plaintext)))
    bit = data.draw(st.integers(0, 8 * len(wrapped) - 1))
    wrapped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(AuthenticationFailed):
        run(unwrap_with_padding(decryption(bytes(16)), bytes(wrapped)))


@pytest.mark.parametrize("length", [0, 8, 15, 17, 4112])
def test_lengths_that_nothing_wrapped_has(length: int) -> None:
    with pytest.raises(AuthenticationFailed):
        run(unwrap_with_padding(decryption(bytes(16)), bytes(length)))


@pytest.mark.parametrize("length", [0, 4097])
def test_lengths_that_are_not_wrapped(length: int) -> None:
    with pytest.raises(ApiMisuse):
        run(wrap_with_padding(encryption(bytes(16)), bytes(length)))
