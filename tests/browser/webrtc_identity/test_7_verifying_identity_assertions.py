"""Section 7: identity validation, step by step."""

from __future__ import annotations

import pytest

from tests.browser.identity_pages.servers import HostileProvider, Server
from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium

PEER = """
  const pc = new RTCPeerConnection();
  const peer = pc.peerIdentity;
"""
FAILED = "const { name, isPlain, detail } = await caught(peer); return [name, isPlain, detail];"
OPERATION_ERROR = ["OperationError", True, None]


async def test_step_1_one_validation_at_a_time(act: Act) -> None:
    """The second begins when the first has ended, though setRemoteDescription did not wait for the first."""
    body = """
      const options = validator(`self.running = (self.running ?? 0) + 1;
        if (self.running > 1) throw new Error("at once");
        await new Promise((resolve) => setTimeout(resolve, 30));
        self.running -= 1;
        const said = JSON.parse(assertion);
        return { identity: "user@idp.localhost", contents: said.contents };`);
      const offers = [await offerOf(options), await offerOf(options)];
      const pc = new RTCPeerConnection();
      for (const offer of offers) await pc.setRemoteDescription(offer);
      return [(await pc.peerIdentity).name, await soon(caught(pc.setRemoteDescription(await offerOf(options))))];
    """
    name, third = await act(body)
    assert name == "user@idp.localhost"
    assert third == "pending" or "value" in third


@pytest.mark.parametrize(
    "change",
    [
        'sdp.replace(/(a=identity:\\S+)/, "$1\\r\\n$1")',
        'sdp.replace(/a=identity:\\S+/, "a=identity:%%%")',
        'sdp.replace(/a=identity:\\S+/, `a=identity:${btoa("no JSON")}`)',
        "edited(sdp, () => 5)",
        "edited(sdp, ({ idp }) => ({ idp }))",
        "edited(sdp, ({ assertion }) => ({ assertion }))",
        "edited(sdp, ({ idp, assertion }) => ({ idp: {}, assertion }))",
        "edited(sdp, ({ idp }) => ({ idp, assertion: 5 }))",
        "edited(sdp, ({ idp, assertion }) => ({ idp: { ...idp, protocol: 'a/b' }, assertion }))",
        "edited(sdp, ({ idp, assertion }) => ({ idp: { ...idp, protocol: 'a\\\\b' }, assertion }))",
        "edited(sdp, (whole) => ({ ...whole, padding: 'x'.repeat(30000) }))",
    ],
)
async def test_step_2_a_malformed_assertion_fails(change: str, act: Act) -> None:
    body = f"""
      const {{ sdp }} = await offerOf();
      {PEER}
      await pc.setRemoteDescription({{ type: "offer", sdp: CHANGE }});
      {FAILED}
    """
    assert await act(body.replace("CHANGE", change)) == OPERATION_ERROR


async def test_step_2_the_protocol_is_optional(act: Act) -> None:
    body = f"""
      const {{ sdp }} = await offerOf();
      {PEER}
      const changed = edited(sdp, ({{ idp: {{ domain }}, assertion }}) => ({{ idp: {{ domain }}, assertion }}));
      await pc.setRemoteDescription({{ type: "offer", sdp: changed }});
      return (await peer).name;
    """
    assert await act(body) == "user@idp.localhost"


async def test_step_3_a_provider_that_cannot_be_loaded_fails(act: Act) -> None:
    body = f"""
      const {{ sdp }} = await offerOf();
      {PEER}
      const absent = edited(sdp, (a) => ({{ ...a, idp: {{ ...a.idp, protocol: "absent" }} }}));
      await pc.setRemoteDescription({{ type: "offer", sdp: absent }});
      return (await caught(peer)).detail;
    """
    assert await act(body) == "idp-load-failure"


# Steps 4 and 5, what validateAssertion is given and may return, are with Section 5.


async def test_step_6_an_error_of_the_proxy_fails(act: Act) -> None:
    body = f"""
      const offer = await offerOf(validator("throw new Error('no')"));
      {PEER}
      await pc.setRemoteDescription(offer);
      return (await caught(peer)).detail;
    """
    assert await act(body) == "idp-execution-failure"


@pytest.mark.parametrize(
    "result",
    ["null", "'x'", "{}", "{ identity: 'user@idp.localhost' }", "{ contents: '{}' }", "{ identity: 5, contents: 5 }"],
)
async def test_step_6_what_is_no_result_fails(result: str, act: Act) -> None:
    body = f"""
      const offer = await offerOf(validator("return RESULT"));
      {PEER}
      await pc.setRemoteDescription(offer);
      {FAILED}
    """
    assert await act(body.replace("RESULT", result)) == OPERATION_ERROR


@pytest.mark.parametrize(
    "contents",
    [
        '"bogus"',
        '"5"',
        '"{}"',
        '`{"fingerprint":[]}`',
        '`{"fingerprint":[5]}`',
        'said.contents.replace(/"digest":"../, \'"digest":"XX\')',
        'said.contents.replace("sha-256", "sha-512")',
    ],
)
async def test_step_8_each_fingerprint_has_to_be_covered(contents: str, act: Act) -> None:
    body = f"""
      const validate = String.raw`const said = JSON.parse(assertion);
        return {{ identity: "user@idp.localhost", contents: ${{CONTENTS}} }};`;
      const offer = await offerOf(validator(validate));
      {PEER}
      await pc.setRemoteDescription(offer);
      {FAILED}
    """
    quoted = "'" + contents.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert await act(body.replace("CONTENTS", quoted)) == OPERATION_ERROR


