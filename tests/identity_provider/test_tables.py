"""The store holds secrets: who may read it, and what is in it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.identity_provider.site import Provider


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Provider(tmp_path)
    finally:
        os.umask(before)
    assert [oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == ["0o600"]


def test_reading_the_store_signs_nobody_in(provider: Provider, tmp_path: Path) -> None:
    code = provider.code()
    provider.redeem(code)
    secrets = [code, *provider.client.cookies.values(), "alice-demo"]
    store = (tmp_path / "idp.db").read_bytes()
    assert not [secret for secret in secrets if secret.encode() in store]


def test_accounts_survive_a_restart_and_keep_their_passwords(tmp_path: Path) -> None:
    Provider(tmp_path)
    assert Provider(tmp_path).sign_in().status_code == 303
