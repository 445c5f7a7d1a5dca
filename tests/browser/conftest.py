"""A real Chromium for every test under tests/browser: one process, and one profile that is emptied between tests.

`tests/chromium.py` chooses the browser. A page that throws an uncaught error, or that breaks its
Content-Security-Policy, fails its test.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, async_playwright

from tests.browser.site import REPOSITORY, Site
from tests.chromium import launch_options


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(**launch_options())
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One profile for all tests: its cache is warm, so that pages and Pyodide start in half the time."""
    context = await browser.new_context()
    yield context
    await context.close()


@pytest.fixture
async def context(profile: BrowserContext) -> AsyncIterator[BrowserContext]:
    """The profile without cookies, permissions, routes and pages of other tests. Tests of pages that keep something in
    localStorage begin with `empty_storage`; init scripts belong to pages, since a context keeps them for ever.
    """
    yield profile
    for page in profile.pages:
        await page.close()
    await profile.clear_cookies()
    await profile.clear_permissions()
    await profile.unroute_all(behavior="ignoreErrors")


async def empty_storage(page: Page, origin: str) -> None:
    """Removes what earlier pages of an origin have left in the localStorage of this page's profile."""
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
    await session.detach()


class PageErrors(list[str]):
    """What went wrong in a page by itself: uncaught errors and broken policies."""

    def watch(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.append(message.text)


@pytest.fixture
def page_errors() -> Iterator[PageErrors]:
    """Watches pages; the test that wants an error removes it from the list."""
    errors = PageErrors()
    yield errors
    assert not errors


@pytest.fixture(scope="session")
def assets() -> None:
    """A fresh build; nothing is done when there is one."""
    subprocess.run(["node", "browser/build/build.js"], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def site(assets: None) -> Iterator[Site]:
    """The test site, under the policy of production."""
    with Site() as site:
        yield site


@pytest.fixture
async def page(context: BrowserContext, page_errors: PageErrors, site: Site) -> Page:
    """The site's empty page, in a context that nothing else uses; its Workers end with it."""
    page = page_errors.watch(await context.new_page())
    await page.goto(f"{site.origin}/perc/room")
    return page
