"""The published vectors of tests/vectors in Workers of a real Chromium, and the keys that they make there.

Those of WebCryptoProvider are the same as on CPython; those of the transform Worker's modules are the same as in Node.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import BrowserContext

from tests.browser.site import Site
from tests.browser.workers import ask_worker
from tests.conftest import TIME_LIMIT
from tests.vectors.provider_vectors import load

pytestmark = pytest.mark.chromium

KINDS = (
    "key_wrap_with_padding",
    "aes_gcm",
    "aes_ctr",
    "key_agreement",
    "signatures",
    "srtp_key_derivation",
    "tls12_prf",
    "tls13_key_schedule",
)
TRANSFORM_KINDS = ("key_wrap_with_padding", "srtp_key_derivation", "srtp_aes_gcm")

Key = tuple[str, str, str | None]
"""How it came to be, its algorithm, and its curve."""

PROVIDER_KEYS: set[Key] = {
    ("generateKey", "ECDSA", "P-256"),
    ("generateKey", "ECDH", "P-256"),
    ("generateKey", "ECDH", "P-384"),
    ("generateKey", "X25519", None),
    ("importKey", "AES-GCM", None),
    ("importKey", "AES-CTR", None),
    ("importKey", "AES-CBC", None),
}
TRANSFORM_KEYS: set[Key] = {
    ("importKey", "AES-CBC", None),
    ("importKey", "AES-CTR", None),
    ("importKey", "AES-GCM", None),
}


def transform_vectors() -> dict[str, list[dict[str, Any]]]:
    vectors = {kind: load(kind) for kind in TRANSFORM_KINDS}
    # RFC 5649 treats a plaintext of one semiblock apart; no EKTPlaintext is that short.
    vectors["key_wrap_with_padding"] = [case for case in vectors["key_wrap_with_padding"] if len(case["wrapped"]) > 32]
    return vectors


@pytest.fixture(scope="module")
async def answers(profile: BrowserContext, site: Site) -> dict[str, dict[str, Any]]:
    """Of both Workers, each of which runs once."""
    page = await profile.new_page()
    await page.goto(f"{site.origin}/perc/room")
    message = {"assets": site.assets, "vectors": transform_vectors()}
    async with asyncio.timeout(2 * TIME_LIMIT):
        answers = {
            "provider": await ask_worker(page, "vector_worker.js", site.assets),
            "transform": await ask_worker(page, "media_pages/published_in_worker.js", message),
        }
    await page.close()
    return answers


async def test_every_published_vector_holds_in_webcrypto(answers: dict[str, dict[str, Any]]) -> None:
    counts = answers["provider"]["counts"]
    assert {kind: counts[kind] for kind in KINDS} == {kind: len(load(kind)) for kind in KINDS}


async def test_every_published_vector_holds_in_the_transform_worker(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["transform"]["found"] == transform_vectors()


@pytest.mark.parametrize(("worker", "kinds"), [("provider", PROVIDER_KEYS), ("transform", TRANSFORM_KEYS)])
async def test_no_private_or_secret_key_is_extractable(
    answers: dict[str, dict[str, Any]], worker: str, kinds: set[Key]
) -> None:
    keys = [key for key in answers[worker]["keys"] if key["type"] != "public"]
    assert {(key["maker"], key["algorithm"], key["curve"]) for key in keys} >= kinds
    assert [key for key in keys if key["extractable"]] == []
