"""The passkeys in the store: whose they are, what they are called, how often they say that they were used."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.tables import accounts, passkey_users, passkeys

MAX_PASSKEYS = 20
"""Of one account: every device of a person, and a bound on what one account may store."""

MAX_LABEL = 64
"""Characters of what a person calls one."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential (WebAuthn Level 3, Section 4); times are Unix seconds."""

    credential_id: str
    account: Account
    handle: bytes
    label: str
    public_key: bytes
    sign_count: int
    created_at: float
    used_at: float | None


class Passkeys:
    """Adds, finds and removes them; `clock` gives Unix time."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    def handle_of(self, account: Account) -> bytes:
        """The account's user handle: random, so that an authenticator that is found tells nobody's name by it."""
        query = select(passkey_users.c.handle).where(passkey_users.c.account == account.id)
        with self._engine.connect() as connection:
            handle = connection.execute(query).scalar()
        if handle is not None:
            return bytes(handle)
        try:
            with self._engine.begin() as connection:
                row = {"account": account.id, "handle": secrets.token_bytes(64)}
                connection.execute(insert(passkey_users).values(row))
        except IntegrityError:
            pass  # another request was quicker: its handle counts
        return self.handle_of(account)

    def of(self, account: Account) -> list[Passkey]:
        """The account's passkeys, the oldest first."""
        return self._select(passkeys.c.account == account.id)

    def find(self, credential_id: str) -> Passkey | None:
        """The passkey of this id, whoever's it is."""
        found = self._select(passkeys.c.credential_id == credential_id)
        return found[0] if found else None

    def add(self, passkey: Passkey) -> bool:
        """Whether it was added: one that is in the store stays the account's that it is, and there is an end."""
        how_many = select(func.count()).select_from(passkeys).where(passkeys.c.account == passkey.account.id)
        row = {name: getattr(passkey, name) for name in ("credential_id", "label", "public_key", "sign_count")}
        try:
            with self._engine.begin() as connection:
                if connection.execute(how_many).scalar_one() >= MAX_PASSKEYS:
                    return False
                row |= {"account": passkey.account.id, "created_at": passkey.created_at}
                connection.execute(insert(passkeys).values(row))
        except IntegrityError:
            return False
        return True

    def rename(self, account: Account, credential_id: str, label: str) -> None:
        """Gives one of the account's passkeys another label."""
        own = passkeys.c.credential_id == credential_id, passkeys.c.account == account.id
        with self._engine.begin() as connection:
            connection.execute(update(passkeys).where(*own).values(label=label))

    def remove(self, account: Account, credential_id: str) -> None:
        """Forgets one of the account's passkeys."""
        own = passkeys.c.credential_id == credential_id, passkeys.c.account == account.id
        with self._engine.begin() as connection:
            connection.execute(delete(passkeys).where(*own))

    def used(self, passkey: Passkey, sign_count: int) -> bool:
        """Notes a use; False if its counter has meanwhile gone past (two uses at once, or a copy)."""
        rising = or_(passkeys.c.sign_count < sign_count, passkeys.c.sign_count == 0)
        statement = update(passkeys).where(passkeys.c.credential_id == passkey.credential_id, rising)
        with self._engine.begin() as connection:
            result = connection.execute(statement.values(sign_count=sign_count, used_at=self._clock()))
        return result.rowcount == 1

    def _select(self, condition: ColumnElement[bool]) -> list[Passkey]:
        query = (
            select(passkeys, accounts.c.id, accounts.c.name, passkey_users.c.handle)
            .join(accounts, accounts.c.id == passkeys.c.account)
            .join(passkey_users, passkey_users.c.account == passkeys.c.account)
            .where(condition)
            .order_by(passkeys.c.created_at, passkeys.c.credential_id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Passkey(
                row.credential_id,
                Account(row.id, row.name),
                bytes(row.handle),
                row.label,
                bytes(row.public_key),
                row.sign_count,
                row.created_at,
                row.used_at,
            )
            for row in rows
        ]
