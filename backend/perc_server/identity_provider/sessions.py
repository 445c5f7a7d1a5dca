"""Who is signed in where: at this site (sign-ins), and inside other sites' pages (sessions), by way of one-time codes.

All three are bearer secrets of 256 random bits, stored as hashes, with an end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select

from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.tables import accounts, codes, sessions, sign_ins

MAX_CODES = 5
"""Live codes of one account: a person signs in to one page at a time, or to a few."""


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

    def sign_in(self, account: Account) -> str:
        """A token for the cookie of this site's own pages."""
        token = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            self._sweep(connection, sign_ins)
            row = {"token_hash": _hash(token), "account": account.id, "expires_at": self._end("sign_in")}
            connection.execute(insert(sign_ins).values(row))
        return token

    def signed_in(self, token: str) -> Account | None:
        """Whose token this is."""
        row = self._find(sign_ins, token)
        return None if row is None else Account(row.id, row.name)

    def sign_out(self, token: str) -> None:
        """Ends a sign-in."""
        with self._engine.begin() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.token_hash == _hash(token)))

    def issue_code(self, account: Account, origin: str, challenge: str) -> str:
        """A code with which the frame that knows the challenge's verifier, inside `origin`, gets its session."""
        code = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            self._sweep(connection, codes)
            self._forget_oldest_codes(connection, account)
            row = {"code_hash": _hash(code), "account": account.id, "origin": origin, "challenge": challenge}
            connection.execute(insert(codes).values(**row, expires_at=self._end("code")))
        return code

    def redeem(self, code: str, verifier: str, origin: str) -> str | None:
        """A session token for a code; whatever the outcome, the code is used up."""
        now = self._clock()
        with self._engine.begin() as connection:
            taken = connection.execute(
                delete(codes)
                .where(codes.c.code_hash == _hash(code))
                .returning(codes.c.account, codes.c.origin, codes.c.challenge, codes.c.expires_at)
            ).one_or_none()
        if taken is None or taken.expires_at <= now or taken.origin != origin:
            return None
        if not hmac.compare_digest(taken.challenge, challenge_of(verifier)):
            return None
        return self._begin(taken.account, origin)

    def find(self, token: str) -> Session | None:
        """The session of this token."""
        row = self._find(sessions, token)
        return None if row is None else Session(Account(row.id, row.name), row.origin)

    def _begin(self, account: int, origin: str) -> str:
        token = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            self._sweep(connection, sessions)
            row = {"token_hash": _hash(token), "account": account, "origin": origin}
            connection.execute(insert(sessions).values(**row, expires_at=self._end("session")))
        return token

    def _find(self, table: Table, token: str) -> Row[tuple[object, ...]] | None:
        query = (
            select(table, accounts.c.id, accounts.c.name)
            .join(accounts, accounts.c.id == table.c.account)
            .where(table.c.token_hash == _hash(token), table.c.expires_at > self._clock())
        )
        with self._engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _sweep(self, connection: Connection, table: Table) -> None:
        connection.execute(delete(table).where(table.c.expires_at <= self._clock()))

    def _forget_oldest_codes(self, connection: Connection, account: Account) -> None:
        newest = (
            select(codes.c.code_hash)
            .where(codes.c.account == account.id)
            .order_by(codes.c.expires_at.desc())
            .limit(MAX_CODES - 1)
        )
        kept = connection.execute(newest).scalars().all()
        connection.execute(delete(codes).where(codes.c.account == account.id, codes.c.code_hash.not_in(kept)))

    def _end(self, kind: str) -> float:
        return self._clock() + float(getattr(self._config, f"{kind}_lifetime"))


def challenge_of(verifier: str) -> str:
    """As RFC 7636 has it (S256): what the frame publishes of a secret that it keeps until it redeems the code."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
