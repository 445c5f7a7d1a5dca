"""Records as an attacker may write them: any version, any number."""

from __future__ import annotations

from perc.dtls import records
from perc.dtls.records import Record


def write_record(record: Record) -> bytes:
    octets = records.write_record(record.content_type, record.epoch << 48 | record.sequence_number, record.fragment)
    return octets[:1] + record.version.to_bytes(2, "big") + octets[3:]
