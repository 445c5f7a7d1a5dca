"""People at their browsers: each with a profile, a camera and a microphone of their own, doing what the page offers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path
from typing import Any, Literal, Protocol

from playwright.async_api import Browser, BrowserContext, Locator, Page, StorageState, ViewportSize, expect
from playwright.async_api import Error as PlaywrightError

HERE = Path(__file__).parent
CAMERA = (HERE / "camera.js").read_text()
SENSES = (HERE / "senses.js").read_text()

JOIN_LIMIT = 30_000
"""Milliseconds that a slow machine may take for what takes seconds."""

SENDING_SLOTS = (0, 1)
"""Of a page's transceivers: microphone and camera come first."""

SCREENSHOTS = os.environ.get("PERC_SCREENSHOTS")
WINDOW: ViewportSize = {"width": 800, "height": 600}
"""Small: three browsers on two cores paint it with the processor."""
SHAPES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 360, "height": 740}}

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Looks:
    """What a person's camera and microphone give: four quadrants of colours, and a tone in Hz."""

    colours: tuple[Colour, Colour, Colour, Colour]
    tone: float

    @property
    def script(self) -> str:
        colours = [f"rgb{colour}" for colour in self.colours]
        return CAMERA.replace("PERSON", json.dumps({"colours": colours, "tone": self.tone}))


RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30)

LOOKS = {
    "alice": Looks((RED, GREEN, BLUE, YELLOW), 440),
    "bob": Looks((YELLOW, BLUE, GREEN, RED), 1000),
    "ben": Looks((GREEN, GREEN, RED, RED), 2200),
    "anna": Looks((BLUE, YELLOW, BLUE, YELLOW), 3300),
}
PROVIDERS = {"alice": "a", "anna": "a", "bob": "b", "ben": "b"}


class Site(Protocol):
    """Where people go, and where they are known."""

    @property
    def origin(self) -> str:
        """Of the page."""
        ...

    @property
    def sessions(self) -> dict[str, StorageState]:
        """The cookies of people who have signed in once, by their names."""
        ...

    def identity_provider(self, label: str) -> str:
        """What the page calls it."""
        ...


