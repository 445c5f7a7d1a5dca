"""Randomness that is the same in each run: what a test finds once, it finds again."""

from __future__ import annotations

import hashlib
from itertools import count

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perc.crypto.provider import KeyShare, NamedGroup, SigningKey
from perc.crypto.pyca import PycaProvider


class RepeatableProvider(PycaProvider):
    """A provider whose keys, nonces and signatures follow from its name and from what was asked of it before.

    A recorded handshake stays valid.
    """

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
