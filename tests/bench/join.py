"""How long people wait: for the Key Distributor in the owner's page, and from the click on Join to the first picture.

`./run bench join [--json FILE]`: real servers, real Chromium, everything on this machine. Medians of a few runs. What
Pyodide needs by itself says how quick the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import median
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

from perc.tunnel.messages import Message, TunneledDtls
from perc_server.media_distributor.seams import Tap
from tests.bench.report import Measurement, publish
from tests.chromium import launch_options
from tests.end_to_end.deployment import Deployment, deployed
from tests.end_to_end.people import JOIN_LIMIT, WINDOW, Person

RUNS = 3
COMPILED = 8.0
"""Seconds until Chromium has optimised what it runs of WebAssembly, and has put that into the profile."""
PARTICIPANTS = ("bob", "ben", "anna")
RELOADS = 3

KEY_DISTRIBUTOR_READY = """async () => {
    const { assets } = await (await fetch("/config.json")).json();
    const { RTCKeyDistributor } = await import(`${assets}/key-distributor/rtc-key-distributor.js`);
    await new RTCKeyDistributor().getCertificate();
    return performance.now();
}"""

PYODIDE_READY = """async () => {
    const { assets } = await (await fetch("/config.json")).json();
    const { loadPyodide } = await import(`${assets}/pyodide/pyodide.mjs`);
    await loadPyodide({ indexURL: `${assets}/pyodide/` });
    return performance.now();
}"""

FIRST_PICTURE = """() => {
    const [entered] = performance.getEntriesByName("perc:enter").slice(-1);
    const [shown] = performance.getEntriesByName("perc:remote-video");
    return shown.startTime - entered.startTime;
}"""


class Handshakes(Tap):
    """How long the Key Distributor works on a DTLS handshake, as the Media Distributor's end of the tunnel sees it.

    The time from a flight of the endpoint to the Key Distributor's answer, bridge and TLS included, for both flights.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._flight_began: dict[UUID, float] = {}
        self._spent: dict[UUID, list[float]] = {}

    def dtls_received(self, association_id: UUID) -> None:
        self._flight_began[association_id] = time.perf_counter()

    def tunnel_received(self, message: Message) -> None:
        if isinstance(message, TunneledDtls):
            self._answered(message.association_id)

    def _answered(self, association: UUID) -> None:
        began = self._flight_began.pop(association, None)
        spent = self._spent.setdefault(association, [])
        if began is not None and len(spent) < 2:
            spent.append(time.perf_counter() - began)
            if len(spent) == 2:
                self.seconds.append(sum(spent))


def renderers_memory(browser_pids: set[int]) -> float:
    """Megabytes that Chromium's renderers have for themselves alone."""
    total = 0
    for pid in browser_pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(amount) for amount in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE))
    return total / 1024


async def renderer_pids(browser: Browser) -> set[int]:
    session = await browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    await session.detach()
    return {process["id"] for process in processes if process["type"] == "renderer"}


@contextlib.asynccontextmanager
async def profile_on_disk(playwright: Playwright) -> AsyncIterator[BrowserContext]:
    """A profile as everybody has it. Playwright's other contexts keep nothing of what was compiled."""
    with tempfile.TemporaryDirectory() as folder:
        context = await playwright.chromium.launch_persistent_context(
            folder,
            **launch_options(is_whole=True),
            permissions=["camera", "microphone"],
            viewport=WINDOW,
        )
        yield context
        await context.close()


async def ready(context: BrowserContext, address: str, script: str) -> float:
    """Seconds from navigation until the script is through."""
    page = await context.new_page()
    await page.goto(address)
    milliseconds = await page.evaluate(script)
    await page.close()
    return float(milliseconds) / 1000


async def been_there(context: BrowserContext, deployment: Deployment) -> float:
    """The first visit of a profile: seconds until a Key Distributor in the page has its certificate."""
    seconds = await ready(context, f"{deployment.origin}/perc/bench#host", KEY_DISTRIBUTOR_READY)
    await asyncio.sleep(COMPILED)
    return seconds


