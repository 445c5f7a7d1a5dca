"""webrtc-identity's interfaces and algorithms on RTCPeerConnection, with an IdP proxy that says what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.identity_pages.acting import run
from tests.browser.identity_pages.servers import HostileProvider, Server, page_site

pytestmark = pytest.mark.chromium

# An assertion is not signed here: it repeats what was asked. `usernameHint` chooses what happens; one that starts with
# "=" is the whole name.
PROXY = """
let asked = 0;
rtcIdentityProvider.register({
  async generateAssertion(contents, origin, options) {
    if (options.usernameHint === "login") {
      const members = { errorDetail: "idp-need-login", idpLoginUrl: "https://idp.example/login", idpErrorInfo: "info" };
      throw Object.assign(new Error("sign in"), members);
    }
    asked += 1;
    const name = options.usernameHint ?? "user";
    const idp = { domain: location.host };
    return { idp, assertion: JSON.stringify({ contents, origin, options, name, asked }) };
  },
  async validateAssertion(assertion) {
    const { contents, name } = JSON.parse(assertion);
    return { identity: name.startsWith("=") ? name.slice(1) : `${name}@${location.hostname}`, contents };
  },
});
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, HostileProvider]]:
    with page_site() as site, HostileProvider("idp.localhost") as provider:
        provider.serves_script(PROXY)
        yield site, provider


@pytest.fixture(scope="module")
async def page(browser: Browser, servers: tuple[Server, HostileProvider]) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.goto(servers[0].origin)
    yield page
    await page.context.close()


@pytest.fixture
def act(page: Page, servers: tuple[Server, HostileProvider]) -> Any:
    async def act(body: str) -> Any:
        return await run(page, READ + body, servers[1].domain)

    return act


READ = """
  const read = (identity) => JSON.parse(JSON.parse(atob(identity)).assertion);
  const identityOf = (sdp) => /a=identity:(\\S+)/.exec(sdp)[1];
  const asserting = (options, configuration) => {
    const pc = offering(configuration);
    pc.setIdentityProvider(value, options);
    return pc;
  };
"""


async def test_members_are_those_of_the_idl(act: Any) -> None:
    body = """
      const shape = (name) => {
        const member = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, name);
        const { get, set, value: method } = member;
        return [name, member.enumerable, method ? method.length : [typeof get, typeof set].join()];
      };
      return ["setIdentityProvider", "getIdentityAssertion", "peerIdentity", "idpLoginUrl", "idpErrorInfo"].map(shape);
    """
    assert await act(body) == [
        ["setIdentityProvider", True, 1],
        ["getIdentityAssertion", True, 0],
        ["peerIdentity", True, "function,undefined"],
        ["idpLoginUrl", True, "function,undefined"],
        ["idpErrorInfo", True, "function,undefined"],
    ]


async def test_changed_members_keep_their_shape(act: Any) -> None:
    body = """
      const names = ["createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription", "addIceCandidate",
        "setConfiguration", "getConfiguration"];
      const { prototype } = RTCPeerConnection;
      return names.map((name) => [prototype[name].name, prototype[name].length]);
    """
    assert await act(body) == [
        ["createOffer", 0],
        ["createAnswer", 0],
        ["setLocalDescription", 0],
        ["setRemoteDescription", 1],
        ["addIceCandidate", 0],
        ["setConfiguration", 0],
        ["getConfiguration", 0],
    ]


async def test_the_constructor_is_still_the_interface(act: Any) -> None:
    body = """
      class Derived extends RTCPeerConnection {}
      const pc = new RTCPeerConnection();
      return [
        pc instanceof RTCPeerConnection, new Derived() instanceof Derived, pc.constructor === RTCPeerConnection,
        RTCPeerConnection === webkitRTCPeerConnection, RTCPeerConnection.name, RTCPeerConnection.length, String(pc),
        typeof RTCPeerConnection.generateCertificate,
      ];
    """
    assert await act(body) == [True, True, True, True, "RTCPeerConnection", 0, "[object RTCPeerConnection]", "function"]


async def test_illegal_invocations(act: Any) -> None:
    body = """
      const { prototype } = RTCPeerConnection;
      const thrown = (action) => { try { action(); } catch (error) { return error.name; } };
      return [
        (await caught(prototype.peerIdentity)).name, (await caught(prototype.getIdentityAssertion.call({}))).name,
        (await caught(prototype.createOffer.call({}))).name, thrown(() => prototype.idpLoginUrl),
        thrown(() => prototype.setIdentityProvider.call({}, "x")), thrown(() => offering().setIdentityProvider()),
        thrown(() => offering().setIdentityProvider("x", 5)),
      ];
    """
    assert await act(body) == ["TypeError"] * 7


