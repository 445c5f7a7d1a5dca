"""Sections 9.7 to 9.9: creating an offer and an answer, setting a remote description."""

from __future__ import annotations

import pytest

from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium


async def test_9_7_an_offer_is_created_in_two_states_only(act: Act) -> None:
    body = """
      const pc = asserting();
      const stable = (await pc.createOffer()).type;
      await pc.setLocalDescription();
      const offered = (await pc.createOffer()).type;
      const other = asserting();
      await other.setRemoteDescription(await offering().createOffer());
      const remote = (await caught(other.createOffer())).name;
      other.close();
      return [stable, offered, remote, (await caught(other.createOffer())).name];
    """
    assert await act(body) == ["offer", "offer", "InvalidStateError", "InvalidStateError"]


async def test_9_7_the_request_begins_once(act: Act) -> None:
    """ "If it has not already begun." """
    body = """
      const pc = asserting(proxy(`self.asked = (self.asked ?? 0) + 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { idp: { domain: "x" }, assertion: JSON.stringify(self.asked) }`));
      const early = pc.getIdentityAssertion();
      const offers = [pc.createOffer(), pc.createOffer()];
      return [read(await early), ...(await Promise.all(offers)).map(({ sdp }) => read(identityOf(sdp)))];
    """
    assert await act(body) == [1, 1, 1]


async def test_9_7_the_offer_says_what_the_connection_is_when_the_assertion_has_come(act: Act) -> None:
    body = """
      const pc = asserting();
      const offer = pc.createOffer();
      pc.addTransceiver("video");
      return (await offer).sdp.match(/^m=\\w+/gm);
    """
    assert await act(body) == ["m=audio", "m=video"]


@pytest.mark.parametrize("old", ["return { idp: { domain: 'x' }, assertion: '{}' }", "throw new Error('no')"])
@pytest.mark.parametrize("create", ["createOffer", "createAnswer", "setLocalDescription"])
async def test_9_7_and_9_8_the_provider_is_part_of_the_system_state(create: str, old: str, act: Act) -> None:
    """ "Currently configured": when the description is there, not when it was asked for."""
    body = """
      const pc = asserting(proxy(`await new Promise((resolve) => setTimeout(resolve, 100)); OLD`));
      if ("CREATE" === "createAnswer") await pc.setRemoteDescription(await offering().createOffer());
      const created = pc.CREATE();
      await soon(created);
      pc.setIdentityProvider(value, { usernameHint: "new" });
      const { sdp } = (await created) ?? pc.localDescription;
      return [read(identityOf(sdp)).name, sdp.split("a=identity:").length - 1];
    """
    assert await act(body.replace("OLD", old).replace("CREATE", create)) == ["new", 1]


async def test_9_7_a_first_provider_that_is_set_meanwhile_counts(act: Act) -> None:
    body = """
      const pc = offering();
      const offer = pc.createOffer();
      pc.setIdentityProvider(value);
      return read(identityOf((await offer).sdp)).name;
    """
    assert await act(body) == "user"


async def test_9_7_and_9_8_the_descriptions_that_are_set_have_it_too(act: Act) -> None:
    body = """
      const [a, b] = [asserting({ usernameHint: "a" }), new RTCPeerConnection()];
      b.setIdentityProvider(value, { usernameHint: "b" });
      await a.setLocalDescription();
      await b.setRemoteDescription(a.localDescription);
      await b.setLocalDescription();
      await a.setRemoteDescription(b.localDescription);
      const name = ({ sdp }) => read(identityOf(sdp)).name;
      const said = (pc) => [name(pc.localDescription), name(pc.currentRemoteDescription)];
      return [said(a), said(b), a.localDescription === a.localDescription, a.pendingLocalDescription];
    """
    assert await act(body) == [["a", "b"], ["b", "a"], True, None]


async def test_9_8_an_answer_is_created_in_two_states_only(act: Act) -> None:
    body = """
      const pc = asserting();
      const stable = (await caught(pc.createAnswer())).name;
      await pc.setLocalDescription();
      const offered = (await caught(pc.createAnswer())).name;
      const other = asserting();
      await other.setRemoteDescription(await offering().createOffer());
      const { sdp } = await other.createAnswer();
      await other.setLocalDescription({ type: "pranswer", sdp });
      const { type } = await other.createAnswer();
      other.close();
      return [stable, offered, sdp.includes("a=identity:"), type, (await caught(other.createAnswer())).name];
    """
    refused = "InvalidStateError"
    assert await act(body) == [refused, refused, True, "answer", refused]


