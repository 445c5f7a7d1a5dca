"""Section 6: the identity assertion request process, step by step."""

from __future__ import annotations

import pytest

from tests.browser.identity_pages.servers import HostileProvider, Server
from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium


async def test_step_1_a_provider_that_cannot_be_loaded_fails(act: Act) -> None:
    body = "return (await caught(asserting({ protocol: 'absent' }).getIdentityAssertion())).detail;"
    assert await act(body) == "idp-load-failure"


async def test_step_2_a_certificate_that_was_given_is_the_one_asserted(act: Act) -> None:
    body = """
      const certificate = await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
      const { contents } = read(await asserting({}, { certificates: [certificate] }).getIdentityAssertion());
      const [own] = certificate.getFingerprints();
      return JSON.parse(contents).fingerprint.map(({ digest }) => digest === own.value.toUpperCase());
    """
    assert await act(body) == [True]


async def test_step_2_the_browsers_certificate_is_waited_for(act: Act) -> None:
    """Also of connections without media, and of more at once than there are certificates made ahead."""
    body = """
      const connections = Array.from({ length: 6 }, () => new RTCPeerConnection());
      return Promise.all(connections.map(async (pc) => {
        pc.setIdentityProvider(value);
        const { contents } = read(await pc.getIdentityAssertion());
        const empty = !(await pc.createOffer()).sdp.includes("m=");
        pc.addTransceiver("audio");
        const { sdp } = await pc.createOffer();
        const { algorithm, digest } = JSON.parse(contents).fingerprint[0];
        return empty && sdp.includes(`a=fingerprint:${algorithm} ${digest}`);
      }));
    """
    assert await act(body) == [True] * 6


async def test_step_3_what_the_provider_is_asked(act: Act, site: Server) -> None:
    body = """
      const pc = asserting({ usernameHint: "alice", peerIdentity: "bob@idp.example" });
      const { contents, origin, options } = read(await pc.getIdentityAssertion());
      return { origin, options, members: Object.keys(JSON.parse(contents)) };
    """
    assert await act(body) == {
        "origin": site.origin,
        "options": {"protocol": "default", "usernameHint": "alice", "peerIdentity": "bob@idp.example"},
        "members": ["fingerprint"],
    }


@pytest.mark.parametrize(
    "result",
    [
        "undefined",
        "null",
        "'invalid'",
        "5",
        "{}",
        "{ assertion: 'x' }",
        "{ idp: {}, assertion: 'x' }",
        "{ idp: { domain: 'x' } }",
        "{ idp: { domain: 'x' }, assertion: 'x'.repeat(1e7) }",
    ],
)
async def test_step_4_what_is_no_result_fails(result: str, act: Act) -> None:
    body = """
      const { name, isPlain } = await caught(asserting(proxy(`return RESULT`)).getIdentityAssertion());
      return [name, isPlain];
    """
    assert await act(body.replace("RESULT", result)) == ["OperationError", True]


async def test_step_5_an_assertion_is_stored_for_later_descriptions(act: Act) -> None:
    body = """
      const pc = asserting();
      const first = await pc.getIdentityAssertion();
      const second = identityOf((await pc.createOffer()).sdp);
      pc.setIdentityProvider(value);
      const third = await pc.getIdentityAssertion();
      pc.setIdentityProvider(value, { usernameHint: "other" });
      const fourth = await pc.getIdentityAssertion();
      return [first === second, first === third, first === fourth];
    """
    assert await act(body) == [True, True, False]


async def test_step_5_a_failure_is_not_stored(act: Act) -> None:
    body = """
      const pc = asserting(proxy(`self.tried = (self.tried ?? 0) + 1;
        if (self.tried === 1) throw new RTCError({ errorDetail: "idp-need-login" });
        return { idp: { domain: "x" }, assertion: "now" }`));
      const first = await caught(pc.getIdentityAssertion());
      return [first.detail, JSON.parse(atob(await pc.getIdentityAssertion())).assertion];
    """
    assert await act(body) == ["idp-need-login", "now"]


async def test_step_5_the_failure_of_a_provider_that_was_replaced_changes_nothing(act: Act) -> None:
    body = """
      const pc = asserting(proxy(`await new Promise((resolve) => setTimeout(resolve, 100));
        throw Object.assign(new Error(), { idpLoginUrl: "https://idp.example/login", idpErrorInfo: "info" })`));
      const old = caught(pc.getIdentityAssertion());
      await soon(old);
      pc.setIdentityProvider(value);
      const stored = await pc.getIdentityAssertion();
      const { detail } = await old;
      return [detail, pc.idpLoginUrl, pc.idpErrorInfo, (await pc.getIdentityAssertion()) === stored];
    """
    assert await act(body) == ["idp-need-login", None, None, True]


async def test_step_6_json_in_base64_at_session_level(act: Act, provider: HostileProvider) -> None:
    body = """
      const { type, sdp } = await offerOf({ usernameHint: "jürgen" });
      const [session] = sdp.split("m=");
      const octets = Uint8Array.from(atob(identityOf(session)), (character) => character.charCodeAt(0));
      const { idp, assertion } = JSON.parse(new TextDecoder().decode(octets));
      return { type, count: sdp.split("a=identity:").length - 1, idp, name: JSON.parse(assertion).name };
    """
    assert await act(body) == {
        "type": "offer",
        "count": 1,
        "idp": {"domain": provider.domain, "protocol": "default"},
        "name": "jürgen",
    }


@pytest.mark.parametrize("method", ["createOffer", "createAnswer"])
async def test_failure_is_a_newly_created_operation_error(method: str, act: Act) -> None:
    body = """
      const pc = asserting(proxy("throw new Error('no')"));
      if ("METHOD" === "createAnswer") await pc.setRemoteDescription(await offering().createOffer());
      return caught(pc.METHOD());
    """
    failure = await act(body.replace("METHOD", method))
    assert (failure["name"], failure["isPlain"]) == ("OperationError", True)
    assert failure["cause"] == "idp-execution-failure"


async def test_6_1_a_login_is_asked_for(act: Act) -> None:
    """How it goes on, with a person and a window, is tests/browser/test_identity_provider_and_shim.py."""
    body = """
      const pc = asserting(proxy(`throw Object.assign(new RTCError({ errorDetail: "idp-need-login" }, "sign in"),
        { idpLoginUrl: "https://idp.example/login", idpErrorInfo: "info" })`));
      const before = [pc.idpLoginUrl, pc.idpErrorInfo];
      const { detail, loginUrl } = await caught(pc.getIdentityAssertion());
      return { before, detail, loginUrl, after: [pc.idpLoginUrl, pc.idpErrorInfo] };
    """
    url = "https://idp.example/login"
    expected = {"before": [None, None], "detail": "idp-need-login", "loginUrl": url, "after": [url, "info"]}
    assert await act(body) == expected


async def test_6_1_the_older_constructor_of_rtc_error(act: Act) -> None:
    body = """
      const pc = asserting(proxy(`throw Object.assign(new RTCError("idp-need-login"), { idpLoginUrl: self.origin })`));
      return (await caught(pc.getIdentityAssertion())).detail;
    """
    assert await act(body) == "idp-need-login"