async def test_peer_identity_in_the_configuration(act: Any) -> None:
    body = """
      const thrown = (action) => { try { action(); return "nothing"; } catch (error) { return error.name; } };
      const peerIdentity = { toString() { throw new RangeError(); } };
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.example" });
      return [
        thrown(() => new RTCPeerConnection({ peerIdentity })), pc.getConfiguration().peerIdentity,
        thrown(() => pc.setConfiguration({ peerIdentity: "bob@idp.example" })), thrown(() => pc.setConfiguration({})),
        thrown(() => pc.setConfiguration({ peerIdentity: "eve@idp.example" })),
        thrown(() => offering().setConfiguration({ peerIdentity: "eve@idp.example" })),
      ];
    """
    assert await act(body) == [
        "RangeError",
        "bob@idp.example",
        "nothing",
        "nothing",
        "InvalidModificationError",
        "InvalidModificationError",
    ]


async def test_set_identity_provider_refuses(act: Any) -> None:
    body = """
      const thrown = (action) => { try { action(); } catch (error) { return error.name; } };
      const closed = new RTCPeerConnection();
      closed.close();
      return [
        thrown(() => closed.setIdentityProvider(value)), (await caught(closed.getIdentityAssertion())).name,
        thrown(() => offering().setIdentityProvider(value, { protocol: "a/b" })),
        thrown(() => offering().setIdentityProvider(value, { protocol: "a\\\\b" })),
        (await caught(offering().getIdentityAssertion())).name,
      ];
    """
    names = await act(body)
    assert names == ["InvalidStateError", "InvalidStateError", "SyntaxError", "SyntaxError", "InvalidStateError"]


