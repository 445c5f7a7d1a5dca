"""The store, in SQLite and in PostgreSQL: what is kept, who may read it, and stores of other versions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select, text, update

from perc_server.identity_provider.accounts import Accounts
from perc_server.identity_provider.challenges import Challenges
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.keys import LEAD, SigningKeys
from perc_server.identity_provider.passkeys import Passkey, Passkeys
from perc_server.identity_provider.sessions import Sessions
from perc_server.identity_provider.store import VERSION, StoreTooNewError, open_store
from perc_server.identity_provider.tables import metadata, store_version
from tests.identity_provider import test_attacks
from tests.identity_provider.site import ASKING, CHALLENGE, ORIGIN, VERIFIER, Clock, Provider

VERSION_0 = Path(__file__).with_name("store_version_0.sql")


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_store(database)
    yield engine
    engine.dispose()


@pytest.fixture
def opened(database: str) -> Iterator[Callable[[], Provider]]:
    """Opens the store as a server does that starts."""
    with ExitStack() as stack:

        def open_it() -> Provider:
            provider = Provider(database)
            stack.enter_context(provider.client)
            return provider

        yield open_it


def test_a_whole_visit(opened: Callable[[], Provider]) -> None:
    """Register, sign in at a site, add a passkey, use it, change the password, sign out: on either database."""
    provider = opened()
    provider.register("carol")
    assert provider.redeem(provider.code("carol")).status_code == 204
    assert provider.sign().status_code == 200
    passkey = provider.authenticator(counter=2**32 - 2)
    provider.add_passkey(passkey)
    provider.client = provider.browser()
    assert provider.use_passkey(passkey).status_code == 303
    page = provider.client.get("/account/password")
    changed = provider.post_form(page, current="correct horse battery", password="battery horse correct")
    assert changed.headers["location"] == "/account?done=password"
    provider.post("/account/sites", origin=ASKING)
    provider.post("/sign-out", where="everywhere")
    assert provider.sign_in("carol", "battery horse correct").status_code == 303


def test_octets_that_a_database_chokes_on(opened: Callable[[], Provider]) -> None:
    test_attacks.test_octets_that_a_database_chokes_on(opened())


def test_what_is_in_the_store_is_there_the_next_time(opened: Callable[[], Provider]) -> None:
    opened().register("carol")
    again = opened().signed_in("alice")
    again.client = again.browser()
    assert again.sign_in("carol", "correct horse battery").status_code == 303
    assert again.register("caro1").status_code == 422


def test_of_many_who_want_a_name_one_gets_it(engine: Engine) -> None:
    accounts = Accounts(engine)
    names = ["carol", "caro1", "car0l", "ca-rol", "carol", "c.arol", "carol", "carol"]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: accounts.register(name, "hash"), names))
    assert len([account for account in made if account]) == 1


def test_consenting_twice_is_consenting(engine: Engine) -> None:
    accounts = Accounts(engine)
    account = accounts.register("carol", "hash")
    assert account
    for _ in range(2):
        accounts.consent(account, ASKING)
    assert accounts.consents(account) == [ASKING]
    accounts.revoke(account, ASKING)
    assert not accounts.has_consented(account, ASKING)


def test_of_many_who_redeem_a_code_one_gets_a_session(engine: Engine) -> None:
    clock, config = Clock(), IdentityProviderConfig(ORIGIN, "")
    sessions, account = Sessions(engine, config, clock), Accounts(engine).register("carol", "hash")
    assert account
    sign_in = sessions.signed_in(sessions.sign_in(account, None))
    assert sign_in
    code = sessions.issue_code(sign_in, ASKING, CHALLENGE)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: sessions.redeem(code, VERIFIER, ASKING), range(8)))
    (token,) = filter(None, tokens)
    assert sessions.find(token)


def test_of_many_who_answer_a_challenge_one_does(engine: Engine) -> None:
    challenges = Challenges(engine, Clock())
    challenge = challenges.issue("browser")
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: challenges.take("browser", challenge), range(8))) == 1


def test_of_two_uses_with_one_counter_one_counts(engine: Engine) -> None:
    """Two copies of a passkey that are used at the same time, each with a challenge of its own."""
    clock = Clock()
    passkeys, account = Passkeys(engine, clock), Accounts(engine).register("carol", "hash")
    assert account
    handle = passkeys.handle_of(account)
    assert passkeys.handle_of(account) == handle
    passkey = Passkey("id", account, handle, "Laptop", b"key", 2**31, clock(), None)
    assert passkeys.add(passkey)
    assert not passkeys.add(passkey)
    assert passkeys.find("id") == passkey
    assert passkeys.used(passkey, 2**32 - 1)
    assert not passkeys.used(passkey, 2**32 - 1)


def test_passkeys_are_changed_by_their_own_account_alone(engine: Engine) -> None:
    passkeys, accounts = Passkeys(engine, Clock()), Accounts(engine)
    carol, dave = accounts.register("carol", "hash"), accounts.register("dave", "hash")
    assert carol
    assert dave
    passkey = Passkey("id", carol, passkeys.handle_of(carol), "Laptop", b"key", 0, 0, None)
    passkeys.add(passkey)
    passkeys.rename(dave, "id", "Mine")
    passkeys.remove(dave, "id")
    assert passkeys.of(carol) == [passkey]
    assert passkeys.of(dave) == []


def test_requests_that_come_together_make_one_key(engine: Engine) -> None:
    """Each with a key of its own would bury the previous one, whose assertions are still under way."""
    clock = Clock()
    keys = SigningKeys(engine, 10 * LEAD, clock)
    first = keys.current().kid
    clock.now += 10 * LEAD
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda _: tuple(key.kid for key in keys.published()), range(8)))
    assert len(set(published)) == 1
    assert published[0][1] == first


def test_processes_that_start_together_make_one_store(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: open_store(database), range(4)))
    with engines[0].connect() as connection:
        assert connection.execute(select(store_version.c.version)).scalars().all() == [VERSION]
        assert set(inspect(connection).get_table_names()) == set(metadata.tables)
    for engine in engines:
        engine.dispose()


def test_a_store_of_a_later_version_is_left_alone(database: str) -> None:
    engine = open_store(database)
    with engine.begin() as connection:
        connection.execute(update(store_version).values(version=VERSION + 1))
    engine.dispose()
    with pytest.raises(StoreTooNewError):
        open_store(database)


def test_a_store_from_before_there_were_versions(tmp_path: Path) -> None:
    """Accounts, passwords, consents and keys are kept; everyone signs in once more."""
    with sqlite3.connect(tmp_path / "idp.db") as connection:
        connection.executescript(VERSION_0.read_text())
    connection.close()
    provider = Provider(tmp_path)
    provider.client.cookies.set("__Host-sign-in", "old-token")
    assert not provider.is_signed_in()
    assert provider.sign_in("zoe", "zoe-demo").status_code == 303
    assert "https://perc.example" in provider.client.get("/account").text
    assert '"kid": "old-key"' in provider.client.get("/.well-known/idp-proxy/default").text
    assert provider.register("z0e").status_code == 422
    with open_store(provider.config.database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM accounts WHERE name IN ('alan', 'a1an')")).scalar() == 2


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
