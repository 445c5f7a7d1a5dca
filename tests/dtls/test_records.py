"""Records: read ∘ write = identity, and silence about everything else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.dtls.records import (
    DTLS_1_2,
    MAX_RECORDS_PER_DATAGRAM,
    MAX_SEQUENCE_NUMBER,
    ContentType,
    Record,
    read_records,
)
from tests.dtls.wire import write_record

RECORD = Record(ContentType.HANDSHAKE, DTLS_1_2, 1, 2, b"fragment")

records = st.builds(
    Record,
    st.sampled_from(ContentType),
    st.sampled_from([0xFEFF, 0xFEFD]),
    st.integers(0, 2**16 - 1),
    st.integers(0, MAX_SEQUENCE_NUMBER),
    st.binary(max_size=40),
)


@given(st.lists(records, max_size=5))
def test_what_is_written_is_read(several):
    assert read_records(b"".join(map(write_record, several))) == several


def test_the_octets_of_a_record():
    assert write_record(RECORD) == bytes.fromhex("16 fefd 0001 000000000002 0008") + b"fragment"


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_dropped(octets):
    read_records(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x2f" + write_record(RECORD)[1:],  # the unified header of a DTLS 1.3 ciphertext
        b"\x80" + write_record(RECORD)[1:],  # an RTP packet
        write_record(replace(RECORD, version=0x0303)),
        write_record(replace(RECORD, fragment=bytes(2**14 + 1025))),
    ],
)
def test_a_malformed_record_and_what_follows_are_dropped(octets):
    assert read_records(write_record(RECORD) + octets + write_record(RECORD)) == [RECORD]


def test_a_truncated_record_is_dropped():
    octets = write_record(RECORD)
    for length in range(len(octets)):
        assert read_records(octets + octets[:length]) == [RECORD]


def test_a_datagram_full_of_small_records():
    assert len(read_records(write_record(replace(RECORD, fragment=b"")) * 5000)) == MAX_RECORDS_PER_DATAGRAM
