"""Challenges of passkey ceremonies: random, good once, for a few minutes, in the browser they were made for."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import Engine, delete, insert

from perc_server.identity_provider.sessions import token_hash
from perc_server.identity_provider.tables import challenges

LIFETIME = 300
"""Seconds: the least that is recommended where people unlock something (WebAuthn Level 3, Section 15.1)."""


class Challenges:
    """Makes and takes back challenges; `clock` gives Unix time."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    def issue(self, holder: str) -> bytes:
        """A challenge for the browser that has this secret."""
        # "Challenges SHOULD therefore be at least 16 bytes long" (WebAuthn Level 3, Section 13.4.3).
        challenge = secrets.token_bytes(32)
        now = self._clock()
        row = {"challenge_hash": _key(challenge), "bound_to": token_hash(holder), "expires_at": now + LIFETIME}
        with self._engine.begin() as connection:
            connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
            connection.execute(insert(challenges).values(row))
        return challenge

    def take(self, holder: str, challenge: bytes) -> bool:
        """Whether it was issued to the browser with this secret, and is live; whoever tries uses it up."""
        statement = delete(challenges).where(challenges.c.challenge_hash == _key(challenge)).returning(*challenges.c)
        with self._engine.begin() as connection:
            taken = connection.execute(statement).one_or_none()
        return taken is not None and taken.expires_at > self._clock() and taken.bound_to == token_hash(holder)


def _key(challenge: bytes) -> str:
    return token_hash(challenge.hex())
