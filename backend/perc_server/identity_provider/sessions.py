"""Who is signed in where: at this site (sign-ins), and inside other sites' pages (sessions), by way of one-time codes.

All three are bearer secrets of 256 random bits, stored as hashes, with an end. Codes and sessions belong to the sign-in
that they came from and end with it: whoever signs out at a borrowed machine leaves no site behind that is still theirs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select, update

from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.tables import accounts, codes, sessions, sign_ins

MAX_CODES = 5
"""Live codes of one account: a person signs in to one page at a time, or to a few."""

RECENT = 600
"""Seconds after which a sign-in is not enough to add another way to sign in: whoever finds a machine that was left
signed in must not be able to come back."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person at a browser, signed in at this site."""

    account: Account
    id: str
    began_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """A user's identity, lent to one web origin."""

    account: Account
    origin: str


class Sessions:
    """Makes, finds and ends them; `clock` gives Unix time."""

    def __init__(self, engine: Engine, config: IdentityProviderConfig, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._config = config
        self._clock = clock

    def sign_in(self, account: Account, before: SignIn | None) -> str:
        """A token for the cookie of this site's own pages: always a new one, never one that a browser brought along.

        One browser is one person: what came of its sign-in `before` goes on under the new one, or ends if that was
        someone else's.
        """
        token = secrets.token_urlsafe(32)
        row = {"token_hash": token_hash(token), "account": account.id, "began_at": self._clock()}
        # Though it signs nobody in for that long.
        self._insert(sign_ins, row, self._config.sign_in_memory)
        if before and before.account == account:
            with self._engine.begin() as connection:
                for table in (codes, sessions):
                    of_before = update(table).where(table.c.sign_in == before.id)
                    connection.execute(of_before.values(sign_in=token_hash(token)))
        if before:
            self.sign_out(before)
        return token

    def signed_in(self, token: str) -> SignIn | None:
        """Whose token this is, while it signs someone in."""
        sign_in = self.known(token)
        return sign_in if sign_in and sign_in.began_at > self._clock() - self._config.sign_in_lifetime else None

    def known(self, token: str) -> SignIn | None:
        """Whose token this is, or was: what came of it may still live."""
        row = self._find(sign_ins, token)
        return None if row is None else SignIn(Account(row.id, row.name), row.token_hash, row.began_at)

    def is_recent(self, sign_in: SignIn) -> bool:
        """Whether that person has only just proved who they are."""
        return sign_in.began_at > self._clock() - RECENT

    def sign_out(self, sign_in: SignIn) -> None:
        """Ends a sign-in, and what came from it in other sites' pages."""
        with self._engine.begin() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.token_hash == sign_in.id))
            for table in (codes, sessions):
                connection.execute(delete(table).where(table.c.sign_in == sign_in.id))

    def sign_out_everywhere(self, account: Account) -> None:
        """Ends all that there is of this account, in all browsers."""
        with self._engine.begin() as connection:
            for table in (sign_ins, codes, sessions):
                connection.execute(delete(table).where(table.c.account == account.id))

    def withdraw(self, account: Account, origin: str) -> None:
        """Ends what one web origin has of this account."""
        with self._engine.begin() as connection:
            for table in (codes, sessions):
                connection.execute(delete(table).where(table.c.account == account.id, table.c.origin == origin))

    def issue_code(self, sign_in: SignIn, origin: str, challenge: str) -> str:
        """A code with which the frame that knows the challenge's verifier, inside `origin`, gets its session."""
        code = secrets.token_urlsafe(32)
        row = {"code_hash": token_hash(code), "account": sign_in.account.id, "sign_in": sign_in.id}
        with self._engine.begin() as connection:
            self._forget_oldest_codes(connection, sign_in.account)
        self._insert(codes, {**row, "origin": origin, "challenge": challenge}, self._config.code_lifetime)
        return code

    def redeem(self, code: str, verifier: str, origin: str) -> str | None:
        """A session token for a code; whatever the outcome, the code is used up."""
        statement = delete(codes).where(codes.c.code_hash == token_hash(code)).returning(*codes.c)
        with self._engine.begin() as connection:
            taken = connection.execute(statement).one_or_none()
        if taken is None or taken.expires_at <= self._clock() or taken.origin != origin:
            return None
        if not hmac.compare_digest(taken.challenge, challenge_of(verifier)):
            return None
        token = secrets.token_urlsafe(32)
        row = {"token_hash": token_hash(token), "account": taken.account, "sign_in": taken.sign_in, "origin": origin}
        self._insert(sessions, row, self._config.session_lifetime)
        return token

    def find(self, token: str) -> Session | None:
        """The session of this token."""
        row = self._find(sessions, token)
        return None if row is None else Session(Account(row.id, row.name), row.origin)

    def _find(self, table: Table, token: str) -> Row[tuple[object, ...]] | None:
        query = (
            select(table, accounts.c.id, accounts.c.name)
            .join(accounts, accounts.c.id == table.c.account)
            .where(table.c.token_hash == token_hash(token), table.c.expires_at > self._clock())
        )
        with self._engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _insert(self, table: Table, row: dict[str, object], lifetime: float) -> None:
        now = self._clock()
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.expires_at <= now))
            connection.execute(insert(table).values(**row, expires_at=now + lifetime))

    def _forget_oldest_codes(self, connection: Connection, account: Account) -> None:
        newest = (
            select(codes.c.code_hash)
            .where(codes.c.account == account.id)
            .order_by(codes.c.expires_at.desc())
            .limit(MAX_CODES - 1)
        )
        kept = connection.execute(newest).scalars().all()
        connection.execute(delete(codes).where(codes.c.account == account.id, codes.c.code_hash.not_in(kept)))


def challenge_of(verifier: str) -> str:
    """As RFC 7636 has it (S256): what the frame publishes of a secret that it keeps until it redeems the code."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def token_hash(token: str) -> str:
    """What the store knows of a bearer secret."""
    return hashlib.sha256(token.encode()).hexdigest()
