"""`RTCKeyDistributor` as a page sees it: the draft's interface, Web IDL's behaviour, errors that say what was wrong."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.site import Site

pytestmark = pytest.mark.chromium

# Runs `body` with the class and its proposed additions imported; `thrown` is what a function throws or rejects with.
PREAMBLE = """async ([assets, value]) => {
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  if (%s) await import(`${assets}/key-distributor/proposed.js`);
  const thrown = async (action) => {
    try {
      await action();
    } catch (error) {
      return `${error.constructor.name} ${error.name}`;
    }
    return "nothing";
  };
  %s
}"""


async def run(page: Page, site: Site, body: str, value: object = None, *, proposed: bool = False) -> Any:
    return await page.evaluate(PREAMBLE % ("true" if proposed else "false", body), [site.stubbed_assets, value])


async def test_has_the_interface_of_the_draft_and_nothing_else(shared_page: Page, site: Site) -> None:
    members = await run(shared_page, site, "return Object.keys(RTCKeyDistributor.prototype).sort();")
    assert members == [
        "connect",
        "getCertificate",
        "getIdentityAssertion",
        "idpErrorInfo",
        "idpLoginUrl",
        "onfingerprintfailure",
        "peerIdentity",
        "setIdentityProvider",
    ]


async def test_the_proposed_additions_are_a_module_of_their_own(shared_page: Page, site: Site) -> None:
    body = "return ['roster', 'connectionState', 'close', 'onstep'].map(name => name in RTCKeyDistributor.prototype);"
    assert await run(shared_page, site, body) == [False] * 4
    assert await run(shared_page, site, body, proposed=True) == [True] * 4


async def test_is_an_event_target_with_a_tag_and_a_global_name(shared_page: Page, site: Site) -> None:
    facts = await run(
        shared_page,
        site,
        """const kd = new RTCKeyDistributor();
        return [kd instanceof EventTarget, String(kd), globalThis.RTCKeyDistributor === RTCKeyDistributor,
                RTCKeyDistributor.prototype.connect.length, RTCKeyDistributor.prototype.setIdentityProvider.length];""",
    )
    assert facts == [True, "[object RTCKeyDistributor]", True, 2, 1]


async def test_getters_throw_for_another_object_and_promises_reject(shared_page: Page, site: Site) -> None:
    results = await run(
        shared_page,
        site,
        """const { prototype } = RTCKeyDistributor;
        const get = (name) => Object.getOwnPropertyDescriptor(prototype, name).get.call({});
        return [
          await thrown(() => get("idpLoginUrl")),
          await thrown(() => prototype.setIdentityProvider.call({}, "idp.example")),
          ...await Promise.all([
            get("peerIdentity"),
            prototype.getCertificate.call({}),
            prototype.getIdentityAssertion.call({}),
            prototype.connect.call({}, "md.example", 1),
          ].map((promise) => promise.then(() => "resolved", (error) => error.name))),
        ];""",
    )
    assert results == ["TypeError TypeError"] * 2 + ["TypeError"] * 4


@pytest.mark.parametrize("port", [-1, 65536, "443a", {}, 1e9])
async def test_what_is_no_port_is_a_type_error_not_another_port(shared_page: Page, site: Site, port: object) -> None:
    body = "return thrown(() => new RTCKeyDistributor().connect('md.example', value));"
    assert await run(shared_page, site, body, port) == "TypeError TypeError"


async def test_missing_arguments_are_type_errors(shared_page: Page, site: Site) -> None:
    body = """const kd = new RTCKeyDistributor();
    return [await thrown(() => kd.connect("md.example")), await thrown(() => kd.setIdentityProvider())];"""
    assert await run(shared_page, site, body) == ["TypeError TypeError"] * 2


async def test_a_protocol_with_a_slash_is_a_syntax_error(shared_page: Page, site: Site) -> None:
    body = r"""const kd = new RTCKeyDistributor();
    const set = (protocol) => thrown(() => kd.setIdentityProvider("idp.example", { protocol }));
    return [await set("a/b"), await set("a\\b"), await set("default")];"""
    assert await run(shared_page, site, body) == ["DOMException SyntaxError"] * 2 + ["nothing"]


async def test_peer_identity_is_one_promise_until_it_settles(shared_page: Page, site: Site) -> None:
    body = "const kd = new RTCKeyDistributor(); return kd.peerIdentity === kd.peerIdentity;"
    assert await run(shared_page, site, body)


async def test_an_event_handler_is_called_in_its_place_and_can_be_replaced(shared_page: Page, site: Site) -> None:
    heard = await run(
        shared_page,
        site,
        """const kd = new RTCKeyDistributor();
        const heard = [];
        kd.onfingerprintfailure = () => heard.push("first");
        kd.addEventListener("fingerprintfailure", () => heard.push("listener"));
        kd.onfingerprintfailure = () => heard.push("second");
        kd.dispatchEvent(new Event("fingerprintfailure"));
        kd.onfingerprintfailure = 7;
        kd.dispatchEvent(new Event("fingerprintfailure"));
        return [heard, kd.onfingerprintfailure];""",
    )
    assert heard == [["second", "listener", "listener"], None]


async def test_makes_a_certificate_of_its_own_when_it_is_constructed(shared_page: Page, site: Site) -> None:
    certificates = await run(
        shared_page,
        site,
        """const pair = [new RTCKeyDistributor(), new RTCKeyDistributor()];
        const certificates = await Promise.all(pair.map((kd) => kd.getCertificate()));
        return certificates.map((certificate) => ({
          tag: String(certificate),
          days: (certificate.expires - Date.now()) / 86400000,
          fingerprints: certificate.getFingerprints(),
        }));""",
    )
    for certificate in certificates:
        assert certificate["tag"] == "[object RTCCertificate]"
        assert certificate["days"] > 1
        (fingerprint,) = certificate["fingerprints"]
        assert fingerprint["algorithm"] == "sha-256"
        assert len(fingerprint["value"].split(":")) == 32
    assert certificates[0]["fingerprints"] != certificates[1]["fingerprints"]


async def test_an_identity_assertion_covers_the_certificate_and_no_conference(shared_page: Page, site: Site) -> None:
    result = await run(
        shared_page,
        site,
        """const kd = new RTCKeyDistributor();
        kd.setIdentityProvider("idp.example", { usernameHint: "alice" });
        const { idp, assertion } = JSON.parse(atob(await kd.getIdentityAssertion()));
        const [{ value: digest }] = (await kd.getCertificate()).getFingerprints();
        return [idp, JSON.parse(JSON.parse(assertion).contents), digest];""",
    )
    provider, contents, digest = result
    assert provider == {"domain": "idp.example", "protocol": "default"}
    assert contents == {"fingerprint": [{"algorithm": "sha-256", "digest": digest.upper()}]}


async def test_an_assertion_that_needs_a_sign_in_says_where(shared_page: Page, site: Site) -> None:
    result = await run(
        shared_page,
        site,
        """const kd = new RTCKeyDistributor();
        const before = await thrown(() => kd.getIdentityAssertion());
        kd.setIdentityProvider("idp.example", { usernameHint: "nobody" });
        const failure = await kd.getIdentityAssertion().catch((error) => error.errorDetail);
        const loginUrl = kd.idpLoginUrl;
        kd.setIdentityProvider("idp.example");
        await kd.getIdentityAssertion();
        return [before, failure, loginUrl, kd.idpLoginUrl];""",
    )
    assert result == ["DOMException InvalidStateError", "idp-need-login", "https://idp.example/login", None]


async def test_a_closed_key_distributor_refuses_everything(shared_page: Page, site: Site) -> None:
    results = await run(
        shared_page,
        site,
        """const kd = new RTCKeyDistributor();
        const states = [kd.connectionState];
        kd.onconnectionstatechange = () => states.push(kd.connectionState);
        const waiting = thrown(() => kd.getCertificate());
        kd.close();
        kd.close();
        return [
          await waiting,
          await thrown(() => kd.connect("md.example", 1)),
          await thrown(() => kd.setIdentityProvider("idp.example")),
          await thrown(() => kd.getIdentityAssertion()),
          states,
        ];""",
        proposed=True,
    )
    assert results == [
        "DOMException AbortError",
        *["DOMException InvalidStateError"] * 3,
        ["new", "closed"],
    ]
