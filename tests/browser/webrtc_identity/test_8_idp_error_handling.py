"""Section 8: each error detail, the time limit, and which promise each error rejects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from perc_server.certificates import demo_certificates
from tests.browser.identity_pages.servers import HostileProvider
from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium

EXECUTION_FAILURE = "idp-execution-failure"


async def test_idp_load_failure_without_a_status(act: Act) -> None:
    """A page cannot see the status of what it loads from elsewhere."""
    body = """
      const error = await asserting({ protocol: "absent" }).getIdentityAssertion().catch((error) => error);
      return [error instanceof RTCError, error.errorDetail, error.httpRequestStatusCode];
    """
    assert await act(body) == [True, "idp-load-failure", None]


@pytest.mark.parametrize(
    "domain", ["", "a b", "user@idp.example", "idp.example/x", "idp.example:0x50", "-idp.example", "[::1]"]
)
async def test_idp_load_failure_of_what_is_no_domain(domain: str, act: Act) -> None:
    body = """
      const pc = offering();
      pc.setIdentityProvider("DOMAIN");
      return (await caught(pc.getIdentityAssertion())).detail;
    """
    assert await act(body.replace("DOMAIN", domain)) == "idp-load-failure"


@pytest.mark.parametrize(
    "script", ["this is not JavaScript", "throw new Error('no');", "rtcIdentityProvider.register({})"]
)
async def test_idp_bad_script_failure(script: str, act: Act) -> None:
    body = "return (await caught(asserting(scripted(`SCRIPT`)).getIdentityAssertion())).detail;"
    assert await act(body.replace("SCRIPT", script)) == "idp-bad-script-failure"


@pytest.mark.parametrize("failure", ["throw new Error('x')", "throw 5", "return Promise.reject()", "null.x"])
async def test_idp_execution_failure(failure: str, act: Act) -> None:
    body = "return (await caught(asserting(proxy(`FAILURE`)).getIdentityAssertion())).detail;"
    assert await act(body.replace("FAILURE", failure)) == EXECUTION_FAILURE


@pytest.mark.parametrize("detail", ["idp-token-expired", "idp-token-invalid"])
async def test_details_that_a_proxy_decides_about(detail: str, act: Act) -> None:
    body = """
      const options = validator(`throw new RTCError({ errorDetail: "DETAIL" }, "no")`);
      const pc = new RTCPeerConnection();
      const peer = pc.peerIdentity;
      await pc.setRemoteDescription(await offerOf(options));
      return (await caught(peer)).detail;
    """
    assert await act(body.replace("DETAIL", detail)) == detail


@pytest.mark.parametrize("detail", ["idp-load-failure", "idp-timeout", "idp-tls-failure", "dtls-failure", "other"])
async def test_details_that_a_proxy_has_no_say_about(detail: str, act: Act) -> None:
    body = """
      const options = proxy(`throw new RTCError({ errorDetail: "DETAIL" }, "no")`);
      return (await caught(asserting(options).getIdentityAssertion())).detail;
    """
    assert await act(body.replace("DETAIL", detail)) == EXECUTION_FAILURE


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "not a URL"])
async def test_idp_need_login_leads_to_web_pages_only(url: str, act: Act) -> None:
    body = """
      const pc = asserting(proxy(`throw Object.assign(new Error(), { idpLoginUrl: "URL" })`));
      return [(await caught(pc.getIdentityAssertion())).detail, pc.idpLoginUrl];
    """
    assert await act(body.replace("URL", url)) == [EXECUTION_FAILURE, None]


@pytest.mark.parametrize("hanging", ["await new Promise(() => {})", "for (;;);"])
async def test_idp_timeout_after_15_seconds(hanging: str, act: Act) -> None:
    """The page's clock is turned on: what would be 15 s are 1.5."""
    body = """
      const { timeout } = AbortSignal;
      const limits = new Set();
      AbortSignal.timeout = (limit) => { limits.add(limit); return timeout.call(AbortSignal, limit / 10); };
      try {
        const { detail } = await caught(asserting(proxy("HANGING")).getIdentityAssertion());
        return { detail, limits: [...limits] };
      } finally {
        AbortSignal.timeout = timeout;
      }
    """
    assert await act(body.replace("HANGING", hanging)) == {"detail": "idp-timeout", "limits": [15000]}


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileProvider]:
    """A provider whose certificate no browser trusts."""
    certificate = demo_certificates(tmp_path_factory.mktemp("tls"), "idp.example").media_distributor
    with HostileProvider("127.0.0.1", certificate) as provider:
        provider.serves_script("rtcIdentityProvider.register({ generateAssertion() {}, validateAssertion() {} });")
        yield provider


