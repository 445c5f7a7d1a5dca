"""IdP proxies that are absent, wrong, silent or malicious, and those that are a script alone: each its W3C error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from perc_server.certificates import demo_certificates
from tests.browser.conftest import PageErrors
from tests.browser.identity_pages.acting import run
from tests.browser.identity_pages.servers import Handler, HostileProvider, Server, page_site
from tests.browser.site import built_assets

pytestmark = pytest.mark.chromium

REGISTER = "rtcIdentityProvider.register({ generateAssertion, validateAssertion });"
ECHO = f"""
{REGISTER}
async function generateAssertion(contents, origin, options) {{
  const idp = {{ domain: location.host }};
  return {{ idp, assertion: JSON.stringify({{ contents, origin, options, href: location.href }}) }};
}}
async function validateAssertion(assertion, origin) {{
  return {{ identity: `user@${{location.hostname}}`, contents: JSON.parse(assertion).contents }};
}}
"""

LISTEN = "addEventListener('message', ({ ports: [port] }) => {"
NEED_LOGIN_FRAME = (
    f"<script>{LISTEN} port.onmessage = ({{ data: {{ id }} }}) => port.postMessage({{ id,"
    " error: { errorDetail: 'idp-need-login', loginUrl: 'https://idp.example/login' } });"
    " port.postMessage({ type: 'ready', registered: true }); });</script>"
)


def answering(page: str) -> Handler:
    async def answer(_request: Request) -> Response:
        return HTMLResponse(page)

    return answer


async def expect_frames(page: Page, count: int) -> None:
    """As the browser counts them; there are more now, or as many."""
    while len(page.frames) > 1 + count:
        await page.wait_for_event("framedetached")
    assert len(page.frames) == 1 + count


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    with page_site() as site:
        yield site


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with HostileProvider("hostile.localhost") as provider:
        yield provider


@pytest.fixture(scope="module")
def page_errors() -> PageErrors:
    return PageErrors()


@pytest.fixture(scope="module")
async def page(browser: Browser, page_errors: PageErrors, site: Server) -> AsyncIterator[Page]:
    """One for all of them: what a bad provider did must not hinder the next one."""
    page = page_errors.watch(await browser.new_page())
    await page.goto(site.origin)
    yield page
    await page.context.close()


@pytest.fixture
async def fresh_page(browser: Browser, site: Server) -> AsyncIterator[Page]:
    """One in which no provider has been asked yet."""
    page = await browser.new_page()
    await page.goto(site.origin)
    yield page
    await page.context.close()


GENERATE = """
  const load = IdpProxy.load(value.domain, value.protocol, { timeout: value.timeout });
  return caught(load.then((proxy) => proxy.generateAssertion("contents", { usernameHint: "user" })));
"""
VALIDATE = """
  const load = IdpProxy.load(value.domain, "default", { timeout: value.timeout });
  return caught(load.then((proxy) => proxy.validateAssertion('{"contents":"x"}')));
