"""A conference's way to its Key Distributor, whether the tunnel is up or not.

Without a tunnel media goes on, DTLS waits within bounds, and after a time limit the Key Distributor counts as gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from perc.tunnel.messages import EndpointDisconnect, TunneledDtls
from perc_server.media_distributor.config import Timeouts
from perc_server.media_distributor.counts import DatagramDrop, MediaDistributorCounts
from perc_server.media_distributor.endpoint import MAXIMUM_QUEUED_DTLS, Endpoint
from perc_server.media_distributor.tunnel import Tunnel

MAXIMUM_FAREWELLS = 256
"""Associations that ended last. The next tunnel's Key Distributor is told again: what was said last may be lost."""


class KeyDistributorLink:
    """The tunnel of the moment, and what waits for the next one."""

    def __init__(self, timeouts: Timeouts, now: float, counts: MediaDistributorCounts) -> None:
        self._timeouts = timeouts
        self._counts = counts
        self._deadline = now + timeouts.tunnel
        self._farewells: deque[EndpointDisconnect] = deque(maxlen=MAXIMUM_FAREWELLS)
        self.tunnel: Tunnel | None = None

    def is_gone(self, now: float) -> bool:
        """Whether there has been no tunnel for too long."""
        return self.tunnel is None and now >= self._deadline

    def up(self, tunnel: Tunnel) -> Tunnel | None:
        """A new tunnel takes the place of an older one, which is returned for its owner to close."""
        older, self.tunnel = self.tunnel, tunnel
        return older

    def down(self, now: float, *, in_order: bool) -> None:
        """The tunnel is gone; in order, the Key Distributor comes back no more."""
        self.tunnel = None
        self._deadline = now if in_order else now + self._timeouts.tunnel_lost

    def flush(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Send what has waited for the tunnel, or may not have arrived; the endpoints whose DTLS was sent."""
        for farewell in self._farewells:
            if self.tunnel is not None:
                self.tunnel.send(farewell)
        waiting = [endpoint for endpoint in endpoints if endpoint.queued_dtls]
        for endpoint in waiting:
            while endpoint.queued_dtls:
                self.send_dtls(endpoint, endpoint.queued_dtls.popleft())
        return waiting

    def send_dtls(self, endpoint: Endpoint, datagram: bytes) -> bool:
        """Send an endpoint's datagram, or keep it until there is a tunnel; whether it was sent."""
        if self.tunnel is None:
            if len(endpoint.queued_dtls) == MAXIMUM_QUEUED_DTLS:  # the oldest makes way
                self._counts.datagrams_dropped[DatagramDrop.TUNNEL_DOWN] += 1
            endpoint.queued_dtls.append(datagram)
            return False
        # "The Media Distributor MUST forward all DTLS messages received from either the endpoint or the Key
        # Distributor" (RFC 9185, Section 5.3).
        self.tunnel.send(TunneledDtls(endpoint.association_id, datagram))
        return True

    def farewell(self, endpoint: Endpoint) -> None:
        """Tell the Key Distributor that an association is over, now or with the next tunnel."""
        # "the Media Distributors MUST send an EndpointDisconnect message with the association identifier assigned to
        # the endpoint to the Key Distributor" (RFC 9185, Section 5.3).
        message = EndpointDisconnect(endpoint.association_id)
        self._farewells.append(message)
        if self.tunnel is not None:
            self.tunnel.send(message)
