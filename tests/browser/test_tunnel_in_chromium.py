"""`connect()`: TLS 1.3 from the Worker to OpenSSL, through a bridge that only copies octets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from perc_server.certificates import DemoCertificates, demo_certificates
from tests.browser.site import Site
from tests.browser.stand_in_media_distributor import StandInMediaDistributor

pytestmark = pytest.mark.chromium

MD_HOST = "md.example"

# Connects, then closes; what happened on the way.
CONNECT = """async ([assets, host, port]) => {
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  await import(`${assets}/key-distributor/proposed.js`);
  const kd = new RTCKeyDistributor();
  const states = [];
  kd.onconnectionstatechange = () => states.push(kd.connectionState);
  const [{ value }] = (await kd.getCertificate()).getFingerprints();
  const start = performance.now();
  const error = await kd.connect(host, port).then(() => null, ({ name, message }) => ({ name, message }));
  const milliseconds = performance.now() - start;
  kd.close();
  return { fingerprint: value.toUpperCase(), error, milliseconds, states };
}"""


@dataclass(frozen=True)
class Tunnel:
    site: Site
    md: StandInMediaDistributor
    certificates: DemoCertificates


@pytest.fixture
def tunnel(site: Site, tmp_path: Path) -> Iterator[Tunnel]:
    """A Media Distributor whose certificate is for md.example, of a CA that the page trusts."""
    certificates = demo_certificates(tmp_path, MD_HOST)
    with StandInMediaDistributor(certificates.media_distributor) as md:
        site.trust_anchors = certificates.authority.read_text()
        site.tunnels = {MD_HOST: md.port, "other.example": md.port}
        yield Tunnel(site, md, certificates)
        site.tunnels = {}


async def connect(page: Page, site: Site, host: str = MD_HOST, port: object = 4433) -> Any:
    return await page.evaluate(CONNECT, [site.stubbed_assets, host, port])


async def test_connects_with_tls_1_3_and_the_key_distributors_certificate(page: Page, tunnel: Tunnel) -> None:
    result = await connect(page, tunnel.site)
    assert result["error"] is None
    assert result["states"] == ["connecting", "connected", "closed"]
    assert tunnel.md.versions == ["TLSv1.3"]
    assert tunnel.md.fingerprints == [result["fingerprint"]]


async def test_closing_says_close_notify(page: Page, tunnel: Tunnel) -> None:
    await connect(page, tunnel.site)
    assert tunnel.md.ended.wait(60)
    assert tunnel.md.ending == "ZeroReturnError"


async def test_a_certificate_of_an_unknown_authority_is_a_security_error(
    page: Page, tunnel: Tunnel, tmp_path: Path
) -> None:
    other = demo_certificates(tmp_path / "other", MD_HOST)
    tunnel.site.trust_anchors = other.authority.read_text()
    result = await connect(page, tunnel.site)
    assert result["error"]["name"] == "SecurityError"
    assert "certificate" in result["error"]["message"]
    assert result["states"] == ["connecting", "failed", "closed"]
    assert tunnel.md.fingerprints == []


async def test_a_certificate_for_another_name_is_a_security_error(page: Page, tunnel: Tunnel) -> None:
    result = await connect(page, tunnel.site, "other.example")
    assert result["error"]["name"] == "SecurityError"
    assert "other.example" in result["error"]["message"]
    assert tunnel.md.fingerprints == []


async def test_a_refusal_of_the_bridge_is_a_network_error(page: Page, tunnel: Tunnel) -> None:
    result = await connect(page, tunnel.site, "unknown.example")
    assert result["error"]["name"] == "NetworkError"
    assert result["states"] == ["connecting", "failed", "closed"]


async def test_a_bridge_that_is_no_web_socket_is_a_network_error(page: Page, site: Site) -> None:
    name = await page.evaluate(
        """async (assets) => {
          const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
          const kd = new RTCKeyDistributor({ bridge: "ftp://perc.example/tunnel" });
          return kd.connect("md.example", 4433).catch((error) => error.name);
        }""",
        site.stubbed_assets,
    )
    assert name == "NetworkError"


async def test_a_media_distributor_that_breaks_protocol_is_an_operation_error(page: Page, tunnel: Tunnel) -> None:
    with StandInMediaDistributor(tunnel.certificates.media_distributor, lambda _: bytes.fromhex("030000")) as other:
        tunnel.site.tunnels[MD_HOST] = other.port
        result = await connect(page, tunnel.site)
    assert result["error"]["name"] == "OperationError"


async def test_connecting_twice_is_an_invalid_state_error(page: Page, tunnel: Tunnel) -> None:
    name = await page.evaluate(
        """async ([assets, host]) => {
          const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
          const kd = new RTCKeyDistributor();
          await kd.connect(host, 4433);
          return kd.connect(host, 4433).catch((error) => error.name);
        }""",
        [tunnel.site.stubbed_assets, MD_HOST],
    )
    assert name == "InvalidStateError"


DEBUG = """async ([assets, host, records]) => {
  const { debugWorkers } = await import(`${assets}/key-distributor/worker-client.js`);
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  await import(`${assets}/key-distributor/proposed.js`);
  const written = [];
  let started = 0;
  debugWorkers({
    records: new Map(records.map((record) => [record])),
    start: () => started++,
    write: (line) => written.push(line),
  });
  const kd = new RTCKeyDistributor();
  const steps = [];
  kd.onstep = ({ detail }) => steps.push(detail);
  await kd.connect(host, 4433);
  kd.close();
  return { started, written, steps };
}"""


async def test_the_key_log_and_the_trace_are_the_tunnels(page: Page, tunnel: Tunnel) -> None:
    arguments = [tunnel.site.stubbed_assets, MD_HOST, ["trace", "key-log"]]
    result = await page.evaluate(DEBUG, arguments)
    assert result["started"] == 1
    keys = [line["line"] for line in result["written"] if line["debug"] == "key-log"]
    assert len(keys) == 4
    assert set(keys) <= set(tunnel.md.keys)
    events = [json.loads(line["line"]) for line in result["written"] if line["debug"] == "trace"]
    names = [event["name"] for event in events]
    assert names == ["trace_started", "tunnel_connecting", "tunnel_authenticated", "tunnel_opened"]
    times = [event["at"] for event in events]
    assert times == sorted(times)
    secrets = [key.split(" ")[2] for key in keys]
    assert not [secret for secret in secrets if secret in json.dumps(result["steps"])], "steps are the page's to show"


async def test_a_worker_writes_nothing_for_debugging_unless_it_is_asked_to(page: Page, tunnel: Tunnel) -> None:
    result = await page.evaluate(DEBUG, [tunnel.site.stubbed_assets, MD_HOST, []])
    assert result["written"] == []