"""


async def generate(page: Page, domain: str, protocol: str = "default", limit: int = 8000) -> dict[str, Any]:
    return await run(page, GENERATE, {"domain": domain, "protocol": protocol, "timeout": limit})


async def validate(page: Page, domain: str, limit: int = 8000) -> dict[str, Any]:
    return await run(page, VALIDATE, {"domain": domain, "timeout": limit})


async def test_a_script_alone_runs_in_the_sandbox(page: Page, provider: HostileProvider, site: Server) -> None:
    provider.serves_script(ECHO)
    body = """
      const proxy = await IdpProxy.load(value);
      const made = await proxy.generateAssertion("contents", { usernameHint: "user" });
      const verdict = await proxy.validateAssertion(made.assertion);
      return { idp: made.idp, told: JSON.parse(made.assertion), verdict };
    """
    outcome = await run(page, body, provider.domain)
    assert outcome["idp"] == {"domain": provider.domain, "protocol": "default"}
    assert outcome["told"] == {
        "contents": "contents",
        "origin": site.origin,
        "options": {"usernameHint": "user"},
        "href": f"{provider.origin}/.well-known/idp-proxy/default",
    }
    assert outcome["verdict"] == {"identity": "user@hostile.localhost", "contents": "contents"}


async def test_the_sandbox_has_no_page_no_storage_and_no_origin(page: Page, provider: HostileProvider) -> None:
    provider.serves_script(
        ECHO.replace(
            "JSON.stringify({ contents, origin, options, href: location.href })",
            "await look()",
        )
        + """
        async function look() {
          const stored = await new Promise((resolve) => {
            try { indexedDB.open('x').onerror = () => resolve('none'); } catch (error) { resolve(error.name); }
          });
          return JSON.stringify([typeof document, typeof window, typeof localStorage, stored]);
        }"""
    )
    outcome = await generate(page, provider.domain)
    assert outcome["value"]["assertion"] in {
        '["undefined","undefined","undefined","SecurityError"]',
        '["undefined","undefined","undefined","none"]',
    }


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("", "idp-bad-script-failure"),
        ("this is not JavaScript", "idp-bad-script-failure"),
        ("rtcIdentityProvider.register({});", "idp-bad-script-failure"),
        ("throw new Error('no');", "idp-bad-script-failure"),
        (f"{REGISTER} function generateAssertion() {{ throw new Error('no'); }}", "idp-execution-failure"),
        (f"{REGISTER} async function generateAssertion() {{ return 5; }}", None),
        (f"{REGISTER} async function generateAssertion() {{ return {{ assertion: 'x' }}; }}", None),
        (
            f"{REGISTER} async function generateAssertion() {{"
            " return { idp: { domain: 'x' }, assertion: 'x'.repeat(1e7) }; }",
            None,
        ),
        (
            f"{REGISTER} function generateAssertion() {{"
            " throw Object.assign(new Error(), { errorDetail: 'idp-token-expired' }); }",
            "idp-token-expired",
        ),
        (
            f"{REGISTER} function generateAssertion() {{"
            " throw Object.assign(new Error(), { idpLoginUrl: 'https://idp.example/login' }); }",
            "idp-need-login",
        ),
        (
            f"{REGISTER} function generateAssertion() {{"
            " throw Object.assign(new Error(), { idpLoginUrl: 'javascript:alert(1)' }); }",
            "idp-execution-failure",
        ),
    ],
)
async def test_a_script_that_fails(script: str, detail: str | None, page: Page, provider: HostileProvider) -> None:
    provider.serves_script(f"{script}\nasync function validateAssertion() {{}}" if REGISTER in script else script)
    outcome = await generate(page, provider.domain)
    assert (outcome["name"], outcome["detail"]) == ("OperationError", detail), outcome


async def test_a_provider_that_is_not_there(page: Page, provider: HostileProvider) -> None:
    assert (await generate(page, provider.domain))["detail"] == "idp-load-failure"


NOT_DOMAINS = [
    "",
    "a b",
    "user@idp.example",
    "idp.example/x",
    "idp.example:0x50",
    "idp.example?",
    "-idp.example",
    "[::1]",
]
NOT_PROTOCOLS = ["a/b", "a\\b", "", ".", "..", "%2e%2e"]


async def test_domains_and_protocols_that_are_none(page: Page) -> None:
    for domain in NOT_DOMAINS:
        assert (await generate(page, domain))["detail"] == "idp-load-failure", domain
    for protocol in NOT_PROTOCOLS:
        assert (await generate(page, "idp.example", protocol))["detail"] == "idp-load-failure", protocol


async def test_a_provider_that_hangs_while_loading(page: Page, provider: HostileProvider) -> None:
    released = asyncio.Event()

    async def hang(_request: Request) -> Response:
        for _ in range(40):
            if released.is_set():
                break
            await asyncio.sleep(0.05)
        return Response("")

    provider.handlers["/.well-known/idp-proxy/default/frame"] = hang
    outcome = await generate(page, provider.domain, limit=300)
    released.set()
    assert outcome["detail"] == "idp-timeout"


@pytest.mark.parametrize("body", ["await new Promise(() => {});", "for (;;);"])
async def test_a_provider_that_hangs_while_working(body: str, page: Page, provider: HostileProvider) -> None:
    provider.serves_script(
        f"{REGISTER} async function generateAssertion() {{ {body} }} async function validateAssertion() {{}}"
    )
    assert (await generate(page, provider.domain, limit=1200))["detail"] == "idp-timeout"


@pytest.mark.parametrize("body", ["await new Promise(() => {});", "for (;;);"])
async def test_what_hung_does_not_go_on_running(body: str, fresh_page: Page, provider: HostileProvider) -> None:
    provider.serves_script(
        f"{REGISTER} function generateAssertion() {{}} async function validateAssertion() {{ {body} }}"
    )
    async with fresh_page.expect_worker() as started:
        await run(fresh_page, "await IdpProxy.load(value);", provider.domain)
    assert (await validate(fresh_page, provider.domain, limit=500))["detail"] == "idp-timeout"
    worker, closed = await started.value, asyncio.Event()
    worker.on("close", lambda _worker: closed.set())
    await expect_frames(fresh_page, 0)
    if worker in fresh_page.workers:
        await closed.wait()


async def test_who_still_waits_is_not_cut_off_by_anothers_failure(fresh_page: Page, provider: HostileProvider) -> None:
    provider.serves_script(
        f"""{REGISTER} function generateAssertion() {{}}
        let others = Promise.withResolvers();
        async function validateAssertion(assertion) {{
          if (assertion !== "bad") return others.promise;
          setTimeout(others.resolve, 100, {{ identity: "user@hostile.localhost", contents: "x" }});
          throw new Error("no");
        }}"""
    )
    body = """
      const proxy = await IdpProxy.load(value);
      const [good, bad] = ["good", "bad"].map((assertion) => caught(proxy.validateAssertion(assertion)));
      return [(await bad).detail, (await good).value.identity];
    """
    assert await run(fresh_page, body, provider.domain) == ["idp-execution-failure", "user@hostile.localhost"]
    await expect_frames(fresh_page, 0)


async def test_realms_are_bounded_in_number(fresh_page: Page, provider: HostileProvider) -> None:
    """Whoever sends descriptions can name any number of them; the last ones are those that stay."""
    provider.serves_script(ECHO)
    body = """
      let most = 0;
      const count = () => { most = Math.max(most, document.querySelectorAll("iframe").length); };
      new MutationObserver(count).observe(document.body, { childList: true });
      const names = Array.from({ length: 24 }, (_, number) => `default?${number}`);
      const ask = async (name) => (await IdpProxy.load(value, name)).validateAssertion('{"contents":"x"}');
      for (const name of names) await ask(name);
      const served = performance.getEntriesByType("resource").length;
      for (const name of names.slice(-4)) await ask(name);
      return { most, again: performance.getEntriesByType("resource").length - served };
    """
    assert await run(fresh_page, body, provider.domain) == {"most": 16, "again": 0}


async def test_those_who_all_hang_make_room_for_who_does_not(fresh_page: Page, provider: HostileProvider) -> None:
    hang = "if (location.search) await new Promise(() => {}); return { identity"
    provider.serves_script(ECHO.replace("return { identity", hang))
    body = """
      const validate = (proxy) => proxy.validateAssertion('{"contents":"x"}');
      const names = Array.from({ length: 16 }, (_, number) => `default?${number}`);
      const proxies = await Promise.all(names.map((name) => IdpProxy.load(value, name)));
      const hanging = proxies.map((proxy) => caught(validate(proxy)));
      const verdict = await validate(await IdpProxy.load(value));
      return [verdict.identity, (await hanging[0]).detail, document.querySelectorAll("iframe").length];
    """
    assert await run(fresh_page, body, provider.domain) == ["user@hostile.localhost", "idp-execution-failure", 16]


# The page's clock is turned on: minutes pass in hundredths of their time.
FASTER = """
  const { setTimeout } = window;
  window.setTimeout = (action, limit, ...rest) =>
    setTimeout(action, limit > 60_000 ? limit / 100 : limit, ...rest);
