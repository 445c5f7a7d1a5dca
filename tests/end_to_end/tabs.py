"""A Chromium that hides, slows down and freezes its tabs as everybody's does. What Playwright starts it keeps awake.

It emulates focus in each page, which is then never hidden, and no other session can end that (measured). So the profile
here is of a browser to which it is connected from outside, and in which it emulates nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import BrowserContext, Playwright

from tests.chromium import launch_options
from tests.end_to_end.deployment import free_port
from tests.end_to_end.people import JOIN_LIMIT, Person

KEEPING_AWAKE = [
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]


@contextlib.asynccontextmanager
async def everyday_profile(playwright: Playwright) -> AsyncIterator[BrowserContext]:
    """The one profile of a browser of its own."""
    port = free_port()
    browser = await playwright.chromium.launch(
        **launch_options(f"--remote-debugging-port={port}", is_whole=True), ignore_default_args=KEEPING_AWAKE
    )
    connecting = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    async with browser, await connecting as connection:
        yield connection.contexts[0]


async def hide(person: Person) -> None:
    """Another tab comes in front of the person's."""
    other = await person.context.new_page()
    await other.bring_to_front()
    # By a timer: a hidden page has no animation frames.
    await person.page.wait_for_function("document.hidden", polling=100, timeout=JOIN_LIMIT)


async def slowed_down(person: Person) -> None:
    """Waits until timers in the person's page fire once per second, as they do some time after it was hidden."""
    async with asyncio.timeout(JOIN_LIMIT / 1000):
        await person.page.evaluate(
            """async () => {
                let began;
                do {
                    began = performance.now();
                    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 10));
                } while (performance.now() - began < 2000);
            }"""
        )


async def freeze(person: Person) -> None:
    """Stops the person's page until its tab is in front again, and its Workers, too (measured).

    Of a page that is not hidden it stops nothing, without an error.
    """
    session = await person.context.new_cdp_session(person.page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})
