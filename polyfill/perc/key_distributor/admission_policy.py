"""Whom the page wants in its conference: nobody gets keys whom the Key Distributor did not admit.

The draft lets a Key Distributor validate identities, and gives it no way to say which of them may join. Here a policy
says it where it can, and asks a person where it cannot; what the person decides holds for the life of the conference.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from perc.errors import ApiMisuse

MAX_GUESTS = 10_000
"""Entries of a guest list: as many as offers that a conference accepts."""


class Decision(Enum):
    """What is done about a verified identity; the values are those of the page."""

    ADMIT = "admit"
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Guests who need not wait, and what is done about everyone else.

    A guest is `name@host`, or `@host` for everyone whom that host's identity provider vouches for.
    """

    guests: frozenset[str] = frozenset()
    others: Decision = Decision.ASK

    @classmethod
    def of(cls, guests: Iterable[str], others: str) -> AdmissionPolicy:
        """The policy that a page describes; `ApiMisuse` for an entry that could be no one's, or an unknown decision."""
        names = frozenset(map(_guest, guests))
        if len(names) > MAX_GUESTS:
            raise ApiMisuse(f"a guest list has at most {MAX_GUESTS} entries")
        try:
            return cls(names, Decision(others))
        except ValueError as error:
            raise ApiMisuse(f"there is no decision {others!r}") from error

    def decide(self, identity: str) -> Decision:
        """`identity` is a verified `name@host`."""
        _, at, host = identity.partition("@")
        return Decision.ADMIT if {identity, at + host} & self.guests else self.others


class Guestbook:
    """The policy, and what a person has decided since: it counts more."""

    def __init__(self, policy: AdmissionPolicy) -> None:
        self.policy = policy
        self._decided: dict[str, Decision] = {}

    def decide(self, identity: str) -> Decision:
        """What is done about a verified identity now."""
        return self._decided.get(identity) or self.policy.decide(identity)

    def admit(self, identity: str) -> None:
        """A person knows them: they may come again without being asked about."""
        self._decided[identity] = Decision.ADMIT

    def remove(self, identity: str) -> None:
        """A person does not want them here: whatever the policy says, they are asked about from now on."""
        self._decided[identity] = Decision.ASK


def _guest(entry: str) -> str:
    """An entry as identities are written: one `@`, the host in lower case (`perc.identity.verdict`)."""
    name, at, host = entry.partition("@")
    if not at or not host or "@" in host:
        raise ApiMisuse(f"{entry!r} is neither name@host nor @host")
    return f"{name}@{host.lower()}"