async def test_an_assertion_before_there_is_any_media(act: Any, servers: tuple[Server, HostileProvider]) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.example" });
      pc.setIdentityProvider(value, { usernameHint: "alice" });
      const { contents, origin, options } = read(await pc.getIdentityAssertion());
      pc.addTransceiver("audio");
      const { sdp } = await pc.createOffer();
      const { algorithm, digest } = JSON.parse(contents).fingerprint[0];
      return { origin, options, covered: sdp.includes(`a=fingerprint:${algorithm} ${digest}`) };
    """
    assert await act(body) == {
        "origin": servers[0].origin,
        "options": {"protocol": "default", "usernameHint": "alice", "peerIdentity": "bob@idp.example"},
        "covered": True,
    }


async def test_assertions_are_stored_until_the_provider_changes(act: Any) -> None:
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


async def test_login_is_announced_on_the_connection(act: Any) -> None:
    body = """
      const pc = asserting({ usernameHint: "login" });
      const before = [pc.idpLoginUrl, pc.idpErrorInfo];
      const failure = await caught(pc.createOffer());
      const after = [pc.idpLoginUrl, pc.idpErrorInfo];
      pc.setIdentityProvider(value);
      await pc.getIdentityAssertion();
      return { before, detail: failure.detail, cause: failure.cause, after, later: [pc.idpLoginUrl, pc.idpErrorInfo] };
    """
    assert await act(body) == {
        "before": [None, None],
        "detail": None,
        "cause": "idp-need-login",
        "after": ["https://idp.example/login", "info"],
        "later": [None, None],
    }


async def test_create_answer_needs_an_offer(act: Any) -> None:
    assert (await act("return caught(asserting().createAnswer());"))["name"] == "InvalidStateError"


async def test_without_a_target_a_bad_identity_only_rejects_peer_identity(act: Any) -> None:
    body = """
      const { sdp } = await asserting().createOffer();
      const pc = new RTCPeerConnection();
      const first = pc.peerIdentity;
      const wrong = sdp.replace(/(a=fingerprint:\\S+ )../, (_, start) => start + "00");
      await pc.setRemoteDescription({ type: "offer", sdp: wrong });
      const { name, detail } = await caught(first);
      const state = pc.signalingState;
      const renewed = pc.peerIdentity !== first;
      await pc.setRemoteDescription({ type: "offer", sdp });
      return { error: [name, detail], state, renewed, name: (await pc.peerIdentity).name };
    """
    assert await act(body) == {
        "error": ["OperationError", None],
        "state": "have-remote-offer",
        "renewed": True,
        "name": "user@idp.localhost",
    }


async def test_a_validated_identity_becomes_the_target(act: Any) -> None:
    body = """
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(await asserting().createOffer());
      const first = await pc.peerIdentity;
      const other = await caught(pc.setRemoteDescription(await asserting({ usernameHint: "eve" }).createOffer()));
      const none = await caught(pc.setRemoteDescription(await offering().createOffer()));
      return [other.name, none.name, (await pc.peerIdentity) === first];
    """
    assert await act(body) == ["OperationError", "OperationError", True]


@pytest.mark.parametrize(
    "name",
    [
        "user@other.localhost",
        "user@sub.idp.localhost",
        "user@idp.localhost.evil.example",
        "user",
        "@idp.localhost",
        "user@evil@idp.localhost",
        "user@",
        "us er@idp.localhost",
        "user\\u202e@idp.localhost",
        "user\\u200b@idp.localhost",
        "x" * 1100 + "@idp.localhost",
    ],
)
async def test_names_that_the_provider_has_no_say_over(name: str, act: Any) -> None:
    body = """
      const pc = new RTCPeerConnection();
      const peer = pc.peerIdentity;
      await pc.setRemoteDescription(await asserting({ usernameHint: "=NAME" }).createOffer());
      const { name, isPlain } = await caught(peer);
      return [name, isPlain];
    """
    assert await act(body.replace("NAME", name)) == ["OperationError", True]


async def test_a_malformed_identity_rejects_peer_identity(act: Any) -> None:
    body = """
      const { sdp } = await asserting().createOffer();
      const pc = new RTCPeerConnection();
      const peer = pc.peerIdentity;
      await pc.setRemoteDescription({ type: "offer", sdp: sdp.replace(/(a=identity:\\S+)/, "$1\\r\\n$1") });
      const { name, isPlain } = await caught(peer);
      return [name, isPlain];
    """
    assert await act(body) == ["OperationError", True]


async def test_a_description_that_cannot_be_applied_says_nothing_about_the_peer(act: Any) -> None:
    body = """
      const { sdp } = await asserting().createOffer();
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      const failure = await caught(pc.setRemoteDescription({ type: "answer", sdp }));
      await pc.setRemoteDescription({ type: "offer", sdp });
      return [failure.name, (await pc.peerIdentity).name];
    """
    assert await act(body) == ["InvalidStateError", "user@idp.localhost"]


async def test_operations_wait_for_their_turn(act: Any) -> None:
    body = """
      const offer = await asserting().createOffer();
      const pc = new RTCPeerConnection({ peerIdentity: "user@IDP.localhost" });
      pc.setRemoteDescription(offer);
      const answer = pc.createAnswer();
      pc.setLocalDescription();
      await answer;
      await pc.addIceCandidate();
      return [(await answer).type, pc.signalingState];
    """
    assert await act(body) == ["answer", "stable"]


async def test_an_sdp_that_changes_when_read_again_is_read_once(act: Any) -> None:
    body = """
      const offer = await asserting().createOffer();
      const other = await offering().createOffer();
      let reads = 0;
      const changing = { type: "offer", get sdp() { reads += 1; return reads === 1 ? offer.sdp : other.sdp; } };
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      await pc.setRemoteDescription(changing);
      const origin = (sdp) => /o=.*/.exec(sdp)[0];
      return origin(pc.remoteDescription.sdp) === origin(offer.sdp);
    """
    assert await act(body) is True


async def test_callbacks_from_before_promises(act: Any) -> None:
    body = """
      const pc = asserting();
      const offer = await new Promise((resolve, reject) => { pc.createOffer(resolve, reject); });
      await new Promise((resolve, reject) => { pc.setLocalDescription(offer, resolve, reject); });
      const failure = await new Promise((resolve) => { pc.createAnswer(() => {}, resolve); });
      return [offer.sdp.includes("a=identity:"), pc.signalingState, failure.name];
    """
    assert await act(body) == [True, "have-local-offer", "InvalidStateError"]


async def test_calls_without_identity_are_as_before(act: Any) -> None:
    body = """
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
      a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
      b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
      const received = new Promise((resolve) => {
        b.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => resolve(data); };
      });
      const channel = a.createDataChannel("x");
      channel.onopen = () => channel.send("hello");
      await a.setLocalDescription();
      await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription();
      await a.setRemoteDescription(b.localDescription);
      return received;
    """
    assert await act(body) == "hello"


async def test_rtc_identity_assertion(act: Any) -> None:
    body = """
      const assertion = new RTCIdentityAssertion("idp.example", "user@idp.example");
      const thrown = (action) => { try { action(); } catch (error) { return error.name; } };
      const { idp, name } = assertion;
      assertion.name = 5;
      return [idp, name, assertion.name, String(assertion), RTCIdentityAssertion.length,
        thrown(() => new RTCIdentityAssertion("x")), thrown(() => RTCIdentityAssertion.prototype.idp),
        Object.keys(RTCIdentityAssertion.prototype)];
    """
    assert await act(body) == [
        "idp.example",
        "user@idp.example",
        "5",
        "[object RTCIdentityAssertion]",
        2,
        "TypeError",
        "TypeError",
        ["idp", "name"],
    ]
