"""Who is in the conference and sends with which SSRCs, by what the Key Distributor has verified itself.

EKT is a group key, so that a packet proves no more than that some member sent it. What ties SSRCs to identities is this
roster: each member announces its own on its own authenticated association, and an SSRC has one member.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from perc.ekt.key_channel import MAX_MESSAGE_LENGTH, Member, Roster, Source
from perc.errors import ApiMisuse, IllegalParameter

MAX_SOURCES = 32
"""Sources of one member: camera, microphone and screen, with simulcast and room to replace each."""

_HEADER_LENGTH = 64
"""Octets around the members in a roster message, generously."""

_MEMBER_LENGTH = 30
_SOURCE_LENGTH = 6


@dataclass(slots=True)
class _Entry:
    id: bytes
    identity: str
    verified_at: int
    spi: int = 0
    sources: tuple[Source, ...] = ()


class ConferenceRoster:
    """Members by association; `version` rises with every change."""

    def __init__(self) -> None:
        self.version = 0
        self._entries: dict[UUID, _Entry] = {}
        self._owners: dict[int, UUID] = {}
        self._members: tuple[Member, ...] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone, in the order of joining."""
        if self._members is None:
            entries = self._entries.values()
            self._members = tuple(Member(e.id, e.identity, e.verified_at, e.spi, e.sources) for e in entries)
        return self._members

    def has_room_for(self, identity: str) -> bool:
        """Whether the roster still fits one message with this member, and with all sources that anyone may announce."""
        names = [identity, *(entry.identity for entry in self._entries.values())]
        length = sum(len(name.encode()) + _MEMBER_LENGTH + MAX_SOURCES * _SOURCE_LENGTH for name in names)
        return length + _HEADER_LENGTH <= MAX_MESSAGE_LENGTH

    def join(self, association_id: UUID, member_id: bytes, identity: str, verified_at: int) -> None:
        """Add a member, who has announced nothing yet."""
        if association_id in self._entries:
            raise ApiMisuse("a member joins once")
        self._entries[association_id] = _Entry(member_id, identity, verified_at)
        self._change()

    def leave(self, association_id: UUID) -> None:
        """Remove a member; its SSRCs are free again."""
        for source in self._entries.pop(association_id).sources:
            del self._owners[source.ssrc]
        self._change()

    def announce(self, association_id: UUID, sources: tuple[Source, ...]) -> list[Source]:
        """Take a member's announcement of everything it sends; the sources that are refused, because another member's.

        `IllegalParameter` for more than `MAX_SOURCES`, or an SSRC twice.
        """
        if len(sources) > MAX_SOURCES or len({source.ssrc for source in sources}) != len(sources):
            raise IllegalParameter("an announcement of too many sources, or of one twice")
        refused = [each for each in sources if self._owners.get(each.ssrc, association_id) != association_id]
        self._replace(association_id, tuple(source for source in sources if source not in refused))
        return refused

    def acknowledge(self, association_id: UUID, spi: int) -> None:
        """Note the EKTKey that a member holds."""
        entry = self._entries[association_id]
        if entry.spi != spi:
            entry.spi = spi
            self._change()

    def message_for(self, association_id: UUID) -> Roster:
        """The roster as one member gets it."""
        return Roster(self.version, self._entries[association_id].id, self.members)

    def _replace(self, association_id: UUID, sources: tuple[Source, ...]) -> None:
        entry = self._entries[association_id]
        if sources == entry.sources:
            return
        for source in entry.sources:
            del self._owners[source.ssrc]
        self._owners.update((source.ssrc, association_id) for source in sources)
        entry.sources = sources
        self._change()

    def _change(self) -> None:
        self.version += 1
        self._members = None
