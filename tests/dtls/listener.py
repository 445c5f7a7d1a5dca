"""A server behind a gate, as one address of a listener sees both: no association before the client is admitted."""

from __future__ import annotations

from collections.abc import Callable

from perc.dtls import CookieGate, DtlsServer, Event
from perc.dtls.cookie_gate import Admitted, Challenged
from perc.dtls.numbers import Numbers
from tests.driving import run
from tests.dtls.parties import PROVIDER, make_server

ADDRESS = b"\xc0\x00\x02\x01\x12\x34"


class Listener:
    """Has an association's verbs."""

    def __init__(self, make: Callable[[Numbers], DtlsServer] = lambda numbers: make_server(numbers=numbers)) -> None:
        self.association: DtlsServer | None = None
        self._gate = CookieGate(PROVIDER.random_bytes)
        self._make = make
        self._challenges: list[bytes] = []

    async def receive_datagram(self, datagram: bytes, now: float) -> list[Event]:
        if self.association is None:
            match self._gate.receive(datagram, ADDRESS, now):
                case Challenged(challenge):
                    self._challenges.append(challenge)
                case Admitted(numbers):
                    self.association = self._make(numbers)
        return run(self.association.receive_datagram(datagram, now)) if self.association else []

    def datagrams_to_send(self) -> list[bytes]:
        challenges, self._challenges = self._challenges, []
        return challenges + (self.association.datagrams_to_send() if self.association else [])

    def next_timeout(self) -> float | None:
        return self.association.next_timeout() if self.association else None

    async def handle_timeout(self, now: float) -> list[Event]:
        return run(self.association.handle_timeout(now)) if self.association else []

    async def send(self, data: bytes) -> None:
        if self.association:
            run(self.association.send(data))
