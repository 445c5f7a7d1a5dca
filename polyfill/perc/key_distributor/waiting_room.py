"""Endpoints that have proved who they are and wait for a person to decide: without EKTKey, without roster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from perc.ekt.key_channel import Announce
from perc.errors import AlertDescription, PeerError
from perc.key_distributor.association import EndpointAssociation

WAITING_LIMIT = 600.0
"""Seconds until nobody will decide any more."""

MAX_WAITING = 64
"""Endpoints that wait at once: more than a person can decide about. The next are turned away, and can come again."""

MAX_WAITING_PER_IDENTITY = 4
"""The same for one identity, so that nobody fills the room alone."""


@dataclass(slots=True)
class _Guest:
    association: EndpointAssociation
    expires: float
    announced: Announce | None = None


class WaitingRoom:
    """Guests by association, in the order in which they came. Iterating takes a copy."""

    def __init__(self) -> None:
        self._guests: dict[UUID, _Guest] = {}

    def __iter__(self) -> Iterator[EndpointAssociation]:
        return iter([guest.association for guest in self._guests.values()])

    def __contains__(self, association_id: UUID) -> bool:
        return association_id in self._guests

    def enter(self, association: EndpointAssociation, identity: str, now: float) -> None:
        """Wait from now on; `PeerError` if too many do."""
        same = sum(each.admission is not None and each.admission.identity == identity for each in self)
        if len(self._guests) >= MAX_WAITING or same >= MAX_WAITING_PER_IDENTITY:
            raise PeerError("too many wait to be let in", AlertDescription.ACCESS_DENIED)
        self._guests[association.association_id] = _Guest(association, now + WAITING_LIMIT)

    def hear(self, association_id: UUID, announced: Announce) -> None:
        """Keep what a guest will send with, until it may."""
        self._guests[association_id].announced = announced

    def leave(self, association_id: UUID) -> Announce | None:
        """Wait no longer; what was announced meanwhile."""
        guest = self._guests.pop(association_id, None)
        return None if guest is None else guest.announced

    def clear(self) -> None:
        """Everyone is gone."""
        self._guests.clear()

    def expired(self, now: float) -> list[EndpointAssociation]:
        """Who has waited too long."""
        return [guest.association for guest in self._guests.values() if guest.expires <= now]

    def next_timeout(self) -> float | None:
        """When the next will have waited too long."""
        return min((guest.expires for guest in self._guests.values()), default=None)
