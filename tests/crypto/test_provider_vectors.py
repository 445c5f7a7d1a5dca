from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from perc.crypto.provider import NamedGroup
from perc.crypto.pyca import PycaProvider
from tests.driving import run
from tests.vectors import provider_vectors

PROVIDER = PycaProvider()


async def import_private_key(group: NamedGroup, pkcs8: bytes) -> Any:
    return load_der_private_key(pkcs8, None)


def test_every_published_vector_holds() -> None:
    counts = run(provider_vectors.check_all(PROVIDER, import_private_key))
    assert all(count > 0 for count in counts.values())


def test_a_provider_that_opens_anything_fails_the_vectors() -> None:
    class Careless(PycaProvider):
        async def open(self, key: Any, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
            return ciphertext[:-16]

    with pytest.raises(provider_vectors.VectorFailed):
        run(provider_vectors.check_aes_gcm(Careless()))


def test_a_provider_that_verifies_anything_fails_the_vectors() -> None:
    class Careless(PycaProvider):
        async def verify(self, *_: object) -> bool:
            return True

    with pytest.raises(provider_vectors.VectorFailed):
        run(provider_vectors.check_signatures(Careless()))
