"""A path between a client and a server in one thread, with a clock of its own; it loses what it is told to lose."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import cached_property

from perc.dtls import AssociationClosed, AssociationFailed, Event, HandshakeCompleted, SrtpKeysExported
from perc.dtls.association import Association
from perc.dtls.client import DtlsClient
from perc.dtls.server import DtlsServer
from perc.errors import PeerError
from tests.driving import run
from tests.dtls.insider import Insider

# What becomes of one flight, a list of datagrams: lost, doubled, reordered, changed.
Treatment = Callable[[list[bytes]], list[bytes]]


class End:
    """One end with all that it has told."""

    def __init__(self, association: Association) -> None:
        self.association = association
        self.events: list[Event] = []

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def is_connected(self) -> bool:
        return bool(self.of(HandshakeCompleted))

    @property
    def has_ended(self) -> bool:
        return bool(self.of(AssociationFailed) or self.of(AssociationClosed))

    @property
    def keys(self) -> SrtpKeysExported:
        (keys,) = (event for event in self.events if isinstance(event, SrtpKeysExported))
        return keys

    @property
    def error(self) -> PeerError:
        (failed,) = (event for event in self.events if isinstance(event, AssociationFailed))
        return failed.error


class Path:
    """Carries flights, numbered from 0 in the order in which either side sends them."""

    def __init__(
        self,
        client: DtlsClient,
        server: DtlsServer,
        lose: Container[int] = (),
        treat: Treatment = list,
        key_log: Sequence[str] = (),
    ) -> None:
        self.client, self.server = End(client), End(server)
        self.now = 100.0
        self.flights: list[list[bytes]] = []
        self.lose = lose
        self._treat = treat
        self._key_log = key_log
        self.client.events += run(client.start(self.now))

    def settle(self) -> None:
        """Carry datagrams both ways until neither side sends any more; no time passes."""
        while self.carry(self.client, self.server) or self.carry(self.server, self.client):
            pass

    def run(self, until: float = 60.0) -> None:
        """Let things happen, timeouts too, until both ends rest or have ended or `until` seconds have passed."""
        deadline = self.now + until
        self.settle()
        while self._advance_to_next_timeout(deadline):
            for end in (self.client, self.server):
                end.events += run(end.association.handle_timeout(self.now))
            self.settle()

    def _advance_to_next_timeout(self, deadline: float) -> bool:
        timeouts = [end.association.next_timeout() for end in (self.client, self.server)]
        due = [timeout for timeout in timeouts if timeout is not None]
        if not due or min(due) > deadline:
            return False
        self.now = max(self.now, min(due))
        return True

    @cached_property
    def insider(self) -> Insider:
        """The keys of both ends, for a server that writes the `key_log` of this path, once it has derived them."""
        return Insider(self._key_log, (datagram for flight in self.flights for datagram in flight))

    def carry(self, sender: End, receiver: End) -> bool:
        """Carry what one side has to send now; return whether there was anything."""
        datagrams = sender.association.datagrams_to_send()
        if not datagrams:
            return False
        number = len(self.flights)
        self.flights.append(datagrams)
        if number not in self.lose:
            for datagram in self._treat(datagrams):
                receiver.events += run(receiver.association.receive_datagram(datagram, self.now))
        return True
