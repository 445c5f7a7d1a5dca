"""Accounts, and the sites that their owners have consented to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from perc_server.identity_provider.names import could_exist, look
from perc_server.identity_provider.tables import accounts, consents, looks


@dataclass(frozen=True, slots=True)
class Account:
    """One user."""

    id: int
    name: str


class Accounts:
    """The users, by canonical name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_if_absent(self, name: str, password_hash: str) -> None:
        """Makes the account unless there is one of this name; that one keeps its password."""
        with suppress(IntegrityError), self._engine.begin() as connection:
            _insert(connection, name, password_hash)

    def register(self, name: str, password_hash: str) -> Account | None:
        """A new account; `None` if the name, or one that looks like it, is taken."""
        try:
            with self._engine.begin() as connection:
                return _insert(connection, name, password_hash)
        except IntegrityError:
            return None

    def is_taken(self, name: str) -> bool:
        """Whether this name, or one that looks like it, is someone's."""
        query = select(looks.c.account).where(looks.c.look == look(name))
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def with_hash(self, name: str) -> tuple[Account, str] | None:
        """The account of this name and its password hash."""
        if not could_exist(name):
            return None
        query = select(accounts).where(accounts.c.name == name)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (Account(row.id, row.name), row.password_hash)

    def change_password(self, account: Account, password_hash: str) -> None:
        """From now on this is the hash of the account's password."""
        statement = update(accounts).where(accounts.c.id == account.id).values(password_hash=password_hash)
        with self._engine.begin() as connection:
            connection.execute(statement)

    def has_consented(self, account: Account, origin: str) -> bool:
        """Whether this user lets this web origin use their identity."""
        query = select(consents).where(consents.c.account == account.id, consents.c.origin == origin)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def consent(self, account: Account, origin: str) -> None:
        """Remembers that this user lets this web origin use their identity."""
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(insert(consents).values(account=account.id, origin=origin))

    def consents(self, account: Account) -> list[str]:
        """The web origins that may use this user's identity."""
        query = select(consents.c.origin).where(consents.c.account == account.id).order_by(consents.c.origin)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def revoke(self, account: Account, origin: str) -> None:
        """Forgets that consent: the next time, the user is asked again."""
        statement = delete(consents).where(consents.c.account == account.id, consents.c.origin == origin)
        with self._engine.begin() as connection:
            connection.execute(statement)


def _insert(connection: Connection, name: str, password_hash: str) -> Account:
    row = connection.execute(
        insert(accounts).values(name=name, password_hash=password_hash).returning(accounts.c.id)
    ).one()
    connection.execute(insert(looks).values(look=look(name), account=row.id))
    return Account(row.id, name)
