"""What a fuzz target is, and the one property that all of them share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perc.crypto.provider import KeyShare, NamedGroup, SigningKey
from perc.crypto.pyca import PycaProvider
from perc.errors import PeerError

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """`run` takes any octets and raises only for a defect; `seeds` are valid inputs to start from."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def reads(read: Callable[[bytes], T], data: bytes, write: Callable[[T], bytes] | None = None) -> T | None:
    """`data` is read or refused with a PeerError; what was read is read again from what `write` makes of it."""
    try:
        value = read(data)
    except PeerError:
        return None
    if write is not None:
        again = read(write(value))
        if again != value:
            raise AssertionError(f"{value!r} was written and came back as {again!r}")
    return value


def pack(*parts: bytes) -> bytes:
    """Several octet strings in one input, as `Script.part` reads them."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


class Script:
    """An input as a list of decisions. It never ends early: what is missing is zero, and `is_over` says so."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def is_over(self) -> bool:
        return self._position >= len(self._data)

    def octets(self, length: int) -> bytes:
        taken = self._data[self._position : self._position + length]
        self._position += length
        return taken

    def number(self, length: int = 1) -> int:
        return int.from_bytes(self.octets(length), "big")

    def part(self) -> bytes:
        return self.octets(self.number(2))

    def damaged(self, octets: bytes) -> bytes:
        """`octets` with a part replaced by another: nothing, if both are empty."""
        start, removed, inserted = self.number(2), self.number(), self.octets(self.number())
        start = min(start, len(octets))
        return octets[:start] + inserted + octets[start + removed :]


class RepeatableProvider(PycaProvider):
    """A provider whose randomness is the same in each run, so that a recorded handshake goes on being valid."""

    def __init__(self, name: str = "") -> None:
        self._name = name.encode()
        self._counter = count()

    def random_bytes(self, length: int) -> bytes:
        seed = self._name + next(self._counter).to_bytes(8, "big")
        return hashlib.shake_128(seed).digest(length)

    async def generate_signing_key(self) -> SigningKey:
        private_key = self._private_key(ec.SECP256R1())
        public_key = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(public_key, private_key)

    async def sign(self, key: SigningKey, data: bytes) -> bytes:
        signature: bytes = key.handle.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return signature

    async def generate_key_share(self, group: NamedGroup) -> KeyShare:
        if group is NamedGroup.X25519:
            x25519 = X25519PrivateKey.from_private_bytes(self.random_bytes(32))
            return KeyShare(group, x25519.public_key().public_bytes_raw(), x25519)
        private_key = self._private_key(ec.SECP256R1() if group is NamedGroup.SECP256R1 else ec.SECP384R1())
        point = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return KeyShare(group, point, private_key)

    def _private_key(self, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.random_bytes(31), "big") + 1, curve)
