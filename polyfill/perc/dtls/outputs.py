"""What a handshake asks its association to do, besides the events that it passes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from perc.dtls.events import Event
from perc.dtls.flights import Flight
from perc.dtls.fragments import HandshakeMessage
from perc.dtls.protection import RecordProtection


@dataclass(frozen=True, slots=True)
class FlightPrepared:
    """Send this flight; the peer's flight has been read to its end."""

    flight: Flight


@dataclass(frozen=True, slots=True)
class KeysDerived:
    """Take the keys of epoch 1 into use."""

    reading: RecordProtection
    writing: RecordProtection


Output = FlightPrepared | KeysDerived | Event


class Handshake(Protocol):
    """One side's handshake: messages in, outputs out. It knows nothing of records, fragments, loss or time."""

    async def receive_message(self, message: HandshakeMessage) -> list[Output]:
        """Take the next message of the peer; `PeerError` ends the association."""
        ...