@pytest.mark.parametrize("level", ["session", "media"])
async def test_step_8_one_fingerprint_more_in_the_description(level: str, act: Act) -> None:
    body = f"""
      const {{ sdp }} = await offerOf();
      {PEER}
      const more = `a=fingerprint:sha-256 ${{Array(32).fill("00").join(":")}}\\r\\n`;
      const changed = "LEVEL" === "media" ? sdp + more : sdp.replace("m=", `${{more}}m=`);
      await pc.setRemoteDescription({{ type: "offer", sdp: changed }});
      {FAILED}
    """
    assert await act(body.replace("LEVEL", level)) == OPERATION_ERROR


async def test_step_8_more_fingerprints_may_be_asserted_and_other_members(act: Act) -> None:
    """As of a peer with two certificates. "This allows for future extensions." """
    body = f"""
      const offer = await offerOf(validator(`const {{ contents }} = JSON.parse(assertion);
        const {{ fingerprint }} = JSON.parse(contents);
        const more = {{ algorithm: "SHA-256", digest: fingerprint[0].digest.replace(/^../, "00") }};
        const [{{ algorithm, digest }}] = fingerprint;
        const spelled = {{ algorithm: algorithm.toUpperCase(), digest: digest.toLowerCase() }};
        return {{ identity: "user@idp.localhost",
          contents: JSON.stringify({{ fingerprint: [more, spelled], future: true }}) }};`));
      {PEER}
      await pc.setRemoteDescription(offer);
      return (await peer).name;
    """
    assert await act(body) == "user@idp.localhost"


ANOTHER_TYPE = "the assertion was made for another type"


@pytest.mark.parametrize(
    ("type", "outcome"), [("offer", "user@idp.localhost"), ("answer", ANOTHER_TYPE), (None, ANOTHER_TYPE)]
)
async def test_step_8_in_a_conference_the_assertion_of_an_answer_is_none_of_an_offer(
    type: str | None, outcome: str, act: Act
) -> None:
    """This project's contents: an answer's that names no offer differs from an offer's by its type alone."""
    body = """
      const conference = "https://perc.example/perc/room";
      const signed = "TYPE" === "None" ? { conference } : { conference, type: "TYPE" };
      const { type, sdp } = await offering().createOffer();
      const [, algorithm, digest] = /a=fingerprint:(\\S+) (\\S+)/.exec(sdp);
      const contents = JSON.stringify({ fingerprint: [{ algorithm, digest }], ...signed });
      const result = await (await IdpProxy.load(value)).generateAssertion(contents);
      const line = `a=identity:${btoa(JSON.stringify(result))}\\r\\n`;
      const pc = new RTCPeerConnection();
      bindIdentityContents(pc, { conference });
      const set = await caught(pc.setRemoteDescription({ type, sdp: sdp.replace("m=", `${line}m=`) }));
      return set.message ?? (await pc.peerIdentity).name;
    """
    assert await act(body.replace("TYPE", str(type))) == outcome


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
async def test_step_9_names_that_the_provider_has_no_say_over(name: str, act: Act) -> None:
    body = f"""
      {PEER}
      await pc.setRemoteDescription(await offerOf({{ usernameHint: "=NAME" }}));
      {FAILED}
    """
    assert await act(body.replace("NAME", name)) == OPERATION_ERROR


async def test_step_10_peer_identity_is_resolved(act: Act, provider: HostileProvider) -> None:
    body = f"""
      {PEER}
      await pc.setRemoteDescription(await offerOf({{ usernameHint: "=user@IDP.localhost" }}));
      const assertion = await peer;
      const {{ idp, name }} = assertion;
      return [assertion instanceof RTCIdentityAssertion, pc.peerIdentity === peer, idp, name];
    """
    assert await act(body) == [True, True, provider.domain, "user@idp.localhost"]


async def test_failure_without_a_target_rejects_and_renews_peer_identity(act: Act) -> None:
    body = f"""
      const {{ sdp }} = await offerOf();
      {PEER}
      const wrong = sdp.replace(/(?<=a=fingerprint:sha-256 )../, anotherOctet);
      await pc.setRemoteDescription({{ type: "offer", sdp: wrong }});
      const failure = await caught(peer);
      const state = pc.signalingState;
      const next = pc.peerIdentity;
      const pending = await soon(next);
      await pc.setRemoteDescription({{ type: "offer", sdp }});
      return [failure.name, state, next !== peer, pending, (await next).name];
    """
    expected = ["OperationError", "have-remote-offer", True, "pending", "user@idp.localhost"]
    assert await act(body) == expected


async def test_failure_with_a_target_rejects_both_with_the_same_exception(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.localhost" });
      const peer = pc.peerIdentity;
      const errors = [];
      for (const promise of [pc.setRemoteDescription(await offerOf()), peer]) {
        await promise.catch((error) => errors.push(error));
      }
      return [errors[0] === errors[1], errors[0].name, pc.signalingState, pc.peerIdentity === peer];
    """
    assert await act(body) == [True, "OperationError", "stable", True]


async def test_the_asking_origin_is_the_pages_whoever_shows_it(act: Act, site: Server) -> None:
    """What the page says of itself is of no account."""
    body = "return read(await asserting({ origin: 'https://bank.example' }).getIdentityAssertion()).origin;"
    assert await act(body) == site.origin
