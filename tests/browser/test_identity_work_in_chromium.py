"""The page while an answer is signed (4.1.3): IdP proxies run in it, their verdicts are relayed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from perc.identity.assertion import IdentityAssertion, identity_hash, read_identity, write_identity
from perc.identity.contents import Purpose, check_contents, write_contents
from perc.tunnel.messages import SignAnswer, SignAnswerAck, SignAnswerReject, write_message
from perc.x509.fingerprint import Fingerprint
from perc_server.certificates import demo_certificates
from tests.browser.site import Site
from tests.browser.stand_in_media_distributor import GREETING, StandInMediaDistributor
from tests.key_distributor.peers import ALICE, BOB, sdp

pytestmark = pytest.mark.chromium

MD_HOST = "md.example"

# Connects and waits until the first answer has been signed or refused.
SIGN = """async ([assets, host, usernameHint]) => {
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  await import(`${assets}/key-distributor/proposed.js`);
  const kd = new RTCKeyDistributor();
  kd.setIdentityProvider("idp-b.example", { usernameHint });
  const first = kd.peerIdentity;
  const steps = [];
  const settled = new Promise((resolve) => {
    kd.onstep = ({ detail }) => {
      steps.push(detail.event);
      if (detail.event === "answer-signed" || detail.event === "answer-refused") resolve(detail.reason ?? null);
    };
  });
  const peers = [];
  const plain = ({ idp, name }) => ({ idp, name });
  kd.onpeeridentity = ({ detail }) => peers.push(plain(detail));
  await kd.connect(host, 4433);
  const reason = await settled;
  const peerIdentity = await Promise.race([first, Promise.resolve({})]).then(
    plain, ({ name, message, errorDetail }) => ({ name, message, errorDetail }));
  const renewed = first !== kd.peerIdentity;
  kd.close();
  return { steps, peers, reason, peerIdentity, renewed, loginUrl: kd.idpLoginUrl, errorInfo: kd.idpErrorInfo };
}"""

Offer = Callable[[Purpose], bytes]


def offer(*asserted: Fingerprint, domain: str = "idp-a.example") -> Offer:
    """An offer of Alice's browser, with an assertion of these fingerprints."""

    def write(purpose: Purpose) -> bytes:
        assertion = json.dumps({"contents": write_contents(asserted, purpose)})
        identity = write_identity(IdentityAssertion(domain, "default", assertion))
        return sdp(f"a=fingerprint:{ALICE}", f"a=identity:{identity}")

    return write


class Signing:
    """A Media Distributor that has one answer signed, and the page of the Key Distributor that it asks."""

    def __init__(self, site: Site, page: Page, certificates: Path) -> None:
        self.purpose = Purpose(f"{site.origin}/perc/room")
        self.fingerprint = ""
        self.offer = b""
        self._site = site
        self._page = page
        self._certificates = certificates

    async def sign(self, offer: Offer, username: str = "bob") -> Any:
        certificates = demo_certificates(self._certificates, MD_HOST)
        self.offer = offer(self.purpose)
        with StandInMediaDistributor(certificates.media_distributor, self._greet) as md:
            self._site.trust_anchors = certificates.authority.read_text()
            self._site.tunnels = {MD_HOST: md.port}
            result = await self._page.evaluate(SIGN, [self._site.stubbed_assets, MD_HOST, username])
            assert md.ended.wait(60)
            return result, md.received[0]

    def _greet(self, fingerprint: str) -> bytes:
        self.fingerprint = f"sha-256 {fingerprint}"
        answer = sdp(f"a=fingerprint:{self.fingerprint}", media=("a=setup:passive",))
        return GREETING + write_message(SignAnswer(self.offer, answer))


@pytest.fixture
async def signing(page: Page, site: Site, tmp_path: Path) -> AsyncIterator[Signing]:
    yield Signing(site, page, tmp_path)
    site.tunnels = {}


async def test_an_answer_to_a_validated_offer_is_signed_for_this_conference_and_offer(signing: Signing) -> None:
    result, ack = await signing.sign(offer(ALICE))
    assert result["reason"] is None
    assert isinstance(ack, SignAnswerAck)
    (attribute,) = [line for line in ack.answer.decode().splitlines() if line.startswith("a=identity:")]
    identity = read_identity(attribute.removeprefix("a=identity:"))
    assert (identity.domain, identity.protocol) == ("idp-b.example", "default")
    (offered,) = [line for line in signing.offer.decode().splitlines() if line.startswith("a=identity:")]
    purpose = Purpose(signing.purpose.conference, identity_hash(offered.removeprefix("a=identity:")))
    contents = json.loads(identity.assertion)["contents"]
    check_contents(contents, [Fingerprint.parse(signing.fingerprint)], purpose)


async def test_the_peer_and_each_step_are_told(signing: Signing) -> None:
    result, _ = await signing.sign(offer(ALICE))
    peer = {"idp": "idp-a.example", "name": "user@idp-a.example"}
    assert result["peerIdentity"] == peer
    assert result["peers"] == [peer]
    assert not result["renewed"]
    assert result["steps"][:9] == [
        "created",
        "connected",
        "sign-answer",
        "validation-requested",
        "peer-idp-load",
        "peer-validated",
        "assertion-requested",
        "own-idp-load",
        "answer-signed",
    ]


async def test_an_assertion_of_another_certificate_is_refused_and_rejects_peer_identity(signing: Signing) -> None:
    result, reject = await signing.sign(offer(BOB))
    assert isinstance(reject, SignAnswerReject)
    assert result["reason"] == reject.reason
    assert result["peerIdentity"] == {"name": "OperationError", "message": reject.reason, "errorDetail": None}
    assert result["renewed"]
    assert result["peers"] == []


async def test_an_offer_of_an_identity_provider_that_cannot_be_reached_is_refused(signing: Signing) -> None:
    result, reject = await signing.sign(offer(ALICE, domain="absent.example"))
    assert isinstance(reject, SignAnswerReject)
    assert result["reason"] == reject.reason == "there is no such provider"
    assert result["peerIdentity"]["errorDetail"] == "idp-load-failure"


async def test_an_assertion_that_has_expired_is_refused_as_its_provider_says(signing: Signing) -> None:
    result, reject = await signing.sign(offer(ALICE, domain="expired.example"))
    assert isinstance(reject, SignAnswerReject)
    assert result["reason"] == reject.reason == "too old"
    expected = {"name": "OperationError", "message": "too old", "errorDetail": "idp-token-expired"}
    assert result["peerIdentity"] == expected
    assert (result["errorInfo"], result["loginUrl"]) == ("made in May", None)


async def test_a_key_distributor_whose_user_is_not_signed_in_refuses_and_says_where_to(signing: Signing) -> None:
    result, reject = await signing.sign(offer(ALICE), username="nobody")
    assert isinstance(reject, SignAnswerReject)
    assert result["loginUrl"] == "https://idp-b.example/login"
    # The peer is not to blame.
    assert result["peerIdentity"]["name"] == "user@idp-a.example"
