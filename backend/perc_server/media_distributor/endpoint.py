"""One endpoint of a conference, as the Media Distributor knows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.demultiplex import Datagram
from perc_server.media_distributor.events import StepName
from perc_server.media_distributor.ice import IceLite
from perc_server.media_distributor.slots import SlotTable
from perc_server.observability.logs import Log

MAXIMUM_QUEUED_DTLS = 32
"""Datagrams of one endpoint that wait for a lost tunnel to come back: several flights, which are resent anyway."""

DATAGRAMS_PER_SECOND = 4000
"""Datagrams of one endpoint per second, DTLS aside: ten times what a sender of 2.5 Mbit/s video and audio needs."""

DTLS_PER_SECOND = 100
"""Datagrams of DTLS per second. Each is work for the Key Distributor, which is a page, and comes before anybody is
admitted. What an endpoint says after its handshake is acknowledgements, and an announcement now and then."""

DTLS_BURST = 200
"""Datagrams of DTLS at once: a handshake (10) and the longest message of the key channel (64 KiB, 60), all of it sent
again, and some more. What is too much is lost as on any full link: DTLS and SCTP send it again, more slowly."""


class Allowance:
    """A bound on how often something may happen, with a burst."""

    def __init__(self, per_second: int, *, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = 0.0

    def spend(self, now: float) -> bool:
        """Whether it may happen once more."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True, eq=False)
class Endpoint:
    """An endpoint whose first answer has been signed."""

    endpoint_id: str
    role: str
    ice: IceLite
    fingerprints: frozenset[str]
    """Of its certificate, as offered; another certificate is another endpoint."""
    log: Log
    deadline: float
    """When it counts as gone, unless an ICE check comes."""
    # "The association identifier MUST be randomly assigned UUID value" (RFC 9185, Section 5.3).
    association_id: UUID = field(default_factory=uuid4)
    has_hop: bool = False
    sources: tuple[Source, ...] = ()
    slots: SlotTable = field(default_factory=SlotTable)
    queued_dtls: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAXIMUM_QUEUED_DTLS))
    datagrams: Allowance = field(default_factory=lambda: Allowance(DATAGRAMS_PER_SECOND, burst=DATAGRAMS_PER_SECOND))
    dtls: Allowance = field(default_factory=lambda: Allowance(DTLS_PER_SECOND, burst=DTLS_BURST))
    steps: set[StepName] = field(default_factory=set)
    """Steps reported already: the ladder has each once."""

    def may_send(self, kind: Datagram, now: float) -> bool:
        """Whether a datagram of this kind is still within what one endpoint is allowed."""
        return (self.dtls if kind is Datagram.DTLS else self.datagrams).spend(now)
