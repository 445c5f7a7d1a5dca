"""The sandbox for identity providers' scripts, as call processing serves it: alone it is nobody, and still it works."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.routing import Route

from perc_server.call_processing.assets import Assets
from perc_server.call_processing.config import CallProcessingConfig, ControlConfig
from tests.browser.conftest import browser, playwright  # noqa: F401 - fixtures
from tests.browser.identity_pages.servers import IDENTITY, HostileProvider, Server
from tests.browser.site import EMPTY_PAGE

pytestmark = pytest.mark.chromium

SANDBOX = "/assets/v1/identity/sandbox/sandbox.html"
SCRIPT = """
rtcIdentityProvider.register({ generateAssertion, validateAssertion });
async function generateAssertion(contents) { return { idp: { domain: location.host }, assertion: contents }; }
async function validateAssertion(assertion) { return { identity: "user@hostile.localhost", contents: assertion }; }
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(IDENTITY, tmp_path / "v1" / "identity")
    (tmp_path / "v1" / "index.html").write_text(EMPTY_PAGE)
    (tmp_path / "manifest.json").write_text(json.dumps({"assets": "v1"}))

    def make_app(origin: str) -> Starlette:
        control = ControlConfig("127.0.0.1", 1, tmp_path, tmp_path)
        assets = Assets(CallProcessingConfig("127.0.0.1", 0, origin, control, "127.0.0.1", (), tmp_path))
        return Starlette(routes=[Route("/", assets.page), Route("/assets/{version}/{path:path}", assets.asset)])

    with Server("localhost", make_app) as site:
        yield site


async def test_a_script_alone_runs_in_the_sandbox(browser: Browser, site: Server) -> None:  # noqa: F811
    page = await browser.new_page()
    with HostileProvider("hostile.localhost") as provider:
        provider.serves_script(SCRIPT)
        await page.goto(site.origin)
        verdict = await page.evaluate(
            """async (domain) => {
              const { IdpProxy } = await import("/assets/v1/identity/index.js");
              const proxy = await IdpProxy.load(domain);
              return proxy.validateAssertion("contents");
            }""",
            provider.domain,
        )
    assert verdict == {"identity": "user@hostile.localhost", "contents": "contents"}
    await page.close()


async def test_the_sandbox_alone_has_no_origin(browser: Browser, site: Server) -> None:  # noqa: F811
    page = await browser.new_page()
    await page.goto(site.origin + SANDBOX)
    assert await page.evaluate("self.origin") == "null"
    await page.close()
