"""WebRTC identity end to end in a real Chromium: sign-in, consent, assertion in the offer, its validation by others."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from perc_server.identity_provider.assertions import Assertion, sign
from perc_server.identity_provider.keys import SigningKeys
from perc_server.identity_provider.store import open_store
from tests.browser.conftest import PageErrors
from tests.browser.identity_pages.acting import open_page, run, sign_in
from tests.browser.identity_pages.servers import Clock, Server, identity_provider, page_site

pytestmark = pytest.mark.chromium

CONFERENCE = "https://perc.example/perc/room"


@dataclass
class Parties:
    a: Server
    b: Server
    site: Server
    other_site: Server
    neighbour: Server
    clock: Clock


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    store, clock = tmp_path_factory.mktemp("idp"), Clock()
    with ExitStack() as stack:
        yield Parties(
            stack.enter_context(identity_provider("idp-a.localhost", store, clock, "alice", "anna")),
            stack.enter_context(identity_provider("idp-b.localhost", store, clock, "bob", "ben")),
            stack.enter_context(page_site()),
            stack.enter_context(page_site("other.localhost")),
            stack.enter_context(page_site()),  # another origin of the same site: cookies ignore ports
            clock,
        )


@pytest.fixture
def parties(everyone: Parties) -> Parties:
    everyone.clock.ahead = 0
    return everyone


@pytest.fixture
async def page(context: BrowserContext, page_errors: PageErrors, parties: Parties) -> Page:
    return await open_page(context, page_errors, parties.site)


OPEN = """(url) => {
  const login = import("/identity/index.js").then(({ login }) => login(url));
  window.outcome = login.then(() => "done", (error) => error.name);
}"""

LISTENER = """<!doctype html><script>
  var heard = [];
  addEventListener("message", ({ data }) => heard.push(data));
</script>"""

OFFER = """
  const pc = offering();
  pc.setIdentityProvider(value.domain);
  if (value.conference) bindIdentityContents(pc, value);
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  return { type: offer.type, sdp: offer.sdp, local: pc.localDescription.sdp };
"""


async def signed_offer(page: Page, provider: Server, conference: str | None = None) -> dict[str, str]:
    return await run(page, OFFER, {"domain": provider.domain, "conference": conference})


@pytest.fixture(scope="module")
async def offer(browser: Browser, everyone: Parties) -> AsyncIterator[dict[str, str]]:
    """One of Alice's, bound to no conference."""
    context = await browser.new_context()
    page = await open_page(context, PageErrors(), everyone.site)
    await sign_in(page, everyone.a, "alice")
    yield await signed_offer(page, everyone.a)
    await context.close()


async def test_sign_in_puts_an_assertion_into_the_offer_that_another_page_validates(
    page: Page, context: BrowserContext, page_errors: PageErrors, parties: Parties
) -> None:
    assert await sign_in(page, parties.a, "alice") == "done"
    offer = await signed_offer(page, parties.a)
    assert offer["sdp"].count("a=identity:") == 1
    assert offer["local"] == offer["sdp"]
    other = await open_page(context, page_errors, parties.other_site)
    body = """
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(value);
      const { idp, name } = await pc.peerIdentity;
      return { idp, name, kept: pc.remoteDescription.sdp.includes("a=identity:") };
    """
    assert await run(other, body, offer) == {"idp": parties.a.domain, "name": "alice@idp-a.localhost", "kept": True}


async def test_another_website_is_told_to_let_the_person_log_in(
    page: Page, context: BrowserContext, page_errors: PageErrors, parties: Parties
) -> None:
    await sign_in(page, parties.a, "alice")
    other = await open_page(context, page_errors, parties.other_site)
    body = "return caught((await IdpProxy.load(value)).generateAssertion('x'))"
    assert (await run(other, body, parties.a.domain))["detail"] == "idp-need-login"


