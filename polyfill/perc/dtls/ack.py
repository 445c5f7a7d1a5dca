"""ACK messages (RFC 9147, Section 7), which acknowledge EKTKeys under DTLS 1.2 too (RFC 8870, Section 5.2.2).

struct {
    uint64 epoch;
    uint64 sequence_number;
} RecordNumber;

struct {
    RecordNumber record_numbers<0..2^16-1>;
} ACK;
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from perc.dtls.record_layer import PROTECTED_EPOCH
from perc.errors import DecodeError
from perc.wire import Reader, Writer

_RECORD_NUMBER = struct.Struct(">QQ")


def write_ack(sequence_numbers: Iterable[int]) -> bytes:
    """An ACK of records of epoch 1; in no other epoch is there anything to acknowledge."""
    numbers = b"".join(_RECORD_NUMBER.pack(PROTECTED_EPOCH, each) for each in sequence_numbers)
    return Writer().opaque(numbers, 2).finish()


def read_ack(payload: bytes) -> frozenset[int]:
    """The sequence numbers of epoch 1 that an ACK holds; `DecodeError` for anything but an ACK."""
    reader = Reader(payload)
    numbers = reader.opaque(2)
    reader.expect_end()
    if len(numbers) % _RECORD_NUMBER.size:
        raise DecodeError("an ACK that ends within a record number")
    return frozenset(number for epoch, number in _RECORD_NUMBER.iter_unpack(numbers) if epoch == PROTECTED_EPOCH)