"""


async def test_a_realm_of_no_use_is_closed_but_not_while_someone_may_be_logging_in(
    fresh_page: Page, provider: HostileProvider
) -> None:
    """The login window speaks with the frame that asked for the login."""
    provider.serves_script(ECHO)
    provider.handlers["/.well-known/idp-proxy/asks/frame"] = answering(NEED_LOGIN_FRAME)
    await fresh_page.evaluate(f"() => {{ {FASTER} }}")
    assert (await generate(fresh_page, provider.domain, "asks"))["detail"] == "idp-need-login"
    assert "value" in await validate(fresh_page, provider.domain)
    await expect_frames(fresh_page, 1)
    assert fresh_page.frames[1].url.endswith("/asks/frame")
    signing = NEED_LOGIN_FRAME.replace("error: {", "result: { idp: { domain: 'x' }, assertion: 'x' }, other: {")
    provider.handlers["/.well-known/idp-proxy/asks/frame"] = answering(signing)
    assert "value" in await generate(fresh_page, provider.domain, "asks")
    await expect_frames(fresh_page, 0)


@pytest.mark.parametrize("before", ["nothing", "a validation"])
async def test_a_frame_that_failed_once_is_looked_for_again_where_it_is_needed(
    before: str, fresh_page: Page, provider: HostileProvider
) -> None:
    """The script alone cannot know who is logged in; the frame can."""
    provider.serves_script(ECHO.replace("const idp =", "throw new TypeError('Failed to fetch'); const idp ="))
    asked: list[Request] = []

    async def frame(request: Request) -> Response:
        asked.append(request)
        return HTMLResponse(NEED_LOGIN_FRAME, 200) if len(asked) > 1 else HTMLResponse("", 503)

    provider.handlers["/.well-known/idp-proxy/default/frame"] = frame
    if before == "a validation":
        assert "value" in await validate(fresh_page, provider.domain)
    outcome = await generate(fresh_page, provider.domain)
    assert (outcome["detail"], outcome["loginUrl"], len(asked)) == ("idp-need-login", "https://idp.example/login", 2)


async def test_a_script_alone_that_cannot_sign_is_asked_twice_and_no_more(
    fresh_page: Page, provider: HostileProvider
) -> None:
    provider.serves_script(ECHO.replace("const idp =", "throw new Error('no'); const idp ="))
    body = """
      const detail = (await caught((await IdpProxy.load(value)).generateAssertion("x"))).detail;
      return [detail, performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/frame")).length];
    """
    assert await run(fresh_page, body, provider.domain) == ["idp-execution-failure", 2]


async def test_a_redirect_to_plain_http_is_not_followed(page: Page, provider: HostileProvider) -> None:
    """To a server that would answer; for the browser it is none of this machine's host names, which are exempt."""

    async def redirect(_request: Request) -> Response:
        return RedirectResponse(f"{plain.origin}/.well-known/idp-proxy/default")

    provider.handlers["/.well-known/idp-proxy/default"] = redirect
    with HostileProvider("127.0.0.1") as plain:
        plain.serves_script(ECHO)
        assert (await generate(page, provider.domain))["detail"] == "idp-load-failure"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_certificates(tmp_path_factory.mktemp("tls"), "localhost").media_distributor


@pytest.fixture
def secure_provider(certificate: Path) -> Iterator[HostileProvider]:
    with HostileProvider("secure.localhost", certificate) as provider:
        yield provider


@pytest.fixture(scope="module", params=["modules", "classic script"])
def https_site(request: pytest.FixtureRequest, certificate: Path, assets: None) -> Iterator[Server]:
    if request.param == "modules":
        with page_site(certificate=certificate) as site:
            yield site
        return

    async def page(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><script src='/webrtc-identity.js'></script><body>")

    async def shim(_request: Request) -> Response:
        return Response((built_assets() / "identity/webrtc-identity.js").read_text(), media_type="text/javascript")

    with HostileProvider("localhost", certificate) as provider:
        provider.handlers |= {"/": page, "/webrtc-identity.js": shim}
        yield provider


@pytest.fixture
async def https_page(
    browser: Browser, https_site: Server, secure_provider: HostileProvider, provider: HostileProvider
) -> AsyncIterator[Page]:
    """Gone before the servers are, whose TLS connections end with it."""
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(https_site.origin)
    yield page
    await context.close()


ASSERT = """async (domain) => {
  if (!("setIdentityProvider" in RTCPeerConnection.prototype)) {
    await (await import("/identity/index.js")).apply(window);
  }
  const pc = new RTCPeerConnection();
  pc.setIdentityProvider(domain);
  try {
    return JSON.parse(atob(await pc.getIdentityAssertion())).assertion;
  } catch ({ errorDetail, message }) {
    return errorDetail ?? message;
  }
}"""


async def test_for_an_https_page_a_redirect_to_http_on_this_machine_is_not_followed(
    https_page: Page, provider: HostileProvider, secure_provider: HostileProvider
) -> None:
    async def redirect(_request: Request) -> Response:
        return RedirectResponse(f"{provider.origin}/.well-known/idp-proxy/default")

    provider.serves_script(ECHO)
    secure_provider.handlers["/.well-known/idp-proxy/default"] = redirect
    assert await https_page.evaluate(ASSERT, secure_provider.domain) == "idp-load-failure"


async def test_for_an_https_page_a_proxy_reaches_no_service_of_this_machine(
    https_page: Page, provider: HostileProvider, secure_provider: HostileProvider
) -> None:
    """Whoever joins names the provider whose script runs in the owner's browser."""
    reached: list[str] = []

    async def service(request: Request) -> Response:
        reached.append(request.url.scheme)
        return Response("service", headers={"Access-Control-Allow-Origin": "*"})

    for party in (provider, secure_provider):
        party.handlers["/service"] = service
    services = [f"{secure_provider.origin}/service", f"{provider.origin}/service"]
    look = f"await Promise.all({services}.map((url) => fetch(url).then((r) => r.text(), (error) => error.name)))"
    secure_provider.serves_script(ECHO.replace("stringify({ contents,", f"stringify({{ found: {look}, contents,"))
    told = json.loads(await https_page.evaluate(ASSERT, secure_provider.domain))
    assert told["found"] == ["service", "TypeError"]
    assert reached == ["https"]


async def test_a_frame_of_another_origin_never_gets_the_port(page: Page, provider: HostileProvider) -> None:
    foreign = (
        f"<script>{LISTEN} port.onmessage = ({{ data: {{ id }} }}) =>"
        " port.postMessage({ id, result: { identity: 'mallory@hostile.localhost', contents: 'x' } });"
        " port.postMessage({ type: 'ready', registered: true }); });</script>"
    )
    with HostileProvider("foreign.localhost") as other:
        other.serves_frame(foreign)

        async def redirect(_request: Request) -> Response:
            return RedirectResponse(f"{other.origin}/.well-known/idp-proxy/default/frame")

        provider.handlers["/.well-known/idp-proxy/default/frame"] = redirect
        assert (await validate(page, provider.domain))["detail"] == "idp-load-failure"


@pytest.mark.parametrize("member", ["identity", "contents"])
async def test_ten_megabytes(member: str, page: Page, provider: HostileProvider) -> None:
    result = {"identity": "'user@hostile.localhost'", "contents": "'x'"} | {member: "'x'.repeat(1e7)"}
    answer = ", ".join(f"{name}: {value}" for name, value in result.items())
    provider.serves_script(
        f"{REGISTER} function generateAssertion() {{}} function validateAssertion() {{ return {{ {answer} }}; }}"
    )
    outcome = await validate(page, provider.domain)
    assert (outcome["name"], outcome["detail"]) == ("OperationError", None)


async def test_a_frame_that_answers_rubbish(page: Page, provider: HostileProvider) -> None:
    provider.serves_frame(
        f"<script>{LISTEN} port.onmessage = ({{ data: {{ id }} }}) => {{"
        " for (const message of [null, 5, {}, { id: -1, result: 1 }, { id, result: { identity: 5, contents: [] } }])"
        " port.postMessage(message); };"
        " port.postMessage({ type: 'ready', registered: true }); });</script>"
    )
    outcome = await validate(page, provider.domain)
    assert (outcome["name"], outcome["detail"]) == ("OperationError", None)


async def test_a_frame_cannot_navigate_the_page_even_when_it_is_clicked(
    fresh_page: Page, provider: HostileProvider, site: Server
) -> None:
    """Without a click browsers refuse by themselves; with one, only the frame's sandbox does."""
    provider.serves_frame(
        f"<button>Go</button><script>{LISTEN} port.postMessage({{ type: 'ready', registered: true }}); }});"
        " document.querySelector('button').onclick = () => {"
        "   try { top.location = 'about:blank#gone'; } catch (error) { document.title = error.name; } };</script>"
    )
    await run(fresh_page, "await IdpProxy.load(value);", provider.domain)
    await fresh_page.evaluate("() => { document.querySelector('iframe').hidden = false; }")
    frame = fresh_page.frames[1]
    await frame.get_by_role("button").click()
    await frame.wait_for_function("document.title")
    assert await frame.title() == "SecurityError"
    assert fresh_page.url == f"{site.origin}/"
    assert await fresh_page.locator("iframe").get_attribute("sandbox") == "allow-scripts allow-same-origin"


async def test_a_site_that_does_not_serve_the_sandbox_says_so_at_once(page: Page, provider: HostileProvider) -> None:
    """As where every response of a site forbids framing."""
    provider.serves_script(ECHO)
    await page.route("**/sandbox.html", lambda route: route.fulfill(status=404))
    try:
        outcome = await generate(page, provider.domain)
    finally:
        await page.unroute("**/sandbox.html")
    assert (outcome["detail"], outcome["message"]) == ("idp-load-failure", "this site has no sandbox for IdP proxies")
