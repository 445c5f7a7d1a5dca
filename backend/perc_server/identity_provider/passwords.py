"""Password hashes (argon2id), away from the event loop and never more at once than memory allows."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError

CONCURRENT = 2
"""One hash needs 64 MiB: more at once would let a burst of guesses use up the machine."""

MAX_PASSWORD = 256
"""Characters. Longer input costs time to hash and makes no password better."""


class Passwords:
    """Hashes and verifies; an unknown account costs as much time as a known one."""

    def __init__(self, cost: Parameters) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._of_nobody = self._hasher.hash(secrets.token_urlsafe())

    def hash_now(self, password: str) -> str:
        """For start-up, where there is no event loop to hold up."""
        return self._hasher.hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one of this hash; `None` stands for an account that does not exist."""
        if len(password) > MAX_PASSWORD:
            return False
        async with self._slots:
            return await asyncio.to_thread(self._verify, password_hash, password)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        with contextlib.suppress(VerifyMismatchError):
            # The hash of nobody's password, so that the time taken does not tell which names exist.
            return self._hasher.verify(password_hash or self._of_nobody, password) and password_hash is not None
        return False
