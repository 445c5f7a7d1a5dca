"""The associations of all endpoints, by association_id: which exist, whether one more may begin, who needs time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from perc.key_distributor.association import EndpointAssociation

MAX_ASSOCIATIONS = 512
"""Associations at once, handshakes included: far above a conference, and a bound on what hostile endpoints can take."""

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_RECORD_HEADER_LENGTH = 13


class Endpoints:
    """Associations as the Media Distributor names them. Iterating takes a copy, so that they may end meanwhile."""

    def __init__(self) -> None:
        self._associations: dict[UUID, EndpointAssociation] = {}
        self._proved: set[UUID] = set()

    def __len__(self) -> int:
        return len(self._associations)

    def __iter__(self) -> Iterator[EndpointAssociation]:
        return iter(tuple(self._associations.values()))

    @property
    def is_full(self) -> bool:
        """Whether one has to go before another may begin."""
        return len(self._associations) >= MAX_ASSOCIATIONS

    def get(self, association_id: UUID) -> EndpointAssociation | None:
        """The association of that name, if it exists."""
        return self._associations.get(association_id)

    def has(self, association: EndpointAssociation) -> bool:
        """Whether this association has not ended yet."""
        return self._associations.get(association.association_id) is association

    def was_proved(self, association_id: UUID) -> bool:
        """Whether an association of that name, on which somebody has proved who they are, has ended.

        Then the name is used up: what was decided about them, and is still on its way, must not be for anybody else.
        """
        return association_id in self._proved

    def add(self, association: EndpointAssociation) -> None:
        """An association begins."""
        self._associations[association.association_id] = association

    def oldest_unproved(self) -> EndpointAssociation | None:
        """The oldest association whose endpoint has not proved who it is: what makes room, if there is such."""
        return next((each for each in self._associations.values() if each.admission is None), None)

    def remove(self, association: EndpointAssociation) -> None:
        """An association is over."""
        del self._associations[association.association_id]
        if association.admission is not None:
            self._proved.add(association.association_id)  # at most as many as offers are accepted in a conference

    def next_timeout(self) -> float | None:
        """When an association needs time next."""
        times = (association.next_timeout() for association in self._associations.values())
        return min((time for time in times if time is not None), default=None)


def begins_association(datagram: bytes) -> bool:
    """Whether a datagram is a ClientHello in clear, or a fragment of one.

    Anything else for an association that does not exist is a latecomer of one that is over.
    """
    return (
        len(datagram) > _RECORD_HEADER_LENGTH
        and datagram[0] == _HANDSHAKE
        and datagram[3:5] == b"\x00\x00"
        and datagram[_RECORD_HEADER_LENGTH] == _CLIENT_HELLO
    )