async def start_up(playwright: Playwright, deployment: Deployment) -> list[Measurement]:
    cold, warm, alone = [], [], []
    for _ in range(RUNS):
        async with profile_on_disk(playwright) as context:
            cold.append(await been_there(context, deployment))
            warm.append(await ready(context, f"{deployment.origin}/perc/bench#host", KEY_DISTRIBUTOR_READY))
            alone.append(await ready(context, f"{deployment.origin}/perc/bench", PYODIDE_READY))
    return [
        Measurement("KD ready from navigation, cold", median(cold), "s", "≤ 2"),
        Measurement("KD ready from navigation, warm", median(warm), "s", "≤ 1.2"),
        Measurement("Pyodide alone ready from navigation, warm", median(alone), "s"),
    ]


async def memory(browser: Browser, deployment: Deployment) -> Measurement:
    """What a page with a Key Distributor has more than the same page without."""
    megabytes = [await worker_memory(browser, deployment) for _ in range(RUNS)]
    return Measurement("Worker memory", median(megabytes), "MB", "≤ 150")


async def worker_memory(browser: Browser, deployment: Deployment) -> float:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{deployment.origin}/perc/bench")
    await page.wait_for_selector("[data-screen=lobby]:not([hidden])")
    before = renderers_memory(await renderer_pids(browser))
    other = await context.new_page()
    await other.goto(f"{deployment.origin}/perc/bench#host")
    await other.evaluate(KEY_DISTRIBUTOR_READY)
    await page.close()
    after = renderers_memory(await renderer_pids(browser))
    await context.close()
    return after - before


async def joins(playwright: Playwright, browser: Browser, deployment: Deployment) -> list[Measurement]:
    """Participants join one after the other an owner who has been at the page before."""
    handshakes, times = Handshakes(), []
    async with profile_on_disk(playwright) as profile:
        await been_there(profile, deployment)
        owner = await Person.with_profile("alice", profile, deployment)
        link = await owner.open_room("bench")
        for name in PARTICIPANTS:
            with deployment.taps.listening(handshakes):
                participant = await Person.at_a_browser(name, browser, deployment)
                await participant.join(link)
                await participant.page.wait_for_function(
                    "() => performance.getEntriesByName('perc:remote-video').length", timeout=JOIN_LIMIT
                )
            times.append(float(await participant.page.evaluate(FIRST_PICTURE)) / 1000)
            await participant.context.close()
    return [
        Measurement("click on Join to first decrypted remote frame", median(times), "s", "≤ 2"),
        Measurement("KD DTLS handshake in the browser", median(handshakes.seconds) * 1000, "ms", "≤ 15"),
    ]


async def reloads(browser: Browser, deployment: Deployment) -> Measurement:
    """The owner's page is reloaded, with another Key Distributor, and everyone joins again."""
    owner, *others = people = [await Person.at_a_browser(name, browser, deployment) for name in ("alice", "bob", "ben")]
    link = await owner.open_room("bench-reload")
    for participant in others:
        await participant.join(link)
    times = []
    for _ in range(RELOADS):
        await everyone_sees_everyone(people)
        before = time.perf_counter()
        await owner.page.reload()
        await asyncio.gather(*(each.expect_state("joining") for each in others))
        await everyone_sees_everyone(people)
        times.append(time.perf_counter() - before)
    for person in people:
        await person.context.close()
    return Measurement("owner's reload to everyone seeing everyone again", median(times), "s")


async def everyone_sees_everyone(people: Sequence[Person]) -> None:
    await asyncio.gather(*(each.sees(other) for each in people for other in people if other is not each))


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[tuple[Playwright, Browser]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options(is_whole=True))
        yield playwright, browser
        await browser.close()


async def measure() -> list[Measurement]:
    with tempfile.TemporaryDirectory() as state:
        async with deployed(Path(state)) as deployment, chromium() as (playwright, browser):
            return [
                *await start_up(playwright, deployment),
                *await joins(playwright, browser, deployment),
                await reloads(browser, deployment),
                await memory(browser, deployment),
            ]


if __name__ == "__main__":
    publish(asyncio.run(measure()), sys.argv[1:])