async def test_idp_tls_failure_looks_to_a_page_like_any_other_failure_to_load(
    act: Act, untrusted: HostileProvider
) -> None:
    body = """
      const pc = offering();
      pc.setIdentityProvider("DOMAIN");
      return (await caught(pc.getIdentityAssertion())).detail;
    """
    assert await act(body.replace("DOMAIN", untrusted.domain)) == "idp-load-failure"


@pytest.mark.parametrize("method", ["createOffer", "createAnswer", "getIdentityAssertion"])
async def test_which_promise_an_error_in_generation_rejects(method: str, act: Act) -> None:
    body = """
      const pc = asserting(proxy("throw new Error('no')"));
      if ("METHOD" === "createAnswer") await pc.setRemoteDescription(await offering().createOffer());
      const { detail, cause } = await caught(pc.METHOD());
      return [detail ?? cause, await soon(pc.peerIdentity)];
    """
    assert await act(body.replace("METHOD", method)) == [EXECUTION_FAILURE, "pending"]


@pytest.mark.parametrize(("target", "applied"), [("undefined", True), ('"user@idp.localhost"', False)])
async def test_which_promise_an_error_in_validation_rejects(target: str, applied: bool, act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: TARGET });
      const peer = pc.peerIdentity;
      const set = await caught(pc.setRemoteDescription(await offerOf(validator("throw new Error('no')"))));
      return [set.detail ?? "none", pc.signalingState, (await caught(peer)).detail];
    """
    outcome = ["none", "have-remote-offer"] if applied else [EXECUTION_FAILURE, "stable"]
    assert await act(body.replace("TARGET", target)) == [*outcome, EXECUTION_FAILURE]


async def test_idp_error_info_of_generation_and_of_validation(act: Act) -> None:
    body = """
      const failing = "throw Object.assign(new Error(), { idpErrorInfo: 'bar' })";
      const asking = asserting(proxy(failing));
      await caught(asking.getIdentityAssertion());
      const validating = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      await caught(validating.setRemoteDescription(await offerOf(validator(failing))));
      return [asking.idpErrorInfo, validating.idpErrorInfo];
    """
    assert await act(body) == ["bar", "bar"]


async def test_idp_error_info_is_bounded(act: Act) -> None:
    body = """
      const pc = asserting(proxy("throw Object.assign(new Error('x'.repeat(1e6)), { idpErrorInfo: 'x'.repeat(1e6) })"));
      const { message } = await caught(pc.getIdentityAssertion());
      return [message.length, pc.idpErrorInfo.length];
    """
    assert await act(body) == [1000, 1000]


async def test_errors_are_forgotten_when_a_request_begins_anew(act: Act) -> None:
    body = """
      const pc = asserting(proxy(`throw Object.assign(new Error(), { idpLoginUrl: "https://x/", idpErrorInfo: "y" })`));
      await caught(pc.getIdentityAssertion());
      const before = [pc.idpLoginUrl, pc.idpErrorInfo];
      pc.setIdentityProvider(value);
      await pc.getIdentityAssertion();
      return [before, [pc.idpLoginUrl, pc.idpErrorInfo]];
    """
    assert await act(body) == [["https://x/", "y"], [None, None]]
