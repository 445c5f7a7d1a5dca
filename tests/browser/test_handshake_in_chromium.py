"""DTLS of an endpoint that ends in the browser's Key Distributor (4.1.5): OpenSSL is the endpoint, tunneled."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page

from perc.identity.assertion import IdentityAssertion, write_identity
from perc.identity.contents import Purpose, write_contents
from perc.tunnel.messages import (
    MediaKeys,
    Message,
    SignAnswer,
    SignAnswerAck,
    TunneledDtls,
    write_message,
)
from perc.x509.fingerprint import Fingerprint
from perc_server.certificates import demo_certificates
from tests.browser.site import Site
from tests.browser.stand_in_media_distributor import GREETING, StandInMediaDistributor
from tests.dtls.openssl import OpenSslPeer, make_context, make_identity
from tests.key_distributor.peers import sdp

pytestmark = pytest.mark.chromium

MD_HOST = "md.example"

# Connects, and waits for a step; what fingerprintfailure had said by then.
WAIT = """async ([assets, host, step]) => {
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  await import(`${assets}/key-distributor/proposed.js`);
  const kd = new RTCKeyDistributor();
  kd.setIdentityProvider("idp-b.example");
  const failures = [];
  kd.onfingerprintfailure = ({ associationId, presentedFingerprint, expectedFingerprints }) =>
    failures.push({ associationId, presentedFingerprint, expectedFingerprints });
  const awaited = new Promise((resolve) => {
    kd.onstep = ({ detail }) => detail.event === step && resolve(detail);
  });
  await kd.connect(host, 4433);
  const happened = await awaited;
  kd.close();
  return { failures, happened };
}"""


class Endpoint:
    """OpenSSL's DTLS client, whose datagrams a Media Distributor tunnels."""

    def __init__(self) -> None:
        identity = make_identity()
        self.fingerprint = Fingerprint.of(identity.der)
        self.association_id: UUID = uuid4()
        self.dtls = OpenSslPeer(make_context(identity))
        self.exported = b""

    def first_flight(self) -> list[TunneledDtls]:
        self.dtls.start_as_client()
        return self.tunneled()

    def answer(self, message: Message) -> Iterable[Message]:
        if isinstance(message, SignAnswerAck):
            return self.first_flight()
        if isinstance(message, TunneledDtls):
            self.dtls.receive_datagram(message.dtls_message)
            return self.tunneled()
        return ()

    def offer(self, purpose: Purpose) -> bytes:
        assertion = json.dumps({"contents": write_contents([self.fingerprint], purpose)})
        identity = write_identity(IdentityAssertion("idp-a.example", "default", assertion))
        return sdp(f"a=fingerprint:{self.fingerprint}", f"a=identity:{identity}")

    def tunneled(self) -> list[TunneledDtls]:
        return [TunneledDtls(self.association_id, datagram) for datagram in self.dtls.datagrams_to_send()]


async def wait(page: Page, site: Site, md: StandInMediaDistributor, step: str) -> Any:
    site.tunnels = {MD_HOST: md.port}
    result = await page.evaluate(WAIT, [site.stubbed_assets, MD_HOST, step])
    assert md.ended.wait(60)
    return result


@pytest.fixture
def certificate(site: Site, tmp_path: Path) -> Path:
    certificates = demo_certificates(tmp_path, MD_HOST)
    site.trust_anchors = certificates.authority.read_text()
    return certificates.media_distributor


async def test_a_certificate_of_no_validated_offer_gets_no_keys_and_is_reported(
    page: Page, site: Site, certificate: Path
) -> None:
    endpoint = Endpoint()
    greeting = GREETING + b"".join(map(write_message, endpoint.first_flight()))
    with StandInMediaDistributor(certificate, lambda _: greeting, endpoint.answer) as md:
        result = await wait(page, site, md, "endpoint-left")
    (failure,) = result["failures"]
    assert failure == {
        "associationId": str(endpoint.association_id),
        "presentedFingerprint": str(endpoint.fingerprint),
        "expectedFingerprints": [],
    }
    assert not [message for message in md.received if isinstance(message, MediaKeys)]
    assert not endpoint.dtls.completed


async def test_an_endpoint_of_a_validated_offer_has_the_keys_that_the_media_distributor_gets(
    page: Page, site: Site, certificate: Path
) -> None:
    endpoint = Endpoint()

    def greet(fingerprint: str) -> bytes:
        answer = sdp(f"a=fingerprint:sha-256 {fingerprint}", media=("a=setup:passive",))
        return GREETING + write_message(SignAnswer(endpoint.offer(Purpose(f"{site.origin}/perc/room")), answer))

    def answer(message: Message) -> Iterable[Message]:
        yield from endpoint.answer(message)
        if endpoint.dtls.completed and not endpoint.exported:
            endpoint.exported = endpoint.dtls.export(56)
            endpoint.dtls.shutdown()  # the page hears when it leaves
            yield from endpoint.tunneled()

    with StandInMediaDistributor(certificate, greet, answer) as md:
        result = await wait(page, site, md, "endpoint-left")
    assert result["happened"]["identity"] == "user@idp-a.example"
    assert result["failures"] == []
    (keys,) = [message for message in md.received if isinstance(message, MediaKeys)]
    halves = (keys.client_write_key, keys.server_write_key, keys.client_write_salt, keys.server_write_salt)
    assert b"".join(halves) == endpoint.exported
