"""The record layer: epochs, keys that come late, replay, tampering."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perc.dtls import record_layer
from perc.dtls.protection import RecordProtection
from perc.dtls.record_layer import CLEAR_EPOCH, MAX_HELD_LENGTH, MAX_HELD_RECORDS, PROTECTED_EPOCH, RecordLayer
from perc.dtls.records import DTLS_1_2, MAX_PLAINTEXT_LENGTH, MAX_SEQUENCE_NUMBER, ContentType, Record, read_records
from perc.errors import ApiMisuse
from tests.driving import run
from tests.dtls.parties import PROVIDER

DATA = ContentType.APPLICATION_DATA


def make_protection() -> RecordProtection:
    return RecordProtection(PROVIDER, run(PROVIDER.import_aead_key(bytes(16))), b"salt")


def make_layer() -> RecordLayer:
    layer = RecordLayer()
    layer.install(make_protection(), make_protection())
    return layer


def sealed(layer: RecordLayer, plaintext: bytes = b"data", epoch: int = PROTECTED_EPOCH) -> Record:
    (record,) = read_records(run(layer.seal(epoch, DATA, plaintext)))
    return record


def test_what_is_sealed_is_opened():
    assert run(make_layer().open(sealed(make_layer()))) == b"data"


def test_the_nonce_is_the_epoch_and_sequence_number():
    layer = make_layer()
    sealed(layer)
    record = sealed(layer)
    assert record.fragment[:8] == bytes.fromhex("0001 000000000001")


def test_sequence_numbers_are_counted_for_each_epoch():
    layer = make_layer()
    numbers = [sealed(layer, epoch=epoch).sequence_number for epoch in (0, 1, 0, 1, 1)]
    assert numbers == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("epoch", [CLEAR_EPOCH, PROTECTED_EPOCH])
def test_sequence_numbers_do_not_wrap(epoch, monkeypatch):
    assert MAX_SEQUENCE_NUMBER == 2**48 - 1, "RFC 6347, Section 4.1"
    monkeypatch.setattr(record_layer, "MAX_SEQUENCE_NUMBER", 1)
    layer = make_layer()
    assert [sealed(layer, epoch=epoch).sequence_number for _ in range(2)] == [0, 1]
    with pytest.raises(ApiMisuse):
        sealed(layer, epoch=epoch)


def test_a_replayed_record_is_dropped():
    layer, record = make_layer(), sealed(make_layer())
    assert run(layer.open(record)) == b"data"
    assert run(layer.open(record)) is None
    assert layer.dropped == 1


def test_a_record_that_was_tampered_with_is_dropped_and_the_genuine_one_is_not():
    layer, record = make_layer(), sealed(make_layer())
    for position in range(len(record.fragment)):
        octets = bytearray(record.fragment)
        octets[position] ^= 1
        assert run(layer.open(replace(record, fragment=bytes(octets)))) is None
    for changed in (
        replace(record, content_type=ContentType.ALERT),
        replace(record, sequence_number=9),
        replace(record, epoch=2),
        replace(record, version=0xFEFF),
        replace(record, fragment=record.fragment[:-1]),
        replace(record, fragment=b""),
    ):
        assert run(layer.open(changed)) is None
    assert run(layer.open(record)) == b"data"


def test_records_that_come_before_their_keys_wait_within_bounds():
    layer, sender = RecordLayer(), make_layer()
    held = [sealed(sender) for _ in range(MAX_HELD_RECORDS)]
    for record in held:
        assert run(layer.open(record)) is None
    assert layer.dropped == 0
    assert run(layer.open(sealed(sender))) is None
    assert layer.dropped == 1
    assert layer.released() == []
    layer.install(make_protection(), make_protection())
    assert layer.released() == held
    assert layer.released() == []


def test_a_large_record_does_not_wait():
    layer = RecordLayer()
    assert run(layer.open(sealed(make_layer(), bytes(MAX_HELD_LENGTH)))) is None
    assert layer.dropped == 1


def test_sizes():
    layer = make_layer()
    assert run(make_layer().open(sealed(layer, bytes(MAX_PLAINTEXT_LENGTH)))) == bytes(MAX_PLAINTEXT_LENGTH)
    with pytest.raises(ApiMisuse):
        sealed(layer, bytes(MAX_PLAINTEXT_LENGTH + 1))
    too_long = Record(DATA, DTLS_1_2, CLEAR_EPOCH, 0, bytes(MAX_PLAINTEXT_LENGTH + 1))
    assert run(layer.open(too_long)) is None


def test_nothing_is_sealed_without_keys():
    with pytest.raises(ApiMisuse):
        sealed(RecordLayer())
