"""The door of the conference: from an endpoint that has proved who it is to a member, by policy or by a person.

    key channel open ──knock──▶ ADMIT ─────────────────────────▶ member
                                ASK ───▶ waits ──admitted──────▶ member
                                           └── denied, or too long ──▶ association ended
                                REFUSE ──────────────────────────────▶ association ended

`PeerError` means that the endpoint cannot stay, with the alert that it is told.
"""

from __future__ import annotations

from uuid import UUID

from perc.ekt.key_channel import Announce, EktKeyAck
from perc.errors import AlertDescription, ApiMisuse, NotPresent, PeerError
from perc.key_distributor.admission_policy import Decision, Guestbook
from perc.key_distributor.admissions import Admission
from perc.key_distributor.association import EndpointAssociation
from perc.key_distributor.conference import Conference
from perc.key_distributor.events import Event, JoinRequested
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.key_distributor.waiting_room import WaitingRoom


class Door:
    """Who gets into `conference`, who waits before it, who is sent away."""

    def __init__(self, conference: Conference, guestbook: Guestbook, trace: Trace = NO_TRACE) -> None:
        self.guestbook = guestbook
        self.waiting = WaitingRoom()
        self._conference = conference
        self._trace = trace

    async def knock(self, association: EndpointAssociation, now: float) -> list[Event]:
        """An endpoint can be given keys; again, if it has forgotten them or something was decided meanwhile."""
        association_id, admission = association.association_id, _admission_of(association)
        if association_id in self._conference:
            return await self._conference.admit(association, now)
        match self.guestbook.decide(admission.identity):
            case Decision.REFUSE:
                raise PeerError("the host does not admit this identity", AlertDescription.ACCESS_DENIED)
            case Decision.ASK:
                return [] if association_id in self.waiting else self._ask(association, admission, now)
        return await self._let_in(association, now)

    async def hear(self, association_id: UUID, message: Announce | EktKeyAck, now: float) -> list[Event]:
        """What an endpoint says on its key channel; of one who waits an announcement is kept."""
        if association_id in self.waiting and isinstance(message, Announce):
            self.waiting.hear(association_id, message)
            return []
        return await self._conference.receive(association_id, message, now)

    def admit(self, association_id: UUID) -> None:
        """A person lets a guest in, who may knock again now; `NotPresent` if it does not wait any more."""
        self.guestbook.admit(_admission_of(self.guest(association_id)).identity)

    def guest(self, association_id: UUID) -> EndpointAssociation:
        """Who waits under this name; `NotPresent` if nobody does, or not any more."""
        for association in self.waiting:
            if association.association_id == association_id:
                return association
        raise NotPresent("nobody waits under this name any more")

    async def leave(self, association_id: UUID, now: float) -> list[Event]:
        """An association is over."""
        self.waiting.leave(association_id)
        return await self._conference.leave(association_id, now)

    def clear(self) -> list[Event]:
        """Everyone is gone at once."""
        self.waiting.clear()
        return self._conference.clear()

    def overdue(self, now: float) -> list[tuple[EndpointAssociation, AlertDescription, str]]:
        """Who cannot stay any longer, what it is told, and why."""
        undecided = [(each, AlertDescription.ACCESS_DENIED, "nobody let it in") for each in self.waiting.expired(now)]
        # Nobody has decided against a member that could not be reached: it may come back.
        lost = [
            (each, AlertDescription.CLOSE_NOTIFY, "the EKTKey was not acknowledged")
            for each in self._conference.overdue(now)
        ]
        return undecided + lost

    def pause(self) -> None:
        """Nobody can be told anything until `resume`."""
        self._conference.pause()

    async def resume(self, missed: float, now: float) -> list[Event]:
        """Members can be told again, of what `missed` seconds that were not counted have brought."""
        self._conference.age(missed)
        return await self._conference.resume(now)

    def sleep(self, seconds: float) -> None:
        """Seconds went by that are not counted, in which nothing could be done."""
        self._conference.age(seconds)

    def next_timeout(self) -> float | None:
        """When somebody will be overdue, or members are to be told something."""
        times = (self.waiting.next_timeout(), self._conference.next_overdue(), self._conference.next_timeout())
        return min((time for time in times if time is not None), default=None)

    async def handle_timeout(self, now: float) -> list[Event]:
        """Tell members what has become due."""
        return await self._conference.handle_timeout(now)

    def _ask(self, association: EndpointAssociation, admission: Admission, now: float) -> list[Event]:
        self.waiting.enter(association, admission.identity, now)
        name = association.association_id
        self._trace.emit(TraceName.JOIN_REQUESTED, name, identity=admission.identity)
        return [JoinRequested(name, admission.identity, admission.domain, admission.verified_at)]

    async def _let_in(self, association: EndpointAssociation, now: float) -> list[Event]:
        if not self._conference.has_room_for(association):
            raise PeerError("the conference is full", AlertDescription.ACCESS_DENIED)
        announced = self.waiting.leave(association.association_id)
        events = await self._conference.admit(association, now)
        if announced is not None:
            events += await self._conference.receive(association.association_id, announced, now)
        return events


def _admission_of(association: EndpointAssociation) -> Admission:
    if association.admission is None:
        raise ApiMisuse("nobody has authenticated on this association")
    return association.admission
