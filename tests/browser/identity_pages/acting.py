"""What the identity tests do in pages: run the shim, sign in as a person does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from playwright.async_api import BrowserContext, Error, Page

from tests.browser.conftest import PageErrors
from tests.browser.identity_pages.servers import Server

PREAMBLE = """async (value) => {
  const identity = await import("/identity/index.js");
  await identity.apply(window);
  const { IdpProxy, bindIdentityContents } = identity;
  const caught = async (promise) => {
    try {
      return { value: await promise };
    } catch (error) {
      const { name, message, errorDetail = null, idpLoginUrl = null, cause } = error;
      const isPlain = error.constructor === DOMException;
      return { name, message, isPlain, detail: errorDetail, loginUrl: idpLoginUrl, cause: cause?.errorDetail ?? null };
    }
  };
  const offering = (configuration) => {
    const pc = new RTCPeerConnection(configuration);
    pc.addTransceiver("audio");
    return pc;
  };
  const anotherOctet = (octet) => (octet === "00" ? "11" : "00");
  const edited = (sdp, edit) => sdp.replace(/a=identity:(\\S+)/, (_, value) => {
    const assertion = JSON.parse(atob(value));
    return `a=identity:${btoa(JSON.stringify(edit(assertion) ?? assertion))}`;
  });
  BODY
}"""


async def open_page(context: BrowserContext, errors: PageErrors, site: Server) -> Page:
    page = errors.watch(await context.new_page())
    await page.goto(site.origin)
    return page


async def run(page: Page, body: str, value: object = None) -> Any:
    return await page.evaluate(PREAMBLE.replace("BODY", body), value)


async def sign_in(page: Page, provider: Server, name: str) -> str:
    """Signs in through the popup, as a person does; the outcome of `login`."""
    need = "const p = await IdpProxy.load(value); return caught(p.generateAssertion('x'));"
    outcome = await run(page, need, provider.domain)
    assert outcome["detail"] == "idp-need-login", outcome
    async with page.expect_popup() as opened:
        await page.evaluate(
            """([url]) => {
              window.loggedIn = import("/identity/index.js").then(({ login }) => login(url));
              window.loggedIn.catch(() => {});
            }""",
            [outcome["loginUrl"]],
        )
    popup = await opened.value
    await popup.get_by_label("Name").fill(name)
    await popup.get_by_label("Password").fill(f"{name}-demo")
    await popup.keyboard.press("Enter")
    with suppress(Error):  # who has consented before is not asked again: the window closes by itself
        await popup.get_by_role("button", name="Allow", exact=True).click()
    return await page.evaluate("async () => { try { await loggedIn; return 'done' } catch (e) { return e.name } }")
