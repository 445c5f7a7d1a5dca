"""The endpoints of a conference, by everything that they are known by."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from perc_server.media_distributor.counts import CheckRefusal, MediaDistributorCounts
from perc_server.media_distributor.endpoint import Endpoint
from perc_server.media_distributor.ice import Address, local_ufrag, read_request, refuse


class Endpoints:
    """Who is in the conference, and which addresses are theirs."""

    def __init__(self, counts: MediaDistributorCounts | None = None) -> None:
        self._counts = counts or MediaDistributorCounts()
        self._by_id: dict[str, Endpoint] = {}
        self._by_association: dict[UUID, Endpoint] = {}
        self._by_ufrag: dict[str, Endpoint] = {}
        self._by_address: dict[Address, Endpoint] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Endpoint]:
        """All of them, as they are now: endpoints may be removed meanwhile."""
        return iter(tuple(self._by_id.values()))

    def get(self, endpoint_id: str) -> Endpoint | None:
        """By call processing's id."""
        return self._by_id.get(endpoint_id)

    def by_association(self, association_id: UUID) -> Endpoint | None:
        """By the tunnel's id."""
        return self._by_association.get(association_id)

    def by_address(self, address: Address) -> Endpoint | None:
        """By an address from which an ICE check came."""
        return self._by_address.get(address)

    def add(self, endpoint: Endpoint) -> None:
        """A new endpoint, or one whose ICE credentials are new."""
        self._forget_ufrags(endpoint)
        self._by_id[endpoint.endpoint_id] = endpoint
        self._by_association[endpoint.association_id] = endpoint
        for ufrag in endpoint.ice.ufrags:
            self._by_ufrag[ufrag] = endpoint

    def remove(self, endpoint: Endpoint) -> None:
        """The endpoint left."""
        self._forget_ufrags(endpoint)
        self._by_id.pop(endpoint.endpoint_id, None)
        self._by_association.pop(endpoint.association_id, None)
        for address in endpoint.ice.addresses:
            self._by_address.pop(address, None)

    def check(self, datagram: bytes, address: Address) -> tuple[bytes | None, Endpoint | None]:
        """The response to a STUN datagram, and the endpoint if it was a good check."""
        request = read_request(datagram)
        if request is None:
            self._counts.checks_refused[CheckRefusal.MALFORMED] += 1
            return None, None
        endpoint = self._by_ufrag.get(local_ufrag(request) or "")
        if endpoint is None:
            self._counts.checks_refused[CheckRefusal.UNKNOWN_UFRAG] += 1
            return refuse(request), None
        if self._by_address.get(address, endpoint) is not endpoint:
            # Another endpoint's address: with a forged source address its packets could be drawn off.
            self._counts.checks_refused[CheckRefusal.OTHER_ENDPOINTS_ADDRESS] += 1
            return None, None
        before = endpoint.ice.addresses
        response, passed = endpoint.ice.receive(request, address)
        if passed is None:
            return response, None
        for forgotten in set(before) - set(endpoint.ice.addresses):
            self._by_address.pop(forgotten, None)
        self._by_address[address] = endpoint
        self._counts.checks_passed += 1
        return response, endpoint

    def _forget_ufrags(self, endpoint: Endpoint) -> None:
        self._by_ufrag = {ufrag: other for ufrag, other in self._by_ufrag.items() if other is not endpoint}
