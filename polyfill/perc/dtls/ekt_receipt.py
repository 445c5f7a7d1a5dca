"""Which records with EKTKeys a client has to acknowledge (RFC 8870, Section 5.2.2)."""

from __future__ import annotations

from collections import deque

from perc.dtls.fragments import Fragment

# The fragments of one EKTKey at the smallest MTU, and of a few repetitions. More wait only behind a message that is
# lost, and are repeated with it.
MAX_UNACKNOWLEDGED = 16


class EktKeyReceipt:
    """Remembers records until their EKTKey is read, and those of repetitions too: "ACK [...] MUST be retransmitted"."""

    def __init__(self) -> None:
        self._records: deque[tuple[int, int]] = deque(maxlen=MAX_UNACKNOWLEDGED)

    def note(self, sequence_number: int, fragment: Fragment) -> None:
        """The record with this number held a fragment of an EKTKey."""
        self._records.append((fragment.message_seq, sequence_number))

    def take(self, next_message_seq: int) -> list[int]:
        """The records to acknowledge now, when all messages before `next_message_seq` have been read."""
        read = [number for seq, number in self._records if seq < next_message_seq]
        waiting = [(seq, number) for seq, number in self._records if seq >= next_message_seq]
        self._records = deque(waiting, maxlen=MAX_UNACKNOWLEDGED)
        return read