async def test_9_9_without_a_target_validation_is_not_awaited(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(await offerOf(validator("await new Promise(() => {})")));
      return [pc.signalingState, await soon(pc.peerIdentity)];
    """
    assert await act(body) == ["have-remote-offer", "pending"]


async def test_9_9_with_a_target_nothing_is_applied_before_it_is_validated(act: Act) -> None:
    body = """
      const slow = validator(`await new Promise((resolve) => setTimeout(resolve, 200));
        return { identity: "user@idp.localhost", contents: JSON.parse(assertion).contents }`);
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      const set = pc.setRemoteDescription(await offerOf(slow));
      const early = [await soon(set), pc.signalingState];
      await set;
      return [...early, pc.signalingState, (await soon(pc.peerIdentity)).name];
    """
    assert await act(body) == ["pending", "stable", "have-remote-offer", "user@idp.localhost"]


@pytest.mark.parametrize(
    ("target", "name"),
    [("alice@idp.localhost", "alice"), ("alice@IDP.localhost", "alice"), ("Alice@idp.localhost", "Alice")],
)
async def test_9_9_the_configured_target(target: str, name: str, act: Act) -> None:
    """A host is compared without regard to case, a user exactly (RFC 8827, Section 8.1)."""
    body = """
      const set = async (usernameHint) => {
        const pc = new RTCPeerConnection({ peerIdentity: "TARGET" });
        return (await caught(pc.setRemoteDescription(await offerOf({ usernameHint })))).name ?? "set";
      };
      return Object.fromEntries(await Promise.all(["alice", "Alice", "eve"].map(async (n) => [n, await set(n)])));
    """
    outcome = dict.fromkeys(["alice", "Alice", "eve"], "OperationError") | {name: "set"}
    assert await act(body.replace("TARGET", target)) == outcome


async def test_9_9_with_a_target_a_description_without_identity_is_refused(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      const { name, isPlain } = await caught(pc.setRemoteDescription(await offering().createOffer()));
      return [name, isPlain, pc.signalingState];
    """
    assert await act(body) == ["OperationError", True, "stable"]


async def test_9_9_without_a_target_a_description_without_identity_says_nothing(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(await offering().createOffer());
      return soon(pc.peerIdentity);
    """
    assert await act(body) == "pending"


async def test_9_9_an_identity_that_was_validated_is_the_target(act: Act) -> None:
    """Renegotiation: the same peer goes on, another one and an anonymous one are refused; the promise stays."""
    body = """
      const pc = new RTCPeerConnection();
      await pc.setRemoteDescription(await offerOf());
      const first = await pc.peerIdentity;
      const set = async (offer) => (await caught(pc.setRemoteDescription(offer))).name ?? "set";
      const again = await set(await offerOf());
      const other = await set(await offerOf({ usernameHint: "eve" }));
      const none = await set(await offering().createOffer());
      const change = thrown(() => pc.setConfiguration({ peerIdentity: "eve@idp.localhost" }));
      return [again, other, none, change, (await pc.peerIdentity) === first];
    """
    refused = "OperationError"
    assert await act(body) == ["set", refused, refused, "InvalidModificationError", True]


async def test_9_9_a_target_that_appears_during_a_validation_counts(act: Act) -> None:
    """Neither description was waited for; the second peer does not take the first one's place."""
    body = """
      const slow = (name) => validator(`await new Promise((resolve) => setTimeout(resolve, 30));
        return { identity: "${name}@idp.localhost", contents: JSON.parse(assertion).contents }`);
      const pc = new RTCPeerConnection();
      const offers = [await offerOf(slow("alice")), await offerOf(slow("eve"))];
      for (const offer of offers) await pc.setRemoteDescription(offer);
      const { name } = await pc.peerIdentity;
      await new Promise((resolve) => setTimeout(resolve, 60));
      return [name, (await pc.peerIdentity).name];
    """
    assert await act(body) == ["alice@idp.localhost", "alice@idp.localhost"]


async def test_9_9_a_description_that_cannot_be_applied_says_nothing_about_the_peer(act: Act) -> None:
    body = """
      const { sdp } = await offerOf();
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      const failure = await caught(pc.setRemoteDescription({ type: "answer", sdp }));
      await pc.setRemoteDescription({ type: "offer", sdp });
      return [failure.name, (await pc.peerIdentity).name];
    """
    assert await act(body) == ["InvalidStateError", "user@idp.localhost"]


async def test_operations_wait_for_their_turn(act: Act) -> None:
    body = """
      const offer = await offerOf();
      const pc = new RTCPeerConnection({ peerIdentity: "user@IDP.localhost" });
      pc.setRemoteDescription(offer);
      const answer = pc.createAnswer();
      pc.setLocalDescription();
      await answer;
      await pc.addIceCandidate();
      return [(await answer).type, pc.signalingState];
    """
    assert await act(body) == ["answer", "stable"]


async def test_a_rollback_has_no_identity_to_validate(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      await pc.setRemoteDescription(await offerOf());
      await pc.setRemoteDescription({ type: "rollback" });
      return pc.signalingState;
    """
    assert await act(body) == "stable"


async def test_an_sdp_that_changes_when_read_again_is_read_once(act: Act) -> None:
    body = """
      const offer = await offerOf();
      const other = await offering().createOffer();
      let reads = 0;
      const changing = { type: "offer", get sdp() { reads += 1; return reads === 1 ? offer.sdp : other.sdp; } };
      const pc = new RTCPeerConnection({ peerIdentity: "user@idp.localhost" });
      await pc.setRemoteDescription(changing);
      const origin = (sdp) => /o=.*/.exec(sdp)[0];
      return origin(pc.remoteDescription.sdp) === origin(offer.sdp);
    """
    assert await act(body) is True


async def test_callbacks_from_before_promises(act: Act) -> None:
    body = """
      const pc = asserting();
      const offer = await new Promise((resolve, reject) => { pc.createOffer(resolve, reject); });
      await new Promise((resolve, reject) => { pc.setLocalDescription(offer, resolve, reject); });
      const failure = await new Promise((resolve) => { pc.createAnswer(() => {}, resolve); });
      return [offer.sdp.includes("a=identity:"), pc.signalingState, failure.name];
    """
    assert await act(body) == [True, "have-local-offer", "InvalidStateError"]


async def test_calls_without_identity_are_as_before(act: Act) -> None:
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