class Person:
    """One demo account in a browser context of its own."""

    def __init__(self, name: str, deployment: Site, context: BrowserContext, page: Page) -> None:
        self.name = name
        self.page = page
        self.context = context
        self.looks = LOOKS[name]
        self.identity = f"{name}@idp-{PROVIDERS[name]}.localhost"
        self._deployment = deployment

    @classmethod
    async def at_a_browser(cls, name: str, browser: Browser, deployment: Site, *, is_known: bool = True) -> Person:
        """With what their provider left in their last browser, or, where they are not to be known, with nothing."""
        session = deployment.sessions.get(name) if is_known else None
        context = await browser.new_context(
            permissions=["camera", "microphone"], viewport=WINDOW, storage_state=session
        )
        return await cls.with_profile(name, context, deployment)

    @classmethod
    async def with_profile(cls, name: str, context: BrowserContext, deployment: Site) -> Person:
        person = cls(name, deployment, context, await context.new_page())
        await person.page.add_init_script(LOOKS[name].script)
        return person

    async def sign_in(self) -> None:
        """Chooses the identity provider; goes through its window once, and is known there afterwards."""
        await self.page.get_by_label(self._deployment.identity_provider(PROVIDERS[self.name])).check()
        signed_in, button = (
            self.page.get_by_text(f"You are {self.identity}."),
            self.page.get_by_role("button", name="Sign in"),
        )
        await expect(signed_in.or_(button)).to_be_visible(timeout=JOIN_LIMIT)
        if await button.is_visible():
            await self._go_through_the_window(button)
            await expect(signed_in).to_be_visible(timeout=JOIN_LIMIT)
            self._deployment.sessions[self.name] = {**await self.context.storage_state(), "origins": []}

    async def _go_through_the_window(self, button: Locator) -> None:
        """Name, password, consent."""
        async with self.page.expect_popup() as opening:
            await button.click()
        popup = await opening.value
        await popup.get_by_label("Name").fill(self.name)
        await popup.get_by_label("Password").fill(f"{self.name}-demo")
        await popup.get_by_role("button", name="Sign in").click()
        try:
            await popup.get_by_role("button", name="Allow", exact=True).click()
        except PlaywrightError:
            # Consent is asked for once per site; given before, the window closes by itself.
            if not popup.is_closed():
                raise

    async def open_room(self, room: str, *, others: str = "Let in", guests: Sequence[str] = ()) -> str:
        """Creates a conference as its owner, who says who may come in; the link to pass on.

        `others` is what is done about everyone who is not a guest, as the lobby has it: Ask me, Turn away, Let in.
        """
        await self.page.goto(self._deployment.origin)
        await self.page.get_by_label("Name of the room").fill(room)
        await self.page.get_by_role("button", name="Create").click()
        await self.sign_in()
        await self.page.get_by_text("Who may come in?").click()
        await self.page.get_by_label("Guests who need not wait").fill("\n".join(guests))
        await self.page.get_by_role("radio", name=others, exact=True).check()
        await self.pictures("lobby-host")
        await self.page.get_by_role("button", name="Open the room").click()
        await self.expect_state("in-call")
        return await self.page.locator("[data-part=join-link]").input_value()

    async def follow(self, link: str) -> None:
        """Opens a join link and signs in."""
        await self.page.goto(link)
        await self.sign_in()

    async def join(self, link: str) -> None:
        """Opens a join link, signs in, joins."""
        await self.follow(link)
        await self.page.get_by_role("button", name="Join").click()
        await self.expect_state("in-call")

    async def knock(self, link: str) -> None:
        """Opens a join link, signs in, and asks to be let in."""
        await self.follow(link)
        await self.ask()

    async def ask(self) -> None:
        """From the lobby: joins, and waits to be let in."""
        await self.page.get_by_role("button", name="Join").click()
        waiting = self.page.get_by_role("heading", name="Waiting for the host to let you in")
        await expect(waiting).to_be_visible(timeout=JOIN_LIMIT)

    async def admit(self, other: Person) -> None:
        """Lets in one who has asked."""
        await self.page.get_by_role("button", name=f"Admit {other.identity}").click(timeout=JOIN_LIMIT)

    async def deny(self, other: Person) -> None:
        """Sends away one who has asked."""
        await self.page.get_by_role("button", name=f"Deny {other.identity}").click(timeout=JOIN_LIMIT)

    async def remove(self, other: Person) -> None:
        """Removes a member, and says yes to whether this is meant."""
        await self.page.get_by_role("button", name=f"Remove {other.identity}").click()
        await self.page.get_by_role("dialog").get_by_role("button", name="Remove").click()

    async def leave(self) -> None:
        """Closes all pages, without a word to anybody."""
        for page in self.context.pages:
            await page.close()

    async def expect_state(self, state: str) -> None:
        await expect(self.page.locator("body")).to_have_attribute("data-state", state, timeout=JOIN_LIMIT)

    async def sees(self, other: Person) -> None:
        """Waits until the tile labelled with the other's verified identity shows the other's picture."""
        await self.page.wait_for_function(
            f"""([identity, expected]) => {{
                const senses = {SENSES.rstrip().removesuffix(";")};
                const video = document.querySelector(`[aria-label^="${{identity}}"] video:not([hidden])`);
                const seen = video && senses.look(video);
                return seen?.every((colour, i) => colour.every((c, j) => Math.abs(c - expected[i][j]) < 50));
            }}""",
            arg=[other.identity, [list(colour) for colour in other.looks.colours]],
            timeout=JOIN_LIMIT,
        )

    async def hears(self, other: Person) -> None:
        """Waits until the loudest frequency in the other's tile is the other's tone."""

        def is_tone(heard: dict[str, float] | None) -> bool:
            return heard is not None and abs(heard["frequency"] - other.looks.tone) < 20 and heard["level"] > -60

        await self._listen_until(is_tone, other, "does not hear")

    async def listen_to(self, other: Person) -> dict[str, float] | None:
        """The loudest frequency in the other's tile, in Hz, and its level in dB."""
        return await self.page.evaluate(
            f"""async (identity) => {{
                const senses = {SENSES.rstrip().removesuffix(";")};
                const audio = document.querySelector(`[aria-label^="${{identity}}"] audio`);
                return audio ? senses.listen(audio) : null;
            }}""",
            other.identity,
        )

    async def look_at(self, other: Person) -> list[list[int]] | None:
        """The colours at the quadrant centres of the other's tile, or None while it shows no picture."""
        seen: list[list[int]] | None = await self.page.evaluate(
            f"""(identity) => {{
                const senses = {SENSES.rstrip().removesuffix(";")};
                const video = document.querySelector(`[aria-label^="${{identity}}"] video:not([hidden])`);
                return video && senses.look(video);
            }}""",
            other.identity,
        )
        return seen

    async def sees_move(self, other: Person) -> None:
        """Waits until the other's tile has shown some more frames."""
        await self.page.wait_for_function(
            """(identity) => {
                const video = document.querySelector(`[aria-label^="${identity}"] video:not([hidden])`);
                const shown = video?.getVideoPlaybackQuality().totalVideoFrames;
                globalThis.shownBefore ??= shown;
                if (!(shown > globalThis.shownBefore + 5)) return false;
                delete globalThis.shownBefore;
                return true;
            }""",
            arg=other.identity,
            timeout=JOIN_LIMIT,
        )

    async def frames_dropped(self) -> int:
        """How many received frames the transform Worker has dropped, for whatever reason."""
        slots: dict[str, dict[str, int]] = await self.evaluate_in_worker(
            "media/worker.js",
            """(() => {
                let said;
                const post = self.postMessage;
                self.postMessage = ({ slots }) => (said = slots);
                self.onmessage({ data: { op: "statistics" } });
                self.postMessage = post;
                return said;
            })()""",
        )
        kept = ("passed", "key-frame-refused", "field-epoch", "field-ssrc", "field-unknown-type")
        received = [counts for slot, counts in slots.items() if int(slot) not in SENDING_SLOTS]
        return sum(count for counts in received for reason, count in counts.items() if reason not in kept)

    async def shows_video_of(self, other: Person) -> bool:
        return await self.page.locator(f'[aria-label^="{other.identity}"] video:not([hidden])').count() > 0

    async def hears_nothing_of(self, other: Person) -> None:
        await self._listen_until(lambda heard: heard is None or heard["level"] < -90, other, "still hears")

    async def _listen_until(
        self, is_expected: Callable[[dict[str, float] | None], bool], other: Person, otherwise: str
    ) -> None:
        heard = None
        try:
            async with asyncio.timeout(JOIN_LIMIT / 1000):
                while not is_expected(heard := await self.listen_to(other)):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{self.name} {otherwise} {other.name}: {heard}") from None

    async def remote_fingerprint(self) -> str:
        """SHA-256 fingerprint of the certificate at the other end of DTLS, as Chromium's statistics have it."""
        return await self.page.evaluate(
            """async () => {
                const reports = await connections.at(-1).getStats();
                const transport = [...reports.values()].find(({ type }) => type === "transport");
                return reports.get(transport.remoteCertificateId).fingerprint;
            }"""
        )

    async def packets_sent(self) -> int:
        return await self.page.evaluate(
            """async () => {
                const reports = await connections.at(-1).getStats();
                const sent = [...reports.values()].filter(({ type }) => type === "outbound-rtp");
                return sent.reduce((sum, { packetsSent }) => sum + packetsSent, 0);
            }"""
        )

    async def steps(self) -> list[str]:
        """The numbered steps in this page's event log."""
        return await self.page.locator("[data-part=log-entries] [data-part=step]").all_text_contents()

    async def pictures(self, name: str) -> None:
        """What the page looks like, light and dark, wide and narrow; only with PERC_SCREENSHOTS, a directory."""
        if not SCREENSHOTS:
            return
        before = self.page.viewport_size
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for (shape, size), scheme in product(SHAPES.items(), schemes):
            await self.page.set_viewport_size(size)
            await self.page.emulate_media(color_scheme=scheme)
            await self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{shape}-{scheme}.png", full_page=True)
        await self.page.emulate_media(color_scheme=None)
        await self.page.set_viewport_size(before or SHAPES["wide"])

    async def evaluate_in_worker(self, name_part: str, expression: str) -> Any:
        """Runs an expression in a Worker of the page: a tester's privilege, no door of the product."""
        worker = next(worker for worker in self.page.workers if name_part in worker.url)
        return await worker.evaluate(expression)


async def see_one_another(people: Sequence[Person]) -> None:
    await asyncio.gather(*(person.sees(other) for person, other in permutations(people, 2)))


async def see_and_hear_one_another(people: Sequence[Person]) -> None:
    await asyncio.gather(see_one_another(people), *(person.hears(other) for person, other in permutations(people, 2)))
