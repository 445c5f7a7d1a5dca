"""From where an association counts (RFC 6347, Sections 4.1 and 4.2.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numbers:
    """The message_seq of the first handshake message of either side, and the sequence_number of this side's first
    record. Both are zero unless a gate has answered a client before."""

    message_seq: int = 0
    sequence_number: int = 0
