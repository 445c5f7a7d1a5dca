"""The tables of the store. Secrets that sign someone in are in it as SHA-256 hashes only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

store_version = Table("store_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))
"""One row: for which version of this module the store was made."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
)


def _account(*, primary_key: bool = False) -> Column[int]:
    of_account = ForeignKey("accounts.id", ondelete="CASCADE")
    return Column("account", of_account, primary_key=primary_key, nullable=False)


looks = Table(
    "looks",
    metadata,
    # What a name looks like belongs to one account, as the name does.
    Column("look", String(128), primary_key=True),
    _account(),
)

passkey_users = Table(
    "passkey_users",
    metadata,
    _account(primary_key=True),
    Column("handle", LargeBinary(64), nullable=False, unique=True),
)

passkeys = Table(
    "passkeys",
    metadata,
    # base64url; the specification allows 1023 octets.
    Column("credential_id", String(1364), primary_key=True),
    _account(),
    Column("label", String(64), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    # Counts to 2^32, beyond PostgreSQL's Integer.
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
)

challenges = Table(
    "challenges",
    metadata,
    Column("challenge_hash", String(64), primary_key=True),
    Column("bound_to", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _account(),
    Column("began_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    _account(primary_key=True),
    Column("origin", String(300), primary_key=True),
)


def _sign_in() -> Column[str]:
    # By which sign-in this came to be, so that it can end with it. No foreign key: it may outlive it.
    return Column("sign_in", String(64), nullable=False)


codes = Table(
    "codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    _account(),
    _sign_in(),
    Column("origin", String(300), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _account(),
    _sign_in(),
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
