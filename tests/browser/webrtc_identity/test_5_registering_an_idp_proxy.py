"""Section 5: what a proxy registers, how that is called, and what it may return."""

from __future__ import annotations

import pytest

from tests.browser.identity_pages.servers import Server
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


async def test_5_1_a_member_that_is_missing_is_a_type_error(act: Act) -> None:
    body = """
      const script = `let error;
        try { rtcIdentityProvider.register({}); } catch (caught) { error = caught.name; }
        rtcIdentityProvider.register({ validateAssertion() {},
          generateAssertion: () => ({ idp: { domain: "x" }, assertion: JSON.stringify(error) }) });`;
      return read(await asserting(scripted(script)).getIdentityAssertion());
    """
    assert await act(body) == "TypeError"


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
