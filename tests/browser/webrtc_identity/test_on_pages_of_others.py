"""The shim on pages that are not ours: as one classic script, and where the browser has identity of its own."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tests.browser.identity_pages.servers import HostileProvider, Server
from tests.browser.site import REPOSITORY, built_assets
from tests.browser.webrtc_identity.conftest import ECHO

pytestmark = pytest.mark.chromium

DIRECTORY = "/.well-known/idp-proxy/"
GREETING_LIMIT = 500
"""Milliseconds that the shim waits for a frame that may not be there: the first time only."""

# Nothing is configured, there is no policy, the script is the only file, and what follows it uses identity at once.
PAGE = """<!doctype html><link rel="icon" href="data:,"><body>
<script src="/somewhere/else/webrtc-identity.js"></script>
<script>
  const pc = new RTCPeerConnection();
  pc.setIdentityProvider("IDP", { protocol: "mock.js?some=query#and", usernameHint: "alice" });
  const asserted = pc.getIdentityAssertion();
</script>"""


@pytest.fixture(scope="module")
def stranger(assets: None) -> Iterator[tuple[HostileProvider, HostileProvider]]:
    """A site without anything else of ours, and a provider without a frame, whose answer to its address is a page."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(PAGE.replace("IDP", provider.domain))

    async def shim(_request: Request) -> Response:
        return Response((built_assets() / "identity/webrtc-identity.js").read_text(), media_type="text/javascript")

    async def proxy(_request: Request) -> Response:
        return Response(ECHO, media_type="text/javascript")

    async def not_there(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Not here</title>")

    with HostileProvider("stranger.localhost") as site, HostileProvider("idp.localhost") as provider:
        site.handlers |= {"/": page, "/somewhere/else/webrtc-identity.js": shim}
        provider.handlers |= {
            "/.well-known/idp-proxy/mock.js": proxy,
            "/.well-known/idp-proxy/mock.js/frame": not_there,
        }
        yield site, provider


@pytest.fixture
async def page(browser: Browser, stranger: tuple[HostileProvider, HostileProvider]) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.goto(stranger[0].origin)
    yield page
    await page.context.close()


async def test_the_classic_script_is_there_at_once_and_needs_nothing_else(
    page: Page, stranger: tuple[HostileProvider, HostileProvider]
) -> None:
    site, provider = stranger
    body = """async () => {
      const { idp, assertion } = JSON.parse(atob(await asserted));
      const { origin, options } = JSON.parse(assertion);
      return { idp, origin, protocol: options.protocol };
    }"""
    assert await page.evaluate(body) == {
        "idp": {"domain": provider.domain, "protocol": "default"},
        "origin": site.origin,
        "protocol": "mock.js?some=query#and",
    }


async def test_a_provider_without_a_frame_is_waited_for_once(page: Page) -> None:
    """Later on the limit of that wait, which never passes here, plays no part."""
    body = """async (limit) => {
      const { setTimeout } = window;
      await asserted;
      window.setTimeout = (action, after, ...rest) => (after === limit ? 0 : setTimeout(action, after, ...rest));
      const assertions = new Set();
      for (const query of ["first", "second", "third"]) {
        const pc = new RTCPeerConnection();
        const [{ domain }] = [JSON.parse(atob(await asserted)).idp];
        pc.setIdentityProvider(domain, { protocol: `mock.js?${query}` });
        assertions.add(await pc.getIdentityAssertion());
      }
      const frames = performance.getEntriesByType("resource").filter((e) => /frame/.test(e.name));
      return { assertions: assertions.size, frames: frames.length };
    }"""
    outcome = await page.evaluate(body, GREETING_LIMIT)
    assert outcome["frames"] == 1
    assert outcome["assertions"] == 3


async def test_the_sandbox_is_as_strict_as_ours(page: Page) -> None:
    """Its scripts by their digests, https or this machine, and an opaque origin."""
    body = """async () => {
      await asserted;
      const [{ srcdoc, sandbox }] = document.querySelectorAll("iframe[srcdoc]");
      const [, policy] = /content="([^"]+)"/.exec(srcdoc);
      return { sandbox: sandbox.value, policy: policy.replaceAll(/'sha256-[^']+'/g, "DIGEST") };
    }"""
    outcome = await page.evaluate(body)
    assert outcome["sandbox"] == "allow-scripts"
    local = "http://localhost:* http://*.localhost:*"
    assert outcome["policy"] == (
        f"default-src 'none'; script-src DIGEST DIGEST DIGEST https: blob: {local}; worker-src blob:; "
        f"connect-src https: {local}; base-uri 'none'; form-action 'none'"
    )


REFUSED = {
    "import x from './other.js';\nexport const y = x;\n": "in a form that is not understood",
    "export default 5;\n": "in a form that is not understood",
    'import { y } from "./index.js";\nexport const x = y;\n': "a cycle",
    'import { y } from "./absent.js";\nexport const x = y;\n': "there is no identity/absent.js",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_the_builder_does_not_understand_it_refuses(source: str) -> None:
    script = """
      const { classicScript } = await import(process.argv[1]);
      const files = new Map([["identity/index.js", Buffer.from(process.argv[2])]]);
      try { classicScript(files); } catch (error) { console.log(error.message); }
    """
    builder = (REPOSITORY / "browser/build/classic-script.js").as_uri()
    command = ["node", "--input-type=module", "--eval", script, builder, source]
    assert REFUSED[source] in subprocess.run(command, check=True, capture_output=True, text=True).stdout


NATIVE = """
  RTCPeerConnection.prototype.setIdentityProvider = function setIdentityProvider() { return "native"; };
  delete window.RTCError;
"""


@pytest.fixture
async def firefox(browser: Browser, site: Server) -> AsyncIterator[Page]:
    """A stand-in for a browser that has webrtc-identity: its method, and no RTCError."""
    page = await browser.new_page()
    await page.add_init_script(NATIVE)
    await page.goto(site.origin)
    yield page
    await page.context.close()


async def evaluate(page: Page, body: str) -> Any:
    return await page.evaluate(f"""async () => {{
      const identity = await import("/identity/index.js");
      const before = Object.getOwnPropertyDescriptors(RTCPeerConnection.prototype);
      const constructor = RTCPeerConnection;
      await identity.apply(window);
      {body}
    }}""")


async def test_where_the_browser_has_it_the_shim_steps_aside(firefox: Page) -> None:
    body = """
      const after = Object.getOwnPropertyDescriptors(RTCPeerConnection.prototype);
      const same = Reflect.ownKeys(after).every((name) => after[name].value === before[name]?.value
        && after[name].get === before[name].get);
      return [identity.isSupported(), same, RTCPeerConnection === constructor, "RTCIdentityAssertion" in window,
        new RTCPeerConnection().setIdentityProvider()];
    """
    assert await evaluate(firefox, body) == [True, True, True, False, "native"]


async def test_what_the_browsers_own_cannot_do_is_said(firefox: Page) -> None:
    body = """
      try {
        identity.bindIdentityContents(new RTCPeerConnection(), { conference: "https://perc.example/perc/room" });
      } catch ({ name, message }) {
        return [name, message];
      }
    """
    refusal = "The browser's own identity assertions cannot be bound to a conference."
    assert await evaluate(firefox, body) == ["NotSupportedError", refusal]


async def test_idp_proxies_work_there_too(firefox: Page, provider: HostileProvider) -> None:
    """The Key Distributor asks them itself."""
    body = """
      const proxy = await identity.IdpProxy.load("DOMAIN");
      const { assertion } = await proxy.generateAssertion("contents");
      const { identity: name } = await proxy.validateAssertion(assertion);
      const absent = await identity.IdpProxy.load("DOMAIN", "absent").catch((error) => error);
      return [name, absent.constructor.name, absent.name, absent.errorDetail];
    """.replace("DOMAIN", provider.domain)
    told = ["user@idp.localhost", "DOMException", "OperationError", "idp-load-failure"]
    assert await evaluate(firefox, body) == told
