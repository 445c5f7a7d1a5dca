"""Accounts and what their owners have consented to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, insert, select

from perc_server.identity_provider.tables import accounts, consents


@dataclass(frozen=True, slots=True)
class Account:
    """One user."""

    id: int
    name: str


class Accounts:
    """The users, by name; names are compared without regard to case."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_if_absent(self, name: str, password_hash: str) -> None:
        """Makes the account unless there is one of this name; that one keeps its password."""
        with self._engine.begin() as connection:
            if connection.execute(select(accounts.c.id).where(accounts.c.name == name.lower())).first() is None:
                connection.execute(insert(accounts).values(name=name.lower(), password_hash=password_hash))

    def with_hash(self, name: str) -> tuple[Account, str] | None:
        """The account of this name and its password hash."""
        query = select(accounts).where(accounts.c.name == name.lower())
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (Account(row.id, row.name), row.password_hash)

    def has_consented(self, account: Account, origin: str) -> bool:
        """Whether this user lets this web origin use their identity."""
        query = select(consents).where(consents.c.account == account.id, consents.c.origin == origin)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def consent(self, account: Account, origin: str) -> None:
        """Remembers that this user lets this web origin use their identity."""
        if not self.has_consented(account, origin):
            with self._engine.begin() as connection:
                connection.execute(insert(consents).values(account=account.id, origin=origin))
