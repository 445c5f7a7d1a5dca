"""Section 5: what a proxy registers, how that is called, and what it may return."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from perc_server.identity_provider.proxy import STATIC
from tests.browser.identity_pages.servers import HostileProvider, Server
from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium

BAD_SCRIPT = ["OperationError", "idp-bad-script-failure"]
FUNCTIONS = "generateAssertion: async () => ({}), validateAssertion: async () => ({})"


@pytest.mark.parametrize(
    "script",
    [
        "",
        "const nothing = 'registered';",
        f"setTimeout(() => rtcIdentityProvider.register({{ {FUNCTIONS} }}));",  # "during script execution"
        "rtcIdentityProvider.register({ generateAssertion() {} });",
        "rtcIdentityProvider.register({ validateAssertion() {} });",
        "rtcIdentityProvider.register({ generateAssertion: 1, validateAssertion: 2 });",
        "rtcIdentityProvider.register();",
    ],
)
async def test_5_1_a_proxy_that_did_not_register_cannot_be_used(script: str, act: Act) -> None:
    body = """
      const { name, detail } = await caught(asserting(scripted(`SCRIPT`)).getIdentityAssertion());
      return [name, detail];
    """
    assert await act(body.replace("SCRIPT", script)) == BAD_SCRIPT


REFUSALS = """
  let reads = 0;
  const named = (action) => { try { action(); return "nothing"; } catch (error) { return error.name; } };
  const f = () => {};
  const refused = [
    [], [undefined], [null], [5], ["text"], [{}], [{ generateAssertion: f }], [{ validateAssertion: f }],
    [{ generateAssertion: f, validateAssertion: {} }],
    [{ generateAssertion: 5, get validateAssertion() { reads += 1; return f; } }],
  ].map((args) => named(() => rtcIdentityProvider.register(...args)));
  const shape = [reads, String(rtcIdentityProvider), named(() => new RTCIdentityProviderRegistrar()),
    named(() => RTCIdentityProviderRegistrar.prototype.register.call({}, {})),
    Object.keys(RTCIdentityProviderRegistrar.prototype)];
  rtcIdentityProvider.register({
    validateAssertion() {},
    generateAssertion() {
      "use strict";
      return { idp: { domain: "x" }, assertion: JSON.stringify({ refused, shape, told: typeof this }) };
    },
  });
"""
REFUSED = {
    "refused": ["TypeError"] * 10,
    "shape": [0, "[object RTCIdentityProviderRegistrar]", "TypeError", "TypeError", ["register"]],
    "told": "undefined",  # callbacks have no `this`
}


async def test_5_1_what_is_no_identity_provider_is_a_type_error(act: Act) -> None:
    body = f"return read(await asserting(scripted(`{REFUSALS}`)).getIdentityAssertion());"
    assert await act(body) == REFUSED


@pytest.fixture
def framed(provider: HostileProvider) -> Iterator[str]:
    """The protocol of a proxy that our identity providers' own frame runs."""

    async def frame(_request: Request) -> Response:
        script = (STATIC / "frame.js").read_text()
        return HTMLResponse(f"<!doctype html><script>{script}</script><script>{REFUSALS}</script>")

    path = "/.well-known/idp-proxy/framed/frame"
    provider.handlers[path] = frame
    yield "framed"
    del provider.handlers[path]


async def test_5_1_the_same_in_the_frame_of_our_identity_providers(framed: str, act: Act) -> None:
    body = f"return read(await asserting({{ protocol: '{framed}' }}).getIdentityAssertion());"
    assert await act(body) == REFUSED


async def test_5_1_the_first_registration_stays(act: Act) -> None:
    body = """
      const register = (word) => `rtcIdentityProvider.register({ validateAssertion() {},
        generateAssertion: () => ({ idp: { domain: "x" }, assertion: '"${word}"' }) });`;
      return read(await asserting(scripted(register("first") + register("second"))).getIdentityAssertion());
    """
    assert await act(body) == "first"


async def test_5_2_2_what_generate_assertion_is_given(act: Act, site: Server) -> None:
    body = """
      const look = `return { idp: { domain: "x" }, assertion: JSON.stringify({
        given: typeof contents, origin, options, hinted: "usernameHint" in options, bound: "peerIdentity" in options,
      }) }`;
      return read(await asserting(proxy(look)).getIdentityAssertion());
    """
    told = await act(body)
    assert told["options"].pop("protocol").startswith("default?script=")
    assert told == {"given": "string", "origin": site.origin, "options": {}, "hinted": False, "bound": False}


async def test_5_2_2_the_protocol_is_default_by_default(act: Act) -> None:
    assert (await act("return read(await asserting().getIdentityAssertion()).options;")) == {"protocol": "default"}


async def test_5_2_3_what_validate_assertion_is_given(act: Act, site: Server) -> None:
    body = """
      const look = `throw Object.assign(new Error(), { idpErrorInfo: JSON.stringify([assertion.length, origin]) })`;
      const offer = await offerOf(validator(look));
      const pc = new RTCPeerConnection();
      const peer = pc.peerIdentity;
      await pc.setRemoteDescription(offer);
      await caught(peer);
      const [length, origin] = JSON.parse(pc.idpErrorInfo);
      return { origin, whole: length === JSON.parse(atob(identityOf(offer.sdp))).assertion.length };
    """
    assert await act(body) == {"origin": site.origin, "whole": True}


async def test_5_2_a_result_need_not_be_a_promise(act: Act) -> None:
    body = """
      const script = `rtcIdentityProvider.register({
        generateAssertion: (contents) => ({ idp: { domain: location.host, protocol: "default" + location.search },
          assertion: contents }),
        validateAssertion: (assertion) => ({ identity: "user@idp.localhost", contents: assertion }),
      });`;
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(await offerOf(scripted(script)));
      return (await pc.peerIdentity).name;
    """
    assert await act(body) == "user@idp.localhost"


async def test_5_3_2_the_protocol_of_a_result_is_default_by_default(act: Act) -> None:
    body = """
      const generate = "return { idp: { domain: 'x' }, assertion: '' }";
      return JSON.parse(atob(await asserting(proxy(generate)).getIdentityAssertion()));
    """
    assert await act(body) == {"idp": {"domain": "x", "protocol": "default"}, "assertion": ""}
