"""The W3C's webrtc-identity, section by section, in the numbering of its editor's draft.

One page for all of them, and an IdP proxy that does what the protocol's query says (`scripted`), else signs nothing and
says what it was asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import Response

from tests.browser.identity_pages.acting import run
from tests.browser.identity_pages.servers import HostileProvider, Server, page_site

Act = Callable[..., Awaitable[Any]]

# `usernameHint` is the user; one that starts with "=" is the whole name.
ECHO = """
let asked = 0;
rtcIdentityProvider.register({
  async generateAssertion(contents, origin, options) {
    asked += 1;
    const name = options.usernameHint ?? "user";
    return { idp: { domain: location.host }, assertion: JSON.stringify({ contents, origin, options, name, asked }) };
  },
  async validateAssertion(assertion, origin) {
    const { contents, name } = JSON.parse(assertion);
    return { identity: name.startsWith("=") ? name.slice(1) : `${name}@${location.hostname}`, contents };
  },
});
"""

WORDS = """
  const read = (identity) => JSON.parse(JSON.parse(atob(identity)).assertion);
  const identityOf = (sdp) => /a=identity:(\\S+)/.exec(sdp)[1];
  const thrown = (action) => { try { action(); return "nothing"; } catch (error) { return error.name; } };
  const scripted = (script) => ({ protocol: `default?script=${encodeURIComponent(script)}` });
  const proxy = (generate, validate = "return {}") => scripted(`rtcIdentityProvider.register({
    generateAssertion: async (contents, origin, options) => { ${generate} },
    validateAssertion: async (assertion, origin) => { ${validate} },
  })`);
  const validator = (validate) =>
    proxy(`return { idp: { domain: location.host,
      protocol: "default" + location.search }, assertion: JSON.stringify({ contents, options }) };`, validate);
  const asserting = (options, configuration) => {
    const pc = offering(configuration);
    pc.setIdentityProvider(value, options);
    return pc;
  };
  const offerOf = (options, configuration) => asserting(options, configuration).createOffer();
  const soon = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 50, "pending"))]);
"""


@pytest.fixture(scope="session")
def site() -> Iterator[Server]:
    with page_site() as site:
        yield site


@pytest.fixture(scope="session")
def provider() -> Iterator[HostileProvider]:
    async def script(request: Request) -> Response:
        return Response(request.query_params.get("script", ECHO), media_type="text/javascript")

    with HostileProvider("idp.localhost") as provider:
        provider.handlers["/.well-known/idp-proxy/default"] = script
        yield provider


@pytest.fixture(scope="session")
async def page(browser: Browser, site: Server) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.goto(site.origin)
    yield page
    await page.context.close()


@pytest.fixture
def act(page: Page, provider: HostileProvider) -> Act:
    """Runs a function's body in the page; `value` is the identity provider's domain."""

    async def act(body: str) -> Any:
        return await run(page, WORDS + body, provider.domain)

    return act
