"""Passwords: which are accepted (NIST SP 800-63B), and their hashes (argon2id).

Hashing is away from the event loop and never more at once than memory allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import unicodedata
from collections.abc import AsyncIterator
from http import HTTPStatus

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError

from perc_server.problems import Problem, ProblemKind

CONCURRENT = 2
"""One hash needs 64 MiB: more at once would let a burst of guesses use up the machine."""

WAITING = 50
"""Hashes that may wait for their turn: some seconds' worth. Whoever comes then is told to come back."""

MIN_PASSWORD = 8
"""Characters: "at least 8 characters in length" (NIST SP 800-63B, Section 5.1.1.2)."""

MAX_PASSWORD = 128
"""Characters; the section asks for at least 64. Longer input costs time to hash and makes no password better."""

COMMON = """
    password passw0rd password1 password12 password123 p@ssw0rd p@ssword iloveyou sunshine princess football baseball
    superman starwars trustno1 whatever computer internet welcome1 changeme letmein1 qwerty123 qwerty12 1q2w3e4r
    1qaz2wsx q1w2e3r4 qwer1234 asdf1234 abcd1234 abc12345 michelle jennifer charlie1 liverpool pokemon1 dragon123
    monkey123 admin123 default1 secret123
"""
"""Of at least eight characters, the ones that every guess begins with. Not a list of leaked passwords, which would be
large and soon old: beyond these, it is the limit on guessing that protects a password."""

BESIDE_NAME = 6
"""Characters that a password must have beside its owner's name."""

ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")


def normalized(password: str) -> str:
    """One spelling for all keyboards: "NFKC or NFKD" (NIST SP 800-63B, Section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def objection(password: str, name: str) -> str | None:
    """Why this is no password for the account of this name, in words for the one who chose it."""
    password = normalized(password)
    plain = password.lower()
    if len(password) < MIN_PASSWORD:
        return f"A password has at least {MIN_PASSWORD} characters."
    if len(password) > MAX_PASSWORD:
        return f"A password has at most {MAX_PASSWORD} characters."
    # The section's list of what is refused: common, repetitive or sequential, made from the user's name.
    if {plain, plain.strip("0123456789!.")} & _COMMON:
        return "Everyone who guesses passwords begins with this one. Choose another."
    if len(set(plain)) < 3 or any(plain in row * 12 or plain in row[::-1] * 12 for row in ROWS):
        return "This is a row of keys. Choose something that is harder to guess."
    if name and len(plain.replace(name, "")) < BESIDE_NAME:
        return "This is little more than your name. Choose something that is harder to guess."
    return None


_COMMON = frozenset(COMMON.split())


class Passwords:
    """Hashes and verifies; an unknown account costs as much time as a known one."""

    def __init__(self, cost: Parameters) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._waiting = 0
        self._of_nobody = self._hasher.hash(secrets.token_urlsafe())

    def hash_now(self, password: str) -> str:
        """For start-up, where there is no event loop to hold up."""
        return self._hasher.hash(normalized(password))

    async def hash(self, password: str) -> str:
        """What is stored of a password."""
        async with self._turn():
            return await asyncio.to_thread(self.hash_now, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one of this hash; `None` stands for an account that does not exist."""
        if len(password) > MAX_PASSWORD:
            return False
        async with self._turn():
            return await asyncio.to_thread(self._verify, password_hash, normalized(password))

    def _verify(self, password_hash: str | None, password: str) -> bool:
        with contextlib.suppress(VerifyMismatchError):
            # The hash of nobody's password, so that the time taken does not tell which names exist.
            return self._hasher.verify(password_hash or self._of_nobody, password) and password_hash is not None
        return False

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, ProblemKind.BUSY, "Too many people sign in at once. Try again."
            )
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1
