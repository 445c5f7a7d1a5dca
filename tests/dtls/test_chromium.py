"""Chromium as the DTLS client: a data channel towards our server, over UDP, behind the smallest ICE-lite there is."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
from aioice import stun
from playwright.async_api import Page, async_playwright

from perc.dtls import (
    ApplicationDataReceived,
    AssociationClosed,
    AssociationFailed,
    DtlsServer,
    HandshakeCompleted,
    SrtpKeysExported,
)
from perc.errors import AlertDescription, AlertReceived
from perc.x509.fingerprint import Fingerprint
from tests.chromium import launch_options
from tests.dtls.listener import Listener
from tests.dtls.parties import AES_128, AES_256, KEY_DISTRIBUTOR, STRANGER, Expect, make_server

pytestmark = pytest.mark.chromium

PASSWORD = "22/characters/or/more/of/ICE"
TIMEOUT = 10.0

OFFER = """async () => {
    window.pc = new RTCPeerConnection();
    window.channel = pc.createDataChannel("perc", { negotiated: true, id: 0 });
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""
ANSWER = "sdp => pc.setRemoteDescription({ type: 'answer', sdp })"
TRANSPORT = """async () => {
    for (const report of (await pc.getStats()).values()) {
        if (report.type === "transport") return report;
    }
}"""


class IceLite(asyncio.DatagramProtocol):
    """Answers connectivity checks and hands DTLS to a server; loses the outgoing datagrams that it is told to."""

    def __init__(self, server: DtlsServer, lose: frozenset[int] = frozenset()) -> None:
        self.server = server
        self.events = []
        self.arrived: list[bytes] = []
        self.changed = asyncio.Event()
        self._lose = lose
        self._sent = 0
        self._incoming: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport
        self._worker = asyncio.create_task(self._work())

    @property
    def port(self) -> int:
        return self._transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if data[0] < 4:
            self._answer_check(data, address)
        elif 20 <= data[0] < 64:
            self._incoming.put_nowait((data, address))

    def _answer_check(self, data: bytes, address: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        if not request.check_message_integrity(PASSWORD.encode()):
            return
        response = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = address
        response.add_message_integrity(PASSWORD.encode())
        self._transport.sendto(bytes(response), address)

    async def _work(self) -> None:
        """Datagrams and timeouts one after the other, as the machine wants them."""
        address = None
        while True:
            due = self.server.next_timeout()
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
                    data, address = await self._incoming.get()
            except TimeoutError:
                self.events += await self.server.handle_timeout(time.monotonic())
            else:
                self.arrived.append(data)
                self.events += await self.server.receive_datagram(data, time.monotonic())
            for datagram in self.server.datagrams_to_send():
                if self._sent not in self._lose:
                    self._transport.sendto(datagram, address)
                self._sent += 1
            self.changed.set()

    async def wait_for(self, kind):
        async with asyncio.timeout(TIMEOUT):
            while not (found := [event for event in self.events if isinstance(event, kind)]):
                self.changed.clear()
                await self.changed.wait()
        return found[0]

    def close(self) -> None:
        self._worker.cancel()
        self._transport.close()


def write_answer(port: int, fingerprint: Fingerprint) -> str:
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", "a=group:BUNDLE 0",
        f"m=application {port} UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 127.0.0.1", "a=mid:0",
        "a=ice-ufrag:perc", f"a=ice-pwd:{PASSWORD}", f"a=fingerprint:{fingerprint}", "a=setup:passive",
        f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host", "a=sctp-port:5000", "a=max-message-size:65536",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)


@pytest.fixture(scope="module")
async def browser():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options())
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser) -> AsyncIterator[Page]:
    page = await browser.new_page()
    yield page
    await page.close()


@pytest.fixture
async def meet(page):
    """Connects the page to a server; gives the ICE-lite end and the fingerprint in Chromium's offer."""
    opened: list[IceLite] = []

    async def meet(server: DtlsServer, fingerprint=KEY_DISTRIBUTOR.fingerprint, lose=()) -> tuple[IceLite, Fingerprint]:
        loop = asyncio.get_running_loop()
        _, ice = await loop.create_datagram_endpoint(
            lambda: IceLite(server, frozenset(lose)), local_addr=("127.0.0.1", 0)
        )
        opened.append(ice)
        offer = await page.evaluate(OFFER)
        await page.evaluate(ANSWER, write_answer(ice.port, fingerprint))
        return ice, Fingerprint.parse(re.search(r"a=fingerprint:(.*)\r\n", offer)[1])

    yield meet
    for ice in opened:
        ice.close()


async def test_negotiates_and_proves_the_fingerprint_of_its_sdp(meet, page):
    ice, fingerprint = await meet(make_server())
    completed = await ice.wait_for(HandshakeCompleted)
    assert Fingerprint.of(completed.client_certificate.der) == fingerprint
    assert completed.profile is AES_128
    assert len((await ice.wait_for(SrtpKeysExported)).client_write_key) == 16
    assert len(ice.arrived[0]) + len(ice.arrived[1]) > 1400  # the ClientHello in two datagrams

    init = (await ice.wait_for(ApplicationDataReceived)).data
    assert init[:4] == (5000).to_bytes(2, "big") * 2  # SCTP: source and destination port
    assert init[12] == 1  # the INIT chunk
    report = await page.evaluate(TRANSPORT)
    assert report["dtlsState"] == "connected"
    assert report["tlsVersion"] == "FEFD"
    assert report["dtlsCipher"] == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    assert report["srtpCipher"] == "SRTP_AEAD_AES_128_GCM"


async def test_our_preference_decides_the_profile(meet):
    ice, _ = await meet(make_server(profiles=(AES_256, AES_128)))
    assert (await ice.wait_for(HandshakeCompleted)).profile is AES_256


async def test_cookie_exchange_and_a_small_mtu(meet):
    ice, _ = await meet(Listener(lambda numbers: make_server(mtu=300, numbers=numbers)))
    await ice.wait_for(HandshakeCompleted)


@pytest.mark.parametrize("lost", [{0}, {1}, {0, 1, 2}])
async def test_lost_datagrams_of_ours(meet, lost):
    """Number 0 is our first flight, number 1 the one with Finished; later numbers are repetitions."""
    ice, _ = await meet(make_server(), lose=lost)
    await ice.wait_for(HandshakeCompleted)
    await ice.wait_for(ApplicationDataReceived)


async def test_refuses_a_certificate_that_is_not_in_the_sdp(meet):
    """Its alert comes in clear; it is believed after a while, because nothing follows that would disprove it."""
    ice, _ = await meet(make_server(), fingerprint=STRANGER.fingerprint)
    error = (await ice.wait_for(AssociationFailed)).error
    assert isinstance(error, AlertReceived)
    assert error.alert is AlertDescription.CERTIFICATE_UNKNOWN
    assert not any(isinstance(event, SrtpKeysExported) for event in ice.events)


async def test_learns_that_its_certificate_is_refused(meet, page):
    ice, _ = await meet(make_server(Expect(STRANGER.fingerprint)))
    await ice.wait_for(AssociationFailed)
    await page.wait_for_function("pc.sctp.transport.state === 'failed'", timeout=1000 * TIMEOUT)


async def test_close_notify_when_the_page_closes_the_connection(meet, page):
    ice, _ = await meet(make_server())
    await ice.wait_for(ApplicationDataReceived)
    await page.evaluate("pc.close()")
    await ice.wait_for(AssociationClosed)
