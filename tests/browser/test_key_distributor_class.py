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


async def test_has_the_interface_of_the_draft_and_nothing_else(page: Page, site: Site) -> None:
    members = await run(page, site, "return Object.keys(RTCKeyDistributor.prototype).sort();")
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


async def test_the_proposed_additions_are_a_module_of_their_own(page: Page, site: Site) -> None:
    names = ["roster", "connectionState", "close", "onstep", "onjoinrequest", "remove"]
    body = "return value.map((name) => name in RTCKeyDistributor.prototype);"
    assert await run(page, site, body, names) == [False] * 6
    assert await run(page, site, body, names, proposed=True) == [True] * 6


async def test_is_an_event_target_with_a_tag_and_a_global_name(page: Page, site: Site) -> None:
    facts = await run(
        page,
        site,
        """const kd = new RTCKeyDistributor();
        return [kd instanceof EventTarget, String(kd), globalThis.RTCKeyDistributor === RTCKeyDistributor,
                RTCKeyDistributor.prototype.connect.length, RTCKeyDistributor.prototype.setIdentityProvider.length];""",
    )
    assert facts == [True, "[object RTCKeyDistributor]", True, 2, 1]


async def test_getters_throw_for_another_object_and_promises_reject(page: Page, site: Site) -> None:
    results = await run(
        page,
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
async def test_what_is_no_port_is_a_type_error_not_another_port(page: Page, site: Site, port: object) -> None:
    body = "return thrown(() => new RTCKeyDistributor().connect('md.example', value));"
    assert await run(page, site, body, port) == "TypeError TypeError"


async def test_missing_arguments_are_type_errors(page: Page, site: Site) -> None:
    body = """const kd = new RTCKeyDistributor();
    return [await thrown(() => kd.connect("md.example")), await thrown(() => kd.setIdentityProvider())];"""
    assert await run(page, site, body) == ["TypeError TypeError"] * 2


async def test_a_protocol_with_a_slash_is_a_syntax_error(page: Page, site: Site) -> None:
    body = r"""const kd = new RTCKeyDistributor();
    const set = (protocol) => thrown(() => kd.setIdentityProvider("idp.example", { protocol }));
    return [await set("a/b"), await set("a\\b"), await set("default")];"""
    assert await run(page, site, body) == ["DOMException SyntaxError"] * 2 + ["nothing"]


async def test_peer_identity_is_one_promise_until_it_settles(page: Page, site: Site) -> None:
    body = "const kd = new RTCKeyDistributor(); return kd.peerIdentity === kd.peerIdentity;"
    assert await run(page, site, body)


async def test_an_event_handler_is_called_in_its_place_and_can_be_replaced(page: Page, site: Site) -> None:
    heard = await run(
        page,
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


async def test_makes_a_certificate_of_its_own_when_it_is_constructed(page: Page, site: Site) -> None:
    certificates = await run(
        page,
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


async def test_an_identity_assertion_covers_the_certificate_and_no_conference(page: Page, site: Site) -> None:
    result = await run(
        page,
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


async def test_an_assertion_that_needs_a_sign_in_says_where(page: Page, site: Site) -> None:
    result = await run(
        page,
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


async def test_a_closed_key_distributor_refuses_everything(page: Page, site: Site) -> None:
    results = await run(
        page,
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


# The proposed additions about who may join, with a Worker that does what the test says.

SCRIPTED_WORKER = """
  const said = [];
  let answer = () => undefined;
  globalThis.Worker = class {
    constructor() { globalThis.worker = this; }
    postMessage({ id, ...message }) {
      said.push(message);
      const error = answer(message);
      queueMicrotask(() => this.onmessage({ data: error ? { id, error } : { id, result: null } }));
    }
    terminate() {}
  };
  const kd = new RTCKeyDistributor();
  const happen = (data) => worker.onmessage({ data });
  const ASSOCIATION = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const knock = (associationId = ASSOCIATION) => new Promise((resolve) => {
    kd.addEventListener("joinrequest", resolve, { once: true });
    happen({ event: "join-requested", associationId, identity: "bob@idp-b.example", idp: "idp-b.example:8002",
             verifiedAt: 1_700_000_000_000 });
  });
  const outcome = (promise) =>
    promise.then((value) => String(value), (error) => `${error.constructor.name} ${error.name}`);
"""


async def scripted(page: Page, site: Site, body: str, value: object = None) -> Any:
    return await run(page, site, SCRIPTED_WORKER + body, value, proposed=True)


async def test_an_admission_policy_goes_to_the_key_distributor(page: Page, site: Site) -> None:
    policies = await scripted(
        page,
        site,
        """kd.setAdmissionPolicy();
        kd.setAdmissionPolicy({ admit: new Set(["bob@IDP-B.example", "@idp-a.example"]), others: "refuse" });
        return said;""",
    )
    assert policies == [
        {"operation": "setAdmissionPolicy", "admit": [], "others": "ask"},
        {"operation": "setAdmissionPolicy", "admit": ["bob@idp-b.example", "@idp-a.example"], "others": "refuse"},
    ]


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        ("7", "TypeError TypeError"),
        ("{ others: 'maybe' }", "TypeError TypeError"),
        ("{ admit: 'bob@idp-b.example' }", "TypeError TypeError"),
        ("{ admit: 7 }", "TypeError TypeError"),
        ("{ admit: [Symbol()] }", "TypeError TypeError"),
        ("{ admit: Array(10_001).fill('@idp-b.example') }", "TypeError TypeError"),
        ("{ admit: ['bob'] }", "DOMException SyntaxError"),
        ("{ admit: ['bob@'] }", "DOMException SyntaxError"),
        ("{ admit: ['bob@idp-b.example@idp-a.example'] }", "DOMException SyntaxError"),
        ("{ admit: ['bob @idp-b.example'] }", "DOMException SyntaxError"),
        ("{ admit: ['bob@idp-b.example:8002'] }", "DOMException SyntaxError"),
        ("{ admit: ['bob@b\u00fccher.example'] }", "DOMException SyntaxError"),
    ],
)
async def test_what_is_no_policy_is_refused_and_changes_nothing(
    page: Page, site: Site, policy: str, error: str
) -> None:
    body = f"return [await thrown(() => kd.setAdmissionPolicy({policy})), said];"
    assert await scripted(page, site, body) == [error, []]


async def test_a_join_request_says_who_asks(page: Page, site: Site) -> None:
    facts = await scripted(
        page,
        site,
        """let handled;
        kd.onjoinrequest = (event) => (handled = event);
        const event = await knock();
        const members = Object.keys(Object.getPrototypeOf(event)).sort();
        return [handled === event, String(event), event instanceof Event, event.isTrusted, members,
                event.associationId === ASSOCIATION, event.identity, event.idp, event.verifiedAt,
                event.signal.aborted];""",
    )
    members = ["admit", "associationId", "deny", "identity", "idp", "signal", "verifiedAt"]
    assert facts[:5] == [True, "[object RTCJoinRequestEvent]", True, False, members]
    assert facts[5:] == [True, "bob@idp-b.example", "idp-b.example:8002", 1_700_000_000_000, False]


@pytest.mark.parametrize("decision", ["admit", "deny"])
async def test_a_request_is_decided_once(page: Page, site: Site, decision: str) -> None:
    results = await scripted(
        page,
        site,
        """const event = await knock();
        const outcomes = [event[value](), event.admit(), event.deny()].map(outcome);
        return [await Promise.all(outcomes), said, event.signal.aborted];""",
        decision,
    )
    outcomes, said, withdrawn = results
    assert outcomes == ["undefined", *["DOMException InvalidStateError"] * 2]
    assert [(message["operation"], len(message["associationId"])) for message in said] == [(decision, 36)]
    assert withdrawn


@pytest.mark.parametrize("event", ["endpoint-left", "endpoint-keyed"])
async def test_a_request_that_is_gone_is_withdrawn_and_cannot_be_decided(page: Page, site: Site, event: str) -> None:
    results = await scripted(
        page,
        site,
        """const [event, other] = [await knock(), await knock("7c9e6679-7425-40de-944b-e07fc1f90ae7")];
        happen({ event: value, associationId: ASSOCIATION });
        return [event.signal.aborted, other.signal.aborted, await outcome(event.admit()),
                await outcome(event.deny()), said];""",
        event,
    )
    assert results == [True, False, *["DOMException NotFoundError"] * 2, []]


async def test_a_request_that_the_key_distributor_does_not_know_any_more_rejects(page: Page, site: Site) -> None:
    results = await scripted(
        page,
        site,
        """answer = () => ({ name: "NotFoundError", message: "gone" });
        const event = await knock();
        return [await outcome(event.admit()), event.signal.aborted, await outcome(kd.remove("00"))];""",
    )
    assert results == ["DOMException NotFoundError", True, "DOMException NotFoundError"]


async def test_after_close_nothing_can_be_decided(page: Page, site: Site) -> None:
    results = await scripted(
        page,
        site,
        """const event = await knock();
        kd.close();
        return [event.signal.aborted, ...await Promise.all([event.admit(), event.deny(), kd.remove("00")].map(outcome)),
                await thrown(() => kd.setAdmissionPolicy())];""",
    )
    assert results == [True, *["DOMException InvalidStateError"] * 4]


async def test_an_event_that_no_key_distributor_made_decides_nothing(page: Page, site: Site) -> None:
    results = await scripted(
        page,
        site,
        """const { RTCJoinRequestEvent } = await import(`${assets}/key-distributor/join-request-event.js`);
        const event = new RTCJoinRequestEvent("joinrequest", { identity: "bob@idp-b.example" });
        return [await outcome(event.admit()), await outcome(RTCJoinRequestEvent.prototype.deny.call({})), said];""",
    )
    assert results == ["DOMException InvalidStateError", "TypeError TypeError", []]


async def test_a_member_is_removed_by_its_id_in_the_roster(page: Page, site: Site) -> None:
    results = await scripted(
        page,
        site,
        """const member = { id: "ab".repeat(16), identity: "bob@idp-b.example", verifiedAt: 1, spi: 6, sources: [] };
        const before = [kd.roster.length, kd.ektSpi];
        happen({ event: "roster-changed", members: [member], spi: 7 });
        const [{ id, spi }] = kd.roster;
        return [before, kd.ektSpi, spi, await outcome(kd.remove(id)), said, await outcome(kd.remove())];""",
    )
    removal = {"operation": "remove", "memberId": "ab" * 16}
    assert results == [[0, 0], 7, 6, "undefined", [removal], "TypeError TypeError"]


# What the identity providers of peers say, and whose failure it is.

PEERS = """
  const reports = new Map();
  const report = (requestId) => {
    if (!reports.has(requestId)) reports.set(requestId, Promise.withResolvers());
    return reports.get(requestId);
  };
  answer = ({ requestId, ...said }) => void report(requestId).resolve(said);
  const ask = (requestId, domain) => {
    happen({ event: "validation-requested", requestId, domain, protocol: "default", assertion: '{"contents":"x"}' });
    return report(requestId).promise;
  };
  const refuse = (requestId, reason) => happen({ event: "answer-refused", requestId, reason });
  const settled = async (promise) => {
    try {
      const value = await Promise.race([promise, Promise.resolve({ name: "pending" })]);
      return value.name;
    } catch ({ constructor, name, errorDetail, message }) {
      return [constructor.name, name, errorDetail ?? null, message];
    }
  };
"""


async def judged(page: Page, site: Site, body: str) -> Any:
    return await scripted(page, site, PEERS + body)


async def test_a_peer_whose_assertion_has_expired(page: Page, site: Site) -> None:
    """webrtc-identity, Section 8: an RTCError. Where to sign in at a peer's provider is nothing for this user."""
    result = await judged(
        page,
        site,
        """const { peerIdentity } = kd;
        const { error } = await ask(7, "expired.example");
        refuse(7, error.message);
        const renewed = peerIdentity !== kd.peerIdentity;
        return [error, await settled(peerIdentity), renewed, kd.idpErrorInfo, kd.idpLoginUrl];""",
    )
    error = {"message": "too old", "errorDetail": "idp-token-expired"}
    rejection = ["RTCError", "OperationError", "idp-token-expired", "too old"]
    assert result == [error, rejection, True, "made in May", None]


async def test_peers_do_not_hide_where_to_sign_in(page: Page, site: Site) -> None:
    result = await judged(
        page,
        site,
        """kd.setIdentityProvider("idp.example", { usernameHint: "nobody" });
        happen({ event: "assertion-requested", requestId: 6, contents: "x" });
        await report(6).promise;
        await ask(7, "idp-a.example");
        await ask(8, "expired.example");
        return [kd.idpLoginUrl, kd.idpErrorInfo];""",
    )
    assert result == ["https://idp.example/login", "made in May"]


async def test_a_verdict_that_the_key_distributor_does_not_believe(page: Page, site: Site) -> None:
    result = await judged(
        page,
        site,
        """const { peerIdentity } = kd;
        const verdict = await ask(7, "idp-a.example");
        refuse(7, "the assertion was made for another conference");
        return [verdict.identity, await settled(peerIdentity), kd.idpErrorInfo];""",
    )
    rejection = ["DOMException", "OperationError", None, "the assertion was made for another conference"]
    assert result == ["user@idp-a.example", rejection, None]


async def test_a_provider_that_the_key_distributor_has_waited_for_long_enough(page: Page, site: Site) -> None:
    result = await judged(
        page,
        site,
        """const { peerIdentity } = kd;
        ask(7, "silent.example");
        refuse(7, "your identity provider did not answer in time");
        return settled(peerIdentity);""",
    )
    assert result == ["RTCError", "OperationError", "idp-timeout", "your identity provider did not answer in time"]


async def test_a_refusal_for_another_reason_is_no_peers_failure(page: Page, site: Site) -> None:
    """There was nothing to validate; or the peer is validated, and not wanted, or the own provider failed."""
    result = await judged(
        page,
        site,
        """const { peerIdentity } = kd;
        refuse(6, "the offer was made before; a new one is needed");
        const before = await settled(peerIdentity);
        await ask(7, "idp-a.example");
        happen({ event: "peer-validated", requestId: 7, identity: "user@idp-a.example", idp: "idp-a.example" });
        refuse(7, "the host does not admit user@idp-a.example");
        return [before, await settled(peerIdentity), peerIdentity === kd.peerIdentity];""",
    )
    assert result == ["pending", "user@idp-a.example", True]


async def test_a_provider_has_five_seconds_and_nobody_waits_for_it(page: Page, site: Site) -> None:
    """An RTCPeerConnection allows 15."""
    seconds, error, limits, order = await judged(
        page,
        site,
        """const start = performance.now();
        const { timeout } = AbortSignal;
        const limits = [];
        AbortSignal.timeout = (limit) => (limits.push(limit), timeout.call(AbortSignal, limit));
        const order = [];
        const late = ask(1, "silent.example").finally(() => order.push("late"));
        await Promise.all([2, 3].map((requestId) => ask(requestId, "idp-a.example")));
        order.push("quick");
        const { error } = await late;
        return [(performance.now() - start) / 1000, error, limits, order];""",
    )
    assert error["errorDetail"] == "idp-timeout"
    assert seconds > 4.9
    assert limits == [5000, 5000, 5000]
    assert order == ["quick", "late"]
