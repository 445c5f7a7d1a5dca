"""Signing keys: the newest signs, the one before is still published, older ones are gone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, Row, delete, insert, select

from perc_server.identity_provider.tables import signing_keys

PUBLISHED = 2
"""The current key and the previous one, whose assertions may still be under way."""


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
        """The key that signs; a new one if there is none yet or the last one is too old."""
        rows = self._rows()
        if not rows or rows[0].created_at <= self._clock() - self._lifetime:
            return self.rotate()
        return _load(rows[0])

    def published(self) -> list[SigningKey]:
        """The keys whose signatures count, the newest first."""
        self.current()
        return [_load(row) for row in self._rows()[:PUBLISHED]]

    def rotate(self) -> SigningKey:
        """Makes a new key the current one."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        key = SigningKey(thumbprint(public_members(private_key)), private_key)
        pem = private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        outdated = [row.kid for row in self._rows()[PUBLISHED - 1 :]]
        with self._engine.begin() as connection:
            connection.execute(insert(signing_keys).values(kid=key.kid, private_key=pem, created_at=self._clock()))
            connection.execute(delete(signing_keys).where(signing_keys.c.kid.in_(outdated)))
        return key

    def _rows(self) -> Sequence[Row[tuple[object, ...]]]:
        with self._engine.connect() as connection:
            return connection.execute(select(signing_keys).order_by(signing_keys.c.created_at.desc())).all()


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
