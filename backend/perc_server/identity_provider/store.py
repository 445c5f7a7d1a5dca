"""The store: an engine on which all tables are as `tables` has them, SQLite by default, PostgreSQL by URL.

A SQLite file is readable for its owner alone, because the signing key is in it. A store of an earlier version is
brought up to date when it is opened; one of a later version is refused, since this code does not know what it means.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, func, insert, inspect, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from perc_server.identity_provider.names import look
from perc_server.identity_provider.tables import accounts, codes, looks, metadata, sessions, sign_ins, store_version

VERSION = 1

UPGRADE_LOCK = 8827
"""PostgreSQL's advisory lock that one process holds while it makes or changes tables; any number does."""


class StoreTooNewError(Exception):
    """The store was made by a later version of this program."""


def open_store(url: str) -> Engine:
    """An engine on which all tables exist."""
    parsed = make_url(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed, pool_pre_ping=True)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _sqlite(url: URL) -> Engine:
    if url.database:
        _create_private_file(Path(url.database))
    # A file is opened in no time; so that nothing has to be closed in the end, no connection is kept.
    engine = create_engine(url, poolclass=NullPool if url.database else None)
    event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def _create_private_file(path: Path) -> None:
    # Made before SQLite makes it, since SQLite would use the process's umask; its journals take the file's mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _enforce_foreign_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _upgrade(connection: Connection) -> None:
    """All or nothing, and one process at a time."""
    if connection.dialect.name == "sqlite":
        # Python's driver begins no transaction by itself before tables are made.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(select(func.pg_advisory_xact_lock(UPGRADE_LOCK)))
    version = _version(connection)
    if version > VERSION:
        raise StoreTooNewError(f"the store has version {version}, this program knows {VERSION}")
    if version < 1:
        # They were not yet bound to a sign-in. All can be had again: everyone signs in once more.
        for table in (codes, sessions, sign_ins):
            table.drop(connection, checkfirst=True)
    metadata.create_all(connection)
    if version < 1:
        _note_looks(connection)
    if version < VERSION:
        connection.execute(delete(store_version))
        connection.execute(insert(store_version).values(version=VERSION))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(store_version.name):
        return 0
    return connection.execute(select(store_version.c.version)).scalar() or 0


def _note_looks(connection: Connection) -> None:
    # Names from before may look alike; the oldest one keeps others from being added.
    taken = set(connection.execute(select(looks.c.look)).scalars())
    for account in connection.execute(select(accounts.c.id, accounts.c.name).order_by(accounts.c.id)).all():
        if look(account.name) not in taken:
            taken.add(look(account.name))
            connection.execute(insert(looks).values(look=look(account.name), account=account.id))
