"""The browser profiles that people keep from test to test: their caches are warm, and their providers know them."""

from __future__ import annotations

from collections import defaultdict

from playwright.async_api import Browser, BrowserContext

from tests.browser.conftest import empty_storage
from tests.end_to_end.people import Person, Site


class Household:
    """Gives each person a profile that nobody else has at the moment."""

    def __init__(self, browser: Browser, deployment: Site) -> None:
        self._browser = browser
        self._deployment = deployment
        self._idle: defaultdict[str, list[BrowserContext]] = defaultdict(list)

    async def person(self, name: str, *, is_known: bool = True) -> Person:
        """Somebody at a browser of their own; with a profile that is new if their provider must not know them."""
        if not is_known or not self._idle[name]:
            return await Person.at_a_browser(name, self._browser, self._deployment, is_known=is_known)
        person = await Person.with_profile(name, self._idle[name].pop(), self._deployment)
        await empty_storage(person.page, self._deployment.origin)
        return person

    async def take_back(self, person: Person, *, is_known: bool = True) -> None:
        """Closes a person's pages, and keeps the profile for the next test if the person was known from the start."""
        if not is_known:
            await person.context.close()
            return
        await person.leave()
        await person.context.unroute_all(behavior="ignoreErrors")
        self._idle[person.name].append(person.context)
