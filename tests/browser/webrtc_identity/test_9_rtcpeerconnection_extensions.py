"""Sections 9.1 to 9.6: what RTCPeerConnection and RTCConfiguration gain, and how it is shaped (Web IDL)."""

from __future__ import annotations

import pytest

from tests.browser.webrtc_identity.conftest import Act

pytestmark = pytest.mark.chromium


async def test_members_are_those_of_the_idl(act: Act) -> None:
    body = """
      const shape = (name) => {
        const member = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, name);
        const { get, set, value: method, enumerable, configurable } = member;
        return [name, enumerable && configurable, method ? method.length : [get.name, typeof set].join()];
      };
      return ["setIdentityProvider", "getIdentityAssertion", "peerIdentity", "idpLoginUrl", "idpErrorInfo"].map(shape);
    """
    assert await act(body) == [
        ["setIdentityProvider", True, 1],
        ["getIdentityAssertion", True, 0],
        ["peerIdentity", True, "get peerIdentity,undefined"],
        ["idpLoginUrl", True, "get idpLoginUrl,undefined"],
        ["idpErrorInfo", True, "get idpErrorInfo,undefined"],
    ]


async def test_changed_members_keep_their_shape(act: Act) -> None:
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


async def test_the_constructor_is_still_the_interface(act: Act) -> None:
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


async def test_illegal_invocations(act: Act) -> None:
    body = """
      const { prototype } = RTCPeerConnection;
      return [
        (await caught(prototype.peerIdentity)).name, (await caught(prototype.getIdentityAssertion.call({}))).name,
        (await caught(prototype.createOffer.call({}))).name, thrown(() => prototype.idpLoginUrl),
        thrown(() => prototype.setIdentityProvider.call({}, "x")), thrown(() => offering().setIdentityProvider()),
        thrown(() => offering().setIdentityProvider("x", 5)),
      ];
    """
    assert await act(body) == ["TypeError"] * 7


