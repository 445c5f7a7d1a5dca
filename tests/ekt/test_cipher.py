"""The EKT cipher and what it protects (RFC 8870, Section 4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from perc.ekt import cipher
from perc.ekt.cipher import EktParameterSet, EKTPlaintext
from perc.ekt.ekt_key import EktKey
from perc.ekt.outcome import SendingStopped
from perc.errors import AuthenticationFailed, DecodeError
from perc.srtp.ekt_field import FullEKTField
from tests.driving import run
from tests.ekt.transform_vectors import PROVIDER, cases, ekt_key

PAYLOADS = cases("payloads.json")


def parameters(key: EktKey) -> EktParameterSet:
    return run(EktParameterSet.create(PROVIDER, key, 0.0))


def plaintext_of(case: dict[str, Any]) -> EKTPlaintext:
    return EKTPlaintext(bytes.fromhex(case["masterKey"]), case["ssrc"], case["index"] >> 16)


@pytest.mark.parametrize("name", PAYLOADS)
def test_full_fields_of_the_common_vectors(name: str) -> None:
    case = PAYLOADS[name]
    ciphertext = run(parameters(ekt_key(case["ektKey"])).wrap(plaintext_of(case)))
    assert FullEKTField(ciphertext, case["ektKey"]["spi"], case["epoch"]).write().hex() == case["fullEKTField"]
    assert run(parameters(ekt_key(case["ektKey"])).unwrap(ciphertext)) == plaintext_of(case)


@pytest.mark.parametrize(("length", "field_length"), [(16, 47), (32, 63)])
def test_lengths_are_those_of_rfc_5649(length: int, field_length: int) -> None:
    ciphertext = run(parameters(EktKey(bytes(16), bytes(12), 1, 300)).wrap(EKTPlaintext(bytes(length), 1, 2)))
    assert len(FullEKTField(ciphertext, 1, 0).write()) == field_length


def test_what_does_not_unwrap() -> None:
    key = EktKey(bytes(16), bytes(12), 1, 300)
    ciphertext = run(parameters(key).wrap(EKTPlaintext(bytes(16), 1, 2)))
    for bad in (ciphertext[:-1], ciphertext[:-8], bytes(40), b"", bytes([ciphertext[0] ^ 1]) + ciphertext[1:]):
        with pytest.raises(AuthenticationFailed):
            run(parameters(key).unwrap(bad))


@pytest.mark.parametrize("octets", ["", "00" * 9, "02 aa" + "00" * 8, "01 aa" + "00" * 9])
def test_plaintexts_that_are_none(octets: str) -> None:
    with pytest.raises(DecodeError):
        EKTPlaintext.read(bytes.fromhex(octets))


def test_one_ekt_key_is_used_t_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "MAX_USES", 2)
    used = parameters(EktKey(bytes(16), bytes(12), 1, 300))
    for roc in range(2):
        run(used.wrap(EKTPlaintext(bytes(16), 1, roc)))
    with pytest.raises(SendingStopped, match="exhausted"):
        run(used.wrap(EKTPlaintext(bytes(16), 1, 2)))
