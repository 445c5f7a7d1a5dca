"""Section 4: which identity provider is asked, and the realm that its proxy runs in."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tests.browser.identity_pages.servers import HostileProvider
from tests.browser.webrtc_identity.conftest import ECHO, Act

pytestmark = pytest.mark.chromium


async def test_4_1_the_provider_that_was_set_is_used(act: Act, provider: HostileProvider) -> None:
    body = "return JSON.parse(atob(identityOf((await offerOf()).sdp))).idp;"
    assert await act(body) == {"domain": provider.domain, "protocol": "default"}


async def test_4_1_no_provider_is_configured_into_the_browser(act: Act) -> None:
    assert not await act("return (await offering().createOffer()).sdp.includes('a=identity');")


async def test_4_1_to_verify_the_assertions_domain_and_protocol_are_taken(act: Act, provider: HostileProvider) -> None:
    async def other(_request: Request) -> Response:
        return Response(ECHO.replace("`${name}@", "`other-${name}@"), media_type="text/javascript")

    provider.handlers["/.well-known/idp-proxy/other"] = other
    body = """
      const { sdp } = await offerOf();
      const pc = new RTCPeerConnection();
      const changed = edited(sdp, (a) => ({ ...a, idp: { ...a.idp, protocol: "other" } }));
      await pc.setRemoteDescription({ type: "offer", sdp: changed });
      return (await pc.peerIdentity).name;
    """
    assert await act(body) == "other-user@idp.localhost"


async def test_4_2_the_script_comes_from_the_well_known_uri(act: Act, provider: HostileProvider) -> None:
    body = """
      const tell = "return { idp: { domain: 'x' }, assertion: JSON.stringify({ location, text: `${location}` }) }";
      const told = proxy(tell);
      const { location, text } = read(await asserting(told).getIdentityAssertion());
      return { ...location, text, protocol: told.protocol };
    """
    told = await act(body)
    assert told["href"] == told["text"]
    assert unquote(told["href"]) == unquote(f"{provider.origin}/.well-known/idp-proxy/{told['protocol']}")
    assert (told["origin"], told["host"], told["hostname"]) == (provider.origin, provider.domain, "idp.localhost")


async def test_4_2_a_redirect_is_followed(act: Act, provider: HostileProvider) -> None:
    """To http here, which only providers of this machine may use; to any other it is fatal (hostile providers)."""

    async def redirect(_request: Request) -> Response:
        return RedirectResponse("/.well-known/idp-proxy/default")

    provider.handlers["/.well-known/idp-proxy/elsewhere"] = redirect
    body = "return read(await asserting({ protocol: 'elsewhere' }).getIdentityAssertion()).name;"
    assert await act(body) == "user"


async def test_4_2_the_realm_is_a_worker_of_no_page(act: Act) -> None:
    body = """
      const look = `return { idp: { domain: "x" }, assertion: JSON.stringify({
        scope: self instanceof WorkerGlobalScope, origin: self.origin,
        absent: [typeof document, typeof window, typeof parent, typeof localStorage, typeof RTCPeerConnection],
      }) }`;
      return read(await asserting(proxy(look)).getIdentityAssertion());
    """
    told = await act(body)
    assert told["scope"]
    assert told["absent"] == ["undefined"] * 5


LOOK = """
  const looked = (look) => `
    const thrown = (action) => { try { action(); return "nothing"; } catch (error) { return error.name; } };
    const shape = (object, name) => {
      const { get, set, value, ...attributes } = Object.getOwnPropertyDescriptor(object, name);
      return [name, ...Object.keys(attributes).filter((key) => attributes[key]).sort()].join(" ");
    };
    rtcIdentityProvider.register({
      generateAssertion: () => ({ idp: { domain: "x" }, assertion: JSON.stringify(look()) }),
      validateAssertion() {},
    });
    const look = () => { ${look} };`;
  return read(await asserting(scripted(looked(`BODY`))).getIdentityAssertion());
"""


async def test_4_2_the_global_is_a_rtc_identity_provider_global_scope(act: Act) -> None:
    body = """
      const scope = RTCIdentityProviderGlobalScope;
      const { get, set } = Object.getOwnPropertyDescriptor(self, "rtcIdentityProvider");
      return [
        self instanceof scope, {} instanceof scope, String(self), scope.name, scope.length,
        Object.getPrototypeOf(scope) === WorkerGlobalScope, scope.prototype instanceof WorkerGlobalScope,
        thrown(() => new scope()), shape(self, "RTCIdentityProviderGlobalScope"), shape(self, "rtcIdentityProvider"),
        get.name, typeof set, get.call(self) === get() && get() === rtcIdentityProvider, thrown(() => get.call({})),
      ];
    """
    assert await act(LOOK.replace("BODY", body)) == [
        *[True, False, "[object RTCIdentityProviderGlobalScope]", "RTCIdentityProviderGlobalScope", 0],
        *[True, True, "TypeError"],
        "RTCIdentityProviderGlobalScope configurable writable",
        "rtcIdentityProvider configurable enumerable",
        *["get rtcIdentityProvider", "undefined", True, "TypeError"],
    ]


async def test_4_2_the_global_has_a_registrar(act: Act) -> None:
    body = """
      const { prototype } = RTCIdentityProviderRegistrar;
      return [
        rtcIdentityProvider instanceof RTCIdentityProviderRegistrar, String(rtcIdentityProvider),
        RTCIdentityProviderRegistrar.length, thrown(() => new RTCIdentityProviderRegistrar()),
        prototype.register.length, thrown(() => prototype.register.call({}, {})),
        shape(self, "RTCIdentityProviderRegistrar"), shape(RTCIdentityProviderRegistrar, "prototype"),
        shape(prototype, "register"),
      ];
    """
    assert await act(LOOK.replace("BODY", body)) == [
        *[True, "[object RTCIdentityProviderRegistrar]", 0, "TypeError", 1, "TypeError"],
        "RTCIdentityProviderRegistrar configurable writable",
        "prototype",
        "register configurable enumerable writable",
    ]


async def test_4_2_those_interfaces_are_not_the_pages(act: Act) -> None:
    body = "return [typeof RTCIdentityProviderGlobalScope, typeof RTCIdentityProviderRegistrar];"
    assert await act(body) == ["undefined", "undefined"]
