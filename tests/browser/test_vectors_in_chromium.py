"""The published vectors of tests/vectors, through WebCryptoProvider in a Worker: the same as on CPython."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.site import Site
from tests.vectors.provider_vectors import load

pytestmark = pytest.mark.chromium

RUN = """(assets) => new Promise((resolve, reject) => {
  const worker = new Worker("/tests/browser/vector_worker.js", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(assets);
})"""

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


async def test_every_published_vector_holds_in_webcrypto(shared_page: Page, site: Site) -> None:
    result: dict[str, Any] = await shared_page.evaluate(RUN, site.assets)
    assert "error" not in result, result
    assert {kind: result["counts"][kind] for kind in KINDS} == {kind: len(load(kind)) for kind in KINDS}
