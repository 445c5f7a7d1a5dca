"""The store: its tables, and the engine behind them (SQLite by default, PostgreSQL by URL).

Tokens are stored as SHA-256 hashes only, so that reading the store does not sign anyone in. The signing key is in it,
which is why a SQLite file is made readable for its owner alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import (
    Column,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
)


def _account() -> Column[int]:
    return Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False)


sign_ins = Table(
    "sign_ins",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _account(),
    Column("expires_at", Float, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("origin", String(300), primary_key=True),
)

codes = Table(
    "codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    _account(),
    Column("origin", String(300), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _account(),
    Column("origin", String(300), nullable=False),
    Column("expires_at", Float, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("private_key", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)


def open_store(url: str) -> Engine:
    """An engine on which all tables exist."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        _create_private_file(Path(parsed.database))
    # A file is opened in no time; so that nothing has to be closed in the end, no connection is kept.
    engine = create_engine(parsed, poolclass=NullPool if sqlite and parsed.database else None)
    if sqlite:
        event.listen(engine, "connect", _enforce_foreign_keys)
    metadata.create_all(engine)
    return engine


def _create_private_file(path: Path) -> None:
    # Made before SQLite makes it, since SQLite would use the process's umask; its journals take the file's mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _enforce_foreign_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
