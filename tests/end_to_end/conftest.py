"""A deployment for all tests here, and people who come with a browser profile each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright

from tests.browser.conftest import assets, browser, playwright  # noqa: F401 - fixtures
from tests.end_to_end.deployment import Deployment, deployed
from tests.end_to_end.people import Person
from tests.end_to_end.tabs import everyday_profile

Come = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
async def deployment(assets: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:  # noqa: F811
    async with deployed(Path(tmp_path_factory.mktemp("deployment"))) as deployment:
        yield deployment


@pytest.fixture
async def come(browser: Browser, deployment: Deployment) -> AsyncIterator[Come]:  # noqa: F811
    """`await come("bob")`: bob at a browser of his own, who goes when the test is over."""
    people: list[Person] = []

    async def arrive(name: str, *, is_known: bool = True) -> Person:
        person = await Person.at_a_browser(name, browser, deployment, is_known=is_known)
        people.append(person)
        return person

    yield arrive
    for person in people:
        await person.leave()


@pytest.fixture
async def everyday_alice(playwright: Playwright, deployment: Deployment) -> AsyncIterator[Person]:  # noqa: F811
    """alice, at a browser whose tabs are not kept awake."""
    async with everyday_profile(playwright) as profile:
        yield await Person.with_profile("alice", profile, deployment)
