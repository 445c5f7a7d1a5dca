"""Signing keys. A new one is published for a while before it signs, and the one before it for as long as it does.

next ──(LEAD)──► current ──(lifetime)──► previous ──► gone       published: all but the last
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from perc_server.identity_provider.tables import signing_keys, store_version

Rows = Sequence[Row[tuple[object, ...]]]

LEAD = 900.0
"""Seconds for which a new key is published before it signs. Pages keep the IdP proxy that they have loaded, with the
keys in it, for some minutes: one that did not know the key yet would refuse good assertions."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key; `kid` is the thumbprint of RFC 7638."""

    kid: str
    private_key: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JSON Web Key (RFC 7517)."""
        return {**public_members(self.private_key), "kid": self.kid}


class SigningKeys:
    """The keys in the store."""

    def __init__(self, engine: Engine, lifetime: float, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._lifetime = lifetime
        self._clock = clock

    def current(self) -> SigningKey:
        """The key that signs."""
        rows = self._rows()
        return _load(rows[self._position(rows)])

    def published(self) -> list[SigningKey]:
        """The keys whose signatures count, the newest first: the next one, the current one, the one before."""
        rows = self._rows()
        return [_load(row) for row in rows[: self._position(rows) + 2]]

    def _rows(self) -> Rows:
        with self._engine.connect() as connection:
            rows = _newest_first(connection)
        return self._rotated() if self._is_due(rows) else rows

    def _is_due(self, rows: Rows) -> bool:
        return not rows or rows[0].created_at <= self._clock() - self._lifetime

    def _position(self, rows: Rows) -> int:
        """Which of the rows is the current key: the newest that everyone has had time to learn, or the only one."""
        known = [row.created_at <= self._clock() - LEAD for row in rows]
        return known.index(True) if any(known) else len(rows) - 1

    def _rotated(self) -> Rows:
        """The rows, with a new one; without those that have not been published for long."""
        with self._engine.begin() as connection:
            # Takes the write lock: two requests at once, or two processes, would each make a key, and bury the old one.
            connection.execute(update(store_version).values(version=store_version.c.version))
            rows = _newest_first(connection)
            if not self._is_due(rows):
                return rows
            kept = [row.kid for row in rows[: self._position(rows) + 2]] if rows else []
            connection.execute(delete(signing_keys).where(signing_keys.c.kid.not_in(kept)))
            private_key = ec.generate_private_key(ec.SECP256R1())
            row = {"kid": thumbprint(public_members(private_key)), "private_key": _pem(private_key)}
            connection.execute(insert(signing_keys).values(**row, created_at=self._clock()))
            return _newest_first(connection)


def _newest_first(connection: Connection) -> Rows:
    return connection.execute(select(signing_keys).order_by(signing_keys.c.created_at.desc())).all()


def _pem(private_key: ec.EllipticCurvePrivateKey) -> str:
    encoding, container = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return private_key.private_bytes(encoding, container, serialization.NoEncryption()).decode()


def _load(row: Row[tuple[object, ...]]) -> SigningKey:
    private_key = serialization.load_pem_private_key(row.private_key.encode(), password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the store has a signing key that is no elliptic curve key")
    return SigningKey(row.kid, private_key)


def public_members(private_key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The required members of the public JSON Web Key, in the order of RFC 7638."""
    numbers = private_key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}


def thumbprint(members: dict[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members, in lexicographic order, without white space."""
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())


def base64url(octets: bytes) -> str:
    """Unpadded, as in RFC 7515."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _coordinate(value: int) -> str:
    return base64url(value.to_bytes(32, "big"))