async def test_a_neighbour_gets_nothing_from_the_session_whatever_origin_it_claims(
    page: Page, context: BrowserContext, page_errors: PageErrors, parties: Parties
) -> None:
    """Another origin of the same site: the frame it embeds has the cookie; who asks is what the browser attests."""
    await sign_in(page, parties.a, "alice")
    neighbour = await open_page(context, page_errors, parties.neighbour)
    body = """
      const frame = document.createElement("iframe");
      frame.src = `${value.idp}/.well-known/idp-proxy/default/frame`;
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener("load", resolve));
      const { port1, port2 } = new MessageChannel();
      const claim = { origin: value.claimed, asking: value.claimed };
      const answers = new Promise((resolve) => {
        port1.onmessage = ({ data }) => { if (data.id) resolve(data); };
      });
      frame.contentWindow.postMessage({ type: "perc-idp-connect", ...claim }, "*", [port2]);
      const options = { protocol: "default", ...claim };
      port1.postMessage({ id: 1, op: "generateAssertion", contents: "x", options, ...claim });
      const { result = null, error = {} } = await answers;
      return { result, detail: error.errorDetail };
    """
    outcome = await run(neighbour, body, {"idp": parties.a.origin, "claimed": parties.site.origin})
    assert outcome == {"result": None, "detail": "idp-need-login"}


async def test_the_session_cookie_is_partitioned_and_out_of_scripts_reach(
    page: Page, context: BrowserContext, parties: Parties
) -> None:
    await sign_in(page, parties.a, "alice")
    (cookie,) = [cookie for cookie in await context.cookies() if cookie["name"] == "__Host-idp"]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "None"
    assert cookie.get("partitionKey", "").startswith("http://localhost")


async def test_offer_and_answer_between_two_providers(page: Page, parties: Parties) -> None:
    await sign_in(page, parties.a, "alice")
    await sign_in(page, parties.b, "bob")
    body = """
      const a = offering({ peerIdentity: "bob@idp-b.localhost" });
      const b = new RTCPeerConnection({ peerIdentity: "alice@idp-a.localhost" });
      a.setIdentityProvider(value[0]);
      b.setIdentityProvider(value[1]);
      for (const pc of [a, b]) bindIdentityContents(pc, { conference: "https://perc.example/perc/room" });
      await a.setLocalDescription();
      await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription(await b.createAnswer());
      await a.setRemoteDescription(b.localDescription);
      return [(await a.peerIdentity).name, (await b.peerIdentity).name, a.signalingState];
    """
    names = await run(page, body, [parties.a.domain, parties.b.domain])
    assert names == ["bob@idp-b.localhost", "alice@idp-a.localhost", "stable"]


async def test_contents_of_a_conference(page: Page, parties: Parties) -> None:
    await sign_in(page, parties.a, "alice")
    offer = await signed_offer(page, parties.a, CONFERENCE)
    value = next(line[11:] for line in offer["sdp"].splitlines() if line.startswith("a=identity:"))
    payload = json.loads(base64.b64decode(value))["assertion"].split(".")[1]
    signed = json.loads(base64.urlsafe_b64decode(payload + "=="))
    contents = json.loads(signed["contents"])
    assert set(signed) == {"contents", "identity", "iss", "iat", "exp"}
    assert contents["conference"] == CONFERENCE
    assert contents["type"] == "offer"
    digest = contents["fingerprint"][0]["digest"]
    assert f"a=fingerprint:sha-256 {digest}" in offer["sdp"]


