"""A deployment for all tests here, and people who come with a browser profile each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright

from tests.browser.conftest import assets, browser, playwright  # noqa: F401 - fixtures
from tests.end_to_end.deployment import Deployment, deployed
from tests.end_to_end.household import Household
from tests.end_to_end.people import Person
from tests.end_to_end.tabs import everyday_profile

Come = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
async def deployment(assets: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:  # noqa: F811
    async with deployed(Path(tmp_path_factory.mktemp("deployment"))) as deployment:
        yield deployment


@pytest.fixture(scope="session")
async def household(browser: Browser, deployment: Deployment) -> Household:  # noqa: F811
    return Household(browser, deployment)


@pytest.fixture
async def come(household: Household) -> AsyncIterator[Come]:
    """`await come("bob")`: bob at a browser of his own, who leaves when the test is over."""
    async with visitors(household) as come:
        yield come


@pytest.fixture(scope="module")
async def stay(household: Household) -> AsyncIterator[Come]:
    """`await stay("bob")`: bob at a browser of his own, who leaves after the last test of a module."""
    async with visitors(household) as come:
        yield come


@contextlib.asynccontextmanager
async def visitors(household: Household) -> AsyncIterator[Come]:
    people: list[tuple[Person, bool]] = []

    async def arrive(name: str, *, is_known: bool = True) -> Person:
        person = await household.person(name, is_known=is_known)
        people.append((person, is_known))
        return person

    yield arrive
    await asyncio.gather(*(household.take_back(person, is_known=is_known) for person, is_known in people))


@pytest.fixture
async def everyday_alice(playwright: Playwright, deployment: Deployment) -> AsyncIterator[Person]:  # noqa: F811
    """alice, at a browser whose tabs are not kept awake."""
    async with everyday_profile(playwright) as profile:
        yield await Person.with_profile("alice", profile, deployment)
