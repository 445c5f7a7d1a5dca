"""Joins at a Key Distributor in Chromium's Worker, as the product loads it: OpenSSL's DTLS and SCTP clients behind a
stand-in Media Distributor, bridge and TLS between them and the Worker, everything on this machine.

CPU time is that of the Worker's own thread, the tunnel's TLS included; the threads of WebCrypto do not count. Wall time
has everything in it, the clients and the servers too.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from playwright.async_api import Page, async_playwright

from perc.identity.assertion import IdentityAssertion, write_identity
from perc.identity.contents import Purpose, write_contents
from perc.key_distributor.rekey import JOIN_INTERVAL
from perc.tunnel.messages import Message, SignAnswer, SignAnswerAck, TunneledDtls, write_message
from perc_server.certificates import demo_certificates
from tests.bench.report import Measurement
from tests.browser.site import Site
from tests.browser.stand_in_media_distributor import GREETING, StandInMediaDistributor
from tests.chromium import launch_options
from tests.key_distributor.peers import sdp
from tests.key_distributor.site import Endpoint

ENDPOINTS = 50
TIME_LIMIT = 60.0
MD_HOST = "md.example"
WORKER_THREAD = "DedicatedWorker"

CONNECT = """async ([assets, host]) => {
  const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
  await import(`${assets}/key-distributor/proposed.js`);
  const kd = (self.kd = new RTCKeyDistributor());
  kd.setIdentityProvider("idp-b.example");
  kd.setAdmissionPolicy({ others: "admit" });
  await kd.connect(host, 4433);
}"""


class Milestones:
    """When all endpoints had got how far, and what the Worker's thread had spent until then."""

    def __init__(self) -> None:
        self.renderers: set[int] = set()
        self._reached: list[tuple[float, float]] = []
        self.all_reached = threading.Event()

    def reach(self) -> None:
        self._reached.append((time.perf_counter(), self._worker_seconds()))

    def wall(self, first: int, last: int) -> float:
        return self._reached[last][0] - self._reached[first][0]

    def cpu(self, first: int, last: int) -> float:
        return self._reached[last][1] - self._reached[first][1]

    def _worker_seconds(self) -> float:
        """From the scheduler's account of the threads of that name, in nanoseconds."""
        tasks = (task for pid in self.renderers for task in Path(f"/proc/{pid}/task").iterdir())
        workers = (task for task in tasks if (task / "comm").read_text().startswith(WORKER_THREAD))
        return sum(int((task / "schedstat").read_text().split()[0]) for task in workers) / 1e9


class Crowd:
    """Endpoints that take each step together; every one is somebody else."""

    def __init__(self, conference: str, count: int, milestones: Milestones) -> None:
        self._purpose = Purpose(conference)
        self._endpoints: dict[UUID, Endpoint] = {each.id: each for each in (Endpoint() for _ in range(count))}
        self._milestones = milestones
        self._signed = self._secured = self._keyed = 0

    def sign_answers(self, fingerprint: str) -> bytes:
        """What the Media Distributor says first, to a Key Distributor with this fingerprint."""
        answers = []
        for number, endpoint in enumerate(self._endpoints.values()):
            assertion = json.dumps({"contents": write_contents([endpoint.fingerprint], self._purpose)})
            identity = write_identity(IdentityAssertion(f"idp-{number}.example", "default", assertion))
            offer = sdp(f"a=fingerprint:{endpoint.fingerprint}", f"a=identity:{identity}")
            answer = sdp(f"a=fingerprint:sha-256 {fingerprint}", media=("a=setup:passive",))
            answers.append(write_message(SignAnswer(offer, answer)))
        return GREETING + b"".join(answers)

    def hear(self, message: Message) -> Iterable[Message]:
        """What the endpoints say to a message of the Key Distributor."""
        match message:
            case SignAnswerAck():
                self._signed += 1
                if self._signed == len(self._endpoints):
                    self._milestones.reach()
                    yield from self._begin_handshakes()
            case TunneledDtls(association_id, datagram):
                endpoint = self._endpoints[association_id]
                was_secured, was_keyed = endpoint.dtls.completed, bool(endpoint.keys)
                endpoint.receive_datagram(datagram)
                yield from _tunneled(endpoint)
                self._keyed += bool(endpoint.keys) - was_keyed
                self._secured += endpoint.dtls.completed - was_secured
                if endpoint.dtls.completed and not was_secured and self._secured == len(self._endpoints):
                    self._milestones.reach()
                    yield from self._open_key_channels()
                if endpoint.keys and not was_keyed and self._keyed == len(self._endpoints):
                    self._milestones.reach()
                    self._milestones.all_reached.set()

    def _begin_handshakes(self) -> Iterable[Message]:
        for endpoint in self._endpoints.values():
            endpoint.dtls.start_as_client()
            yield from _tunneled(endpoint)

    def _open_key_channels(self) -> Iterable[Message]:
        for endpoint in self._endpoints.values():
            endpoint.sctp.start()
            yield from _tunneled(endpoint)


def _tunneled(endpoint: Endpoint) -> list[Message]:
    """A client's flight is one datagram, as OpenSSL and BoringSSL send it."""
    flight = b"".join(endpoint.dtls.datagrams_to_send())
    return [TunneledDtls(endpoint.id, flight)] if flight else []


async def _join(page: Page, site: Site, certificate: Path, count: int, milestones: Milestones) -> None:
    await page.goto(f"{site.origin}/perc/room")
    crowd = Crowd(f"{site.origin}/perc/room", count, milestones)
    with StandInMediaDistributor(certificate, crowd.sign_answers, crowd.hear) as md:
        site.tunnels = {MD_HOST: md.port}
        await page.evaluate(CONNECT, [site.stubbed_assets, MD_HOST])
        if not await asyncio.to_thread(milestones.all_reached.wait, TIME_LIMIT):
            raise RuntimeError("not everybody was given a key")
        await page.evaluate("kd.close()")


async def _measure() -> tuple[Milestones, Milestones]:
    """One alone after another has warmed the Worker up, and everyone at once."""
    with Site() as site, tempfile.TemporaryDirectory() as state:
        certificates = demo_certificates(Path(state), MD_HOST)
        site.trust_anchors = certificates.authority.read_text()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**launch_options(is_whole=True))
            session = await browser.new_browser_cdp_session()
            page = await browser.new_page()
            results = []
            for count in (1, ENDPOINTS):
                milestones = Milestones()
                processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
                milestones.renderers = {each["id"] for each in processes if each["type"] == "renderer"}
                await _join(page, site, certificates.media_distributor, count, milestones)
                results.append(milestones)
            await browser.close()
    return results[0], results[1]


def measure() -> list[Measurement]:
    """Handshakes, and joins until everyone has the EKTKey; joins wait for a rekey together."""
    alone, crowd = asyncio.run(_measure())
    joining = crowd.wall(0, 2)
    return [
        Measurement("DTLS handshake in Chromium's Worker, CPU time", crowd.cpu(0, 1) / ENDPOINTS * 1000, "ms", "≤ 10"),
        Measurement("a handshake alone in a fresh Worker, wall time", alone.wall(0, 1) * 1000, "ms"),
        Measurement(f"{ENDPOINTS} handshakes at once in Chromium, wall time", crowd.wall(0, 1), "s"),
        Measurement(f"{ENDPOINTS} joins at once in Chromium, until all are keyed", joining, "s", "≤ 2"),
        Measurement("of that, the interval between rekeys", JOIN_INTERVAL, "s"),
    ]
