from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.identity_provider.postgresql import binaries, cluster, new_database
from tests.identity_provider.site import Provider

DATABASES = count(1)


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine (on Debian and Ubuntu: apt install postgresql)")
    with cluster(programs) as directory:
        yield directory


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'idp.db'}"
    return new_database(request.getfixturevalue("postgresql"), f"idp{next(DATABASES)}")