REFUSED = """
  const { sdp, edit, configuration, conference } = value;
  const pc = new RTCPeerConnection(configuration);
  if (conference) bindIdentityContents(pc, { conference });
  const edits = {
    none: (sdp) => sdp,
    assertion: (sdp) => edited(sdp, (a) => ({ ...a, assertion: a.assertion.replace(/^(.{90})./, "$1A") })),
    signature: (sdp) => edited(sdp, (a) => ({ ...a, assertion: a.assertion.replace(/.{6}$/, "AAAAAA") })),
    payload: (sdp) => edited(sdp, (a) => ({ ...a, assertion: a.assertion.replace(/\\.[^.]+\\./, ".e30.") })),
    domain: (sdp) => edited(sdp, (a) => ({ ...a, idp: { ...a.idp, domain: value.domain } })),
    fingerprint: (sdp) => sdp.replace(/(?<=a=fingerprint:sha-256 )../, anotherOctet),
    second: (sdp) => `${sdp}a=fingerprint:sha-256 ${Array(32).fill("00").join(":")}\\r\\n`,
    twice: (sdp) => sdp.replace(/(a=identity:\\S+)/, "$1\\r\\n$1"),
    protocol: (sdp) => edited(sdp, (a) => ({ ...a, idp: { ...a.idp, protocol: "../evil" } })),
    base64: (sdp) => sdp.replace(/a=identity:\\S+/, "a=identity:%%%"),
    gone: (sdp) => sdp.replace(/a=identity:\\S+\\r\\n/, ""),
  };
  const set = await caught(pc.setRemoteDescription({ type: "offer", sdp: edits[edit](sdp) }));
  const peer = await Promise.race([caught(pc.peerIdentity), new Promise((r) => setTimeout(r, 0, "pending"))]);
  const told = ({ name, detail }) => detail ?? name ?? null;
  return { error: told(set), state: pc.signalingState, peer: peer === "pending" ? peer : told(peer) };
"""
TARGET = {"peerIdentity": "alice@idp-a.localhost"}


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        ("assertion", "idp-token-invalid"),
        ("signature", "idp-token-invalid"),
        ("payload", "idp-token-invalid"),
        ("domain", "idp-token-invalid"),
        ("fingerprint", "OperationError"),
        ("second", "OperationError"),
        ("twice", "OperationError"),
        ("protocol", "OperationError"),
        ("base64", "OperationError"),
        ("gone", "OperationError"),
    ],
)
async def test_a_description_whose_identity_does_not_hold_is_never_applied(
    edit: str, error: str, page: Page, parties: Parties, offer: dict[str, str]
) -> None:
    value = {"sdp": offer["sdp"], "edit": edit, "configuration": TARGET, "domain": parties.b.domain}
    outcome = await run(page, REFUSED, value)
    assert outcome == {"error": error, "state": "stable", "peer": error}


@pytest.mark.parametrize("configuration", [TARGET, None])
async def test_a_good_identity_passes(configuration: object, page: Page, offer: dict[str, str]) -> None:
    value = {"sdp": offer["sdp"], "edit": "none", "configuration": configuration or {}}
    assert (await run(page, REFUSED, value))["state"] == "have-remote-offer"


async def test_someone_else_than_expected_is_refused(page: Page, offer: dict[str, str]) -> None:
    value = {"sdp": offer["sdp"], "edit": "none", "configuration": {"peerIdentity": "bob@idp-a.localhost"}}
    assert (await run(page, REFUSED, value))["state"] == "stable"


@pytest.mark.parametrize("signed_for", [None, "https://perc.example/perc/other"])
async def test_an_assertion_for_another_conference_or_for_none_is_refused(
    signed_for: str | None, page: Page, parties: Parties
) -> None:
    await sign_in(page, parties.a, "alice")
    offer = await signed_offer(page, parties.a, signed_for)
    value = {"sdp": offer["sdp"], "edit": "none", "conference": CONFERENCE}
    assert await run(page, REFUSED, value) == {
        "error": "OperationError",
        "state": "stable",
        "peer": "pending",
    }


async def test_an_answer_to_another_offer_is_refused(page: Page, parties: Parties) -> None:
    await sign_in(page, parties.a, "alice")
    body = """
      const connections = [offering(), offering(), new RTCPeerConnection()];
      for (const pc of connections) {
        pc.setIdentityProvider(value);
        bindIdentityContents(pc, { conference: "https://perc.example/perc/room" });
      }
      const [victim, attacker, peer] = connections;
      await victim.setLocalDescription();
      await attacker.setLocalDescription();
      await peer.setRemoteDescription(attacker.localDescription);
      await peer.setLocalDescription();
      return caught(victim.setRemoteDescription(peer.localDescription));
    """
    outcome = await run(page, body, parties.a.domain)
    assert (outcome["name"], outcome["message"]) == ("OperationError", "the assertion was made for another offer")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({}, None),
        ({"iss": "idp-b.localhost"}, "idp-token-invalid"),
        ({"iat": 600}, "idp-token-invalid"),
        ({"exp": -1}, "idp-token-expired"),
    ],
)
async def test_what_the_proxy_refuses_though_the_signature_is_good(
    change: dict[str, Any], detail: str | None, page: Page, parties: Parties
) -> None:
    now = int(time.time())
    good = Assertion("{}", "alice@idp-a.localhost", parties.a.domain, iat=now, exp=now + 300)
    moved = {name: now + value if isinstance(value, int) else value for name, value in change.items()}
    key = SigningKeys(open_store(parties.a.app.state.config.database), 1e9, parties.clock).current()
    body = "return caught((await IdpProxy.load(value[0])).validateAssertion(value[1]));"
    outcome = await run(page, body, [parties.a.domain, sign(replace(good, **moved), key)])
    assert outcome.get("detail") == detail


