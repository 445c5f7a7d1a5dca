"""A real Chromium for every test under tests/browser: one process, a new context (profile) for each test.

The browser is PERC_CHROMIUM, else an installed Chromium or Chrome, else Playwright's own. A page that throws an
uncaught error, or that breaks its Content-Security-Policy, fails its test.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, async_playwright

from tests.browser.site import REPOSITORY, Site

TIME_LIMIT = 120.0
"""Seconds for one test: a promise in a page that never settles must not hold up all others. What four people do has
taken 87 of them, on two cores with a load of 20."""

INSTALLED_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

# Chromium's own sandbox does not start as root, which a container usually is.
if os.geteuid() == 0:
    FLAGS.append("--no-sandbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = limited(item.obj)


def limited(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def run(*arguments: Any, **fixtures: Any) -> None:
        async with asyncio.timeout(TIME_LIMIT):
            await test(*arguments, **fixtures)

    return run


def chromium_path() -> str | None:
    """None is Playwright's own."""
    named = os.environ.get("PERC_CHROMIUM")
    return named or next(filter(None, map(shutil.which, INSTALLED_NAMES)), None)


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield browser
    await browser.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A profile of its own: cookies, storage and permissions start empty."""
    context = await browser.new_context()
    yield context
    await context.close()


@pytest.fixture(scope="session")
async def shared_context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One profile for tests that leave nothing behind: its cache is warm, so that Pyodide starts in half the time."""
    context = await browser.new_context()
    yield context
    await context.close()


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
    """The site's empty page, in a context of its own."""
    page = page_errors.watch(await context.new_page())
    await page.goto(f"{site.origin}/perc/room")
    return page


@pytest.fixture
async def shared_page(shared_context: BrowserContext, page_errors: PageErrors, site: Site) -> AsyncIterator[Page]:
    """The site's empty page, with a warm cache; its Workers end with it."""
    page = page_errors.watch(await shared_context.new_page())
    await page.goto(f"{site.origin}/perc/room")
    yield page
    await page.close()
