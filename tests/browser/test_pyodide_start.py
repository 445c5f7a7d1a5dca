"""How the Key Distributor's Worker starts, and that it says so when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, Route

from perc_server.call_processing.assets import SECURITY_HEADERS
from tests.browser.conftest import PageErrors
from tests.browser.site import Site

pytestmark = pytest.mark.chromium

# A Worker by itself: what happened first, and the answers to what was asked before it could answer.
START = """async ([assets, asked]) => {
  const { takeWorker, prepareWorker } = await import(`${assets}/key-distributor/worker-client.js`);
  prepareWorker();
  const worker = takeWorker();
  const answers = asked.map((operation) => worker.call(operation, {}).then(() => "done", ({ name }) => name));
  const happening = await new Promise((resolve) => worker.listen(resolve));
  const answered = await Promise.all(answers);
  return { happening, answered };
}"""


async def start(page: Page, site: Site, *asked: str) -> Any:
    return await page.evaluate(START, [site.assets, list(asked)])


async def test_starts_and_then_does_what_it_was_asked_before(page: Page, site: Site) -> None:
    result = await start(page, site, "evaluate", "close")
    assert result["happening"]["event"] == "created"
    assert result["answered"] == ["NotSupportedError", "done"]


@pytest.fixture
def site_without_webassembly(assets: None) -> Iterator[Site]:
    policy = SECURITY_HEADERS["Content-Security-Policy"].replace(" 'wasm-unsafe-eval'", "")
    with Site({**SECURITY_HEADERS, "Content-Security-Policy": policy}) as site:
        yield site


async def test_a_policy_without_webassembly_fails_at_once_and_says_so(
    context: BrowserContext, page_errors: PageErrors, site_without_webassembly: Site
) -> None:
    page = page_errors.watch(await context.new_page())
    await page.goto(site_without_webassembly.origin)
    result = await start(page, site_without_webassembly, "close")
    assert result["happening"]["event"] == "failed"
    assert result["happening"]["error"]["name"] == "SecurityError"
    assert "'wasm-unsafe-eval'" in result["happening"]["error"]["message"]
    assert result["answered"] == ["SecurityError"]
    page_errors.clear()  # Chromium reports the refusal, too


@pytest.mark.parametrize(
    ("missing", "name"),
    [("perc.zip", "NetworkError"), ("key-distributor/worker.js", "OperationError")],
)
async def test_what_cannot_be_fetched_is_a_failure_not_a_hang(page: Page, site: Site, missing: str, name: str) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=404)

    await page.context.route(f"**/{missing}", refuse)
    result = await start(page, site, "close")
    assert result["happening"]["error"]["name"] == name
    assert result["answered"] == [name]
