"""EKTKeys on their way to a client (RFC 8870, Sections 5.2.2 and 5.4).

    EKTKey  -------->            repeated by the timer of RFC 6347, Section 4.2.4,
            <--------  [ACK]     until each of its records, in one of its transmissions, is acknowledged

One EKTKey at a time. While it is on its way, only the newest of the others waits: a key that has been replaced before
it was sent is of no use to anyone.
"""

from __future__ import annotations

from dataclasses import dataclass

from perc.dtls.flights import Flight, OutgoingRecord, Retransmission
from perc.dtls.fragments import HandshakeMessage


@dataclass(frozen=True, slots=True)
class EktKeyMessage:
    """The message with the EKTKey of an SPI."""

    spi: int
    message: HandshakeMessage


class EktKeyDelivery:
    """What is on its way, and when to repeat it."""

    def __init__(self) -> None:
        self._retransmission = Retransmission()
        self._underway: EktKeyMessage | None = None
        # The payloads that no ACK has named yet, and by sequence number what was sent.
        self._missing: set[bytes] = set()
        self._sent: dict[int, bytes] = {}

    @property
    def is_underway(self) -> bool:
        """Whether the last EKTKey has not been acknowledged yet."""
        return self._underway is not None

    @property
    def due(self) -> float | None:
        """When the timer expires; None while nothing is on its way."""
        return self._retransmission.due

    def begin(self, message: EktKeyMessage) -> None:
        """An EKTKey is to be sent; the one before has been acknowledged."""
        self._underway = message
        self._retransmission.begin(Flight((), (message.message,), after_handshake=True))
        self._sent.clear()

    def transmit(self, mtu: int, now: float) -> list[list[OutgoingRecord]]:
        """The datagrams to seal and send now, each record of which is then told to `note`; sets the timer."""
        datagrams = self._retransmission.transmit(mtu, now)
        if not self._sent:
            self._missing = {record.payload for records in datagrams for record in records}
        return datagrams

    def note(self, sequence_number: int, record: OutgoingRecord) -> None:
        """A record was sealed under this number."""
        self._sent[sequence_number] = record.payload

    def expired(self, now: float) -> bool:
        """Whether the timer has expired."""
        return self._retransmission.expired(now)

    def acknowledge(self, sequence_numbers: frozenset[int]) -> int | None:
        """The client has these records; the SPI of the EKTKey that is thereby complete, if one is. Numbers of other
        records mean nothing."""
        self._missing -= {self._sent[number] for number in sequence_numbers & self._sent.keys()}
        if self._underway is None or self._missing:
            return None
        spi = self._underway.spi
        self.stop()
        return spi

    def stop(self) -> None:
        """Nothing will be repeated any more."""
        self._underway = None
        self._retransmission.stop()
