"""The record layer of one association: epochs, sequence numbers, replay, silence (RFC 6347, Section 4.1).

There are two epochs: 0 in clear, 1 under the negotiated keys. There is no third, because there is no renegotiation.
"""

from __future__ import annotations

from perc.dtls.protection import RecordProtection
from perc.dtls.records import (
    DTLS_1_2,
    MAX_PLAINTEXT_LENGTH,
    MAX_SEQUENCE_NUMBER,
    ContentType,
    Record,
    write_record,
)
from perc.dtls.replay import ReplayWindow
from perc.errors import ApiMisuse, AuthenticationFailed

CLEAR_EPOCH = 0
PROTECTED_EPOCH = 1

# Finished may overtake what it depends on; more than a Finished, an alert and their repetitions is not legitimate.
MAX_HELD_RECORDS = 4
MAX_HELD_LENGTH = 256


class RecordLayer:
    """Opens and seals records; what does not authenticate, repeats or is malformed is counted in `dropped`."""

    def __init__(self, first_sequence_number: int = 0) -> None:
        self._next_sequence_number = [first_sequence_number, 0]
        self._replay = ReplayWindow()
        self._reading: RecordProtection | None = None
        self._writing: RecordProtection | None = None
        self._held: list[Record] = []
        self.dropped = 0

    def install(self, reading: RecordProtection, writing: RecordProtection) -> None:
        """Take the keys of epoch 1 into use. Records of epoch 1 that came before are in `released`."""
        self._reading, self._writing = reading, writing

    @property
    def next_protected_number(self) -> int:
        """The sequence number of the next record of epoch 1."""
        return self._next_sequence_number[PROTECTED_EPOCH]

    @property
    def records_held(self) -> int:
        """How many records wait for the keys of epoch 1."""
        return len(self._held)

    def released(self) -> list[Record]:
        """Records that had to wait for the keys, once the keys are there; each is given once."""
        if self._reading is None or not self._held:
            return []
        held, self._held = self._held, []
        return held

    async def open(self, record: Record) -> bytes | None:
        """The plaintext of a record, or None where it is dropped or held for the coming epoch."""
        if record.epoch == CLEAR_EPOCH:
            # Replay in clear is left to the handshake: if unauthenticated records were marked in a window, anyone could
            # push it past the peer's.
            plaintext: bytes | None = record.fragment
        elif record.epoch != PROTECTED_EPOCH or record.version != DTLS_1_2:
            plaintext = None
        elif self._reading is None:
            if self._hold(record):
                return None
            plaintext = None
        else:
            plaintext = await self._open_protected(record, self._reading)
        if plaintext is None or len(plaintext) > MAX_PLAINTEXT_LENGTH:
            self.drop()
            return None
        return plaintext

    async def _open_protected(self, record: Record, protection: RecordProtection) -> bytes | None:
        if not self._replay.is_fresh(record.sequence_number):
            return None
        sequence = record.epoch << 48 | record.sequence_number
        try:
            plaintext = await protection.open(record.content_type, sequence, record.fragment)
        except AuthenticationFailed:
            return None
        self._replay.mark(record.sequence_number)
        return plaintext

    def _hold(self, record: Record) -> bool:
        # "Implementations MAY either buffer or discard such packets" (RFC 6347, Section 4.1).
        if len(self._held) >= MAX_HELD_RECORDS or len(record.fragment) > MAX_HELD_LENGTH:
            return False
        self._held.append(record)
        return True

    def drop(self) -> None:
        """Count a record that is discarded in silence (RFC 6347, Section 4.1.2.7)."""
        self.dropped += 1

    async def seal(self, epoch: int, content_type: ContentType, plaintext: bytes) -> bytes:
        """The octets of a record with the next sequence number of its epoch."""
        if len(plaintext) > MAX_PLAINTEXT_LENGTH:
            raise ApiMisuse(f"{len(plaintext)} octets do not fit a record")
        # Taken before the await: two records never share a nonce, whatever the caller does meanwhile.
        number = self._next_sequence_number[epoch]
        if number > MAX_SEQUENCE_NUMBER:
            # "implementations MUST either abandon an association or re-handshake prior to allowing the sequence number
            # to wrap" (RFC 6347, Section 4.1).
            raise ApiMisuse("the sequence numbers of this epoch are used up")
        self._next_sequence_number[epoch] = number + 1
        sequence, fragment = epoch << 48 | number, plaintext
        if epoch == PROTECTED_EPOCH:
            if self._writing is None:
                raise ApiMisuse("no keys yet for epoch 1")
            fragment = await self._writing.seal(content_type, sequence, plaintext)
        return write_record(content_type, sequence, fragment)