async def test_an_expired_assertion_says_so(page: Page, parties: Parties) -> None:
    parties.clock.ahead = -3600
    await sign_in(page, parties.a, "alice")
    offer = await signed_offer(page, parties.a)
    value = {"sdp": offer["sdp"], "edit": "none", "configuration": TARGET}
    assert (await run(page, REFUSED, value))["error"] == "idp-token-expired"


async def test_sign_in_with_the_keyboard_alone(page: Page, parties: Parties) -> None:
    url = await run(page, "return caught((await IdpProxy.load(value)).generateAssertion('x'))", parties.b.domain)
    async with page.expect_popup() as opened:
        await page.evaluate(OPEN, url["loginUrl"])
    keyboard = (popup := await opened.value).keyboard
    await popup.bring_to_front()
    await expect(popup.get_by_label("Name")).to_be_focused()
    await keyboard.type("ben")
    await keyboard.press("Tab")
    await keyboard.type("ben-demo")
    await keyboard.press("Enter")
    await popup.wait_for_selector("button[data-settle]:enabled")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    assert await page.evaluate("outcome") == "done"
    body = "return (await IdpProxy.load(value)).generateAssertion('x').then(() => 'signed')"
    assert await run(page, body, parties.b.domain) == "signed"


async def test_a_login_window_that_is_closed_is_no_login(page: Page, parties: Parties) -> None:
    async with page.expect_popup() as opened:
        await page.evaluate(OPEN, f"{parties.a.origin}/login")
    await (await opened.value).close()
    assert await page.evaluate("outcome") == "AbortError"


async def test_the_code_goes_to_no_other_frame(page: Page, parties: Parties) -> None:
    """Another site's frame in the same page, in the place where the provider's own would be."""
    body = """
      const frame = document.createElement("iframe");
      frame.src = value;
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener("load", resolve));
    """
    await page.route(f"{parties.other_site.origin}/listener", lambda route: route.fulfill(body=LISTENER))
    await run(page, body, f"{parties.other_site.origin}/listener")
    assert await sign_in(page, parties.a, "alice") == "done"
    (listener,) = [frame for frame in page.frames if frame.url.endswith("/listener")]
    assert await listener.evaluate("heard") == []


async def test_login_and_consent_cannot_be_framed(page: Page, page_errors: PageErrors, parties: Parties) -> None:
    body = """
      const frame = document.createElement("iframe");
      frame.src = value;
      document.body.append(frame);
    """
    async with page.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        await run(page, body, f"{parties.a.origin}/login")
    page_errors.clear()


async def test_a_message_from_elsewhere_is_no_login(page: Page, parties: Parties) -> None:
    """Only the window that was opened, and only under the provider's origin, says that the login is done."""
    async with page.expect_popup() as opened:
        await page.evaluate(OPEN, f"{parties.a.origin}/login")
    popup = await opened.value
    await page.evaluate("postMessage('WEBRTC-LOGINDONE', '*')")
    await popup.evaluate("(url) => { location = url; }", parties.other_site.origin)
    await popup.wait_for_url(f"{parties.other_site.origin}/")
    await popup.evaluate("opener.postMessage('WEBRTC-LOGINDONE', '*')")
    await popup.close()
    assert await page.evaluate("outcome") == "AbortError"
