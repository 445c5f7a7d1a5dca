"""A PostgreSQL of the tests' own: in a temporary directory, reached by a Unix socket, ended with the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Where initdb and postgres are: on the path, or where Debian keeps them, the newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(versions, key=lambda path: int(path.parent.name), default=None)


@contextlib.contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """The directory of the socket of a running server, whose user is `perc`."""
    # Not pytest's own directory: others than its owner may not enter that, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="perc-pg-"))
    try:
        unprivileged = _unprivileged(directory)
        data = directory / "data"
        options = ["--auth=trust", "--username=perc", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run([programs / "initdb", *options, data], check=True, capture_output=True, **unprivileged)
        settings = ["listen_addresses=", f"unix_socket_directories={directory}", "fsync=off"]
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen([programs / "postgres", "-D", data, *arguments], stderr=log, **unprivileged)
        try:
            _wait(directory, server)
            yield str(directory)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(directory)


def _unprivileged(directory: Path) -> dict[str, Any]:
    """How to start programs that refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(directory, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": directory}


def _wait(directory: Path, server: subprocess.Popen[bytes]) -> None:
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(directory), user="perc", dbname="postgres").close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            raise RuntimeError(f"PostgreSQL did not start: {(directory / 'log').read_text()}")


def new_database(directory: str, name: str) -> str:
    """SQLAlchemy's URL of a new, empty database."""
    with psycopg.connect(host=directory, user="perc", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY wal_log')  # type: ignore[arg-type]
    return f"postgresql://perc@/{name}?host={directory}"