async def test_9_1_attributes_begin_unresolved_and_null(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection();
      return [await soon(pc.peerIdentity), pc.peerIdentity === pc.peerIdentity, pc.idpLoginUrl, pc.idpErrorInfo];
    """
    assert await act(body) == ["pending", True, None, None]


async def test_9_2_a_closed_connection_is_refused(act: Act) -> None:
    body = """
      const pc = asserting();
      pc.close();
      return [thrown(() => pc.setIdentityProvider(value)), (await caught(pc.getIdentityAssertion())).name];
    """
    assert await act(body) == ["InvalidStateError", "InvalidStateError"]


@pytest.mark.parametrize("protocol", ["a/b", "a\\\\b", "/", "../x"])
async def test_9_2_a_protocol_with_a_slash_is_refused(protocol: str, act: Act) -> None:
    body = f"""return thrown(() => offering().setIdentityProvider(value, {{ protocol: "{protocol}" }}));"""
    assert await act(body) == "SyntaxError"


async def test_9_2_what_is_refused_changes_nothing(act: Act) -> None:
    body = """
      const pc = asserting({ usernameHint: "alice" });
      thrown(() => pc.setIdentityProvider("idp.example", { protocol: "a/b" }));
      return read(await pc.getIdentityAssertion()).name;
    """
    assert await act(body) == "alice"


async def test_9_2_options_are_read_once_and_as_strings(act: Act) -> None:
    body = """
      let reads = 0;
      const pc = asserting({ get usernameHint() { reads += 1; return 5; }, protocol: undefined });
      return [read(await pc.getIdentityAssertion()).options, reads];
    """
    assert await act(body) == [{"protocol": "default", "usernameHint": "5"}, 1]


async def test_9_2_nothing_is_asked_before_an_assertion_is_needed(act: Act) -> None:
    """What cannot be loaded harms nobody who does not need it."""
    body = """
      const pc = offering();
      pc.setIdentityProvider("nowhere.localhost:1");
      pc.setIdentityProvider(value);
      return read(identityOf((await pc.createOffer()).sdp)).name;
    """
    assert await act(body) == "user"


async def test_9_2_without_a_provider_there_is_no_assertion(act: Act) -> None:
    assert (await act("return caught(offering().getIdentityAssertion());"))["name"] == "InvalidStateError"


async def test_9_3_the_configuration_is_converted(act: Act) -> None:
    body = """
      const peerIdentity = { toString() { throw new RangeError(); } };
      return [thrown(() => new RTCPeerConnection({ peerIdentity })),
        new RTCPeerConnection({ peerIdentity: 5 }).getConfiguration().peerIdentity,
        "peerIdentity" in new RTCPeerConnection().getConfiguration()];
    """
    assert await act(body) == ["RangeError", "5", False]


async def test_9_4_the_configurations_peer_is_the_default_of_the_options(act: Act) -> None:
    body = """
      const configuration = { peerIdentity: "bob@idp.example" };
      const told = async (options) => read(await asserting(options, configuration).getIdentityAssertion()).options;
      return [await told(), await told({ peerIdentity: "eve@idp.example" })];
    """
    assert await act(body) == [
        {"protocol": "default", "peerIdentity": "bob@idp.example"},
        {"protocol": "default", "peerIdentity": "eve@idp.example"},
    ]


async def test_9_4_the_options_peer_is_no_target(act: Act) -> None:
    body = """
      const pc = asserting({ peerIdentity: "bob@idp.localhost" }, {});
      await pc.setLocalDescription();
      const peer = new RTCPeerConnection();
      peer.setIdentityProvider(value, { usernameHint: "eve" });
      await peer.setRemoteDescription(pc.localDescription);
      await pc.setRemoteDescription(await peer.createAnswer());
      return (await pc.peerIdentity).name;
    """
    assert await act(body) == "eve@idp.localhost"


async def test_9_5_rtc_identity_assertion(act: Act) -> None:
    body = """
      const assertion = new RTCIdentityAssertion("idp.example", "user@idp.example");
      const { idp, name } = assertion;
      assertion.name = 5;
      const { enumerable, writable } = Object.getOwnPropertyDescriptor(window, "RTCIdentityAssertion");
      const { prototype, length } = RTCIdentityAssertion;
      return [idp, name, assertion.name, String(assertion), length, thrown(() => new RTCIdentityAssertion("x")),
        thrown(() => prototype.idp), thrown(() => RTCIdentityAssertion("x", "y")), Object.keys(prototype),
        enumerable, writable];
    """
    assert await act(body) == [
        "idp.example",
        "user@idp.example",
        "5",
        "[object RTCIdentityAssertion]",
        2,
        "TypeError",
        "TypeError",
        "TypeError",
        ["idp", "name"],
        False,
        True,
    ]


async def test_9_6_the_target_cannot_be_changed(act: Act) -> None:
    body = """
      const set = (pc, peerIdentity) => thrown(() => pc.setConfiguration({ peerIdentity }));
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.example" });
      return [set(pc, "bob@idp.example"), set(pc, undefined), set(pc, "eve@idp.example"),
        set(offering(), "eve@idp.example"), set(pc, "bob@idp.example")];
    """
    refused = "InvalidModificationError"
    assert await act(body) == ["nothing", "nothing", refused, refused, "nothing"]


async def test_9_6_a_closed_connection_is_refused_before_the_target_is_looked_at(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.example" });
      pc.close();
      return ["bob@idp.example", "eve@idp.example", undefined].map((peerIdentity) =>
        thrown(() => pc.setConfiguration({ peerIdentity })));
    """
    assert await act(body) == ["InvalidStateError"] * 3


async def test_9_6_what_was_refused_is_not_configured(act: Act) -> None:
    body = """
      const pc = new RTCPeerConnection({ peerIdentity: "bob@idp.example", bundlePolicy: "max-bundle" });
      thrown(() => pc.setConfiguration({ peerIdentity: "eve@idp.example", bundlePolicy: "max-bundle" }));
      const refused = pc.getConfiguration().peerIdentity;
      pc.setConfiguration({ bundlePolicy: "max-bundle" });
      return [refused, "peerIdentity" in pc.getConfiguration()];
    """
    assert await act(body) == ["bob@idp.example", False]
