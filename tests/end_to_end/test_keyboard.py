"""A conference by keyboard alone, from an account that is made for it to the end of the call.

Nothing here clicks. Whatever has the focus can be seen and shows that it has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator, Page, expect

from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import JOIN_LIMIT, Person, see_and_hear_one_another

pytestmark = pytest.mark.chromium

ENOUGH_TABS = 40
"""More than any page here has places to go to."""

IS_FOCUSED = "element => element === document.activeElement"
SHOWS_FOCUS = """element => {
    const { outlineStyle, boxShadow, clipPath } = getComputedStyle(element);
    return (outlineStyle !== "none" || boxShadow !== "none") && clipPath === "none";
}"""

PASSPHRASE = "seven quiet herons"


@dataclass(frozen=True)
class Keys:
    """Somebody at a keyboard, in front of one window."""

    page: Page

    async def go_to(self, target: Locator, key: str = "Tab") -> None:
        """Presses Tab until the target has the focus, and shows it."""
        await expect(target).to_be_visible(timeout=JOIN_LIMIT)
        await expect(target).to_be_enabled(timeout=JOIN_LIMIT)
        for _ in range(ENOUGH_TABS):
            if await target.evaluate(IS_FOCUSED):
                break
            await self.page.keyboard.press(key)
        await expect(target).to_be_focused()
        assert await target.evaluate(SHOWS_FOCUS)

    async def press(self, name: str | re.Pattern[str], key: str = "Enter") -> None:
        """Goes to a button, and presses it."""
        await self.go_to(self.page.get_by_role("button", name=name, exact=True))
        await self.page.keyboard.press(key)

    async def write(self, label: str, text: str) -> None:
        """Goes to a field, and writes into it."""
        await self.go_to(self.page.get_by_label(label, exact=True))
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def opens(self, name: str | re.Pattern[str]) -> Keys:
        """Presses a button that opens another window."""
        async with self.page.expect_popup() as opening:
            await self.press(name)
        return Keys(await opening.value)


async def sign_up(keys: Keys, name: str) -> None:
    """In the identity provider's window: makes an account, and allows the page to use it."""
    await keys.go_to(keys.page.get_by_role("link", name="Create one"))
    await keys.page.keyboard.press("Enter")
    await expect(keys.page.get_by_role("heading", name="Create an account")).to_be_visible()
    await expect(keys.page.get_by_label("Name", exact=True)).to_be_focused()
    await keys.page.keyboard.type(name)
    await keys.write("Password", PASSPHRASE)
    await keys.press("Create account")
    await allow(keys)


async def sign_in(keys: Keys, person: Person) -> None:
    """In the identity provider's window: signs in with an account, and allows the page to use it."""
    await expect(keys.page.get_by_label("Name", exact=True)).to_be_focused()
    await keys.page.keyboard.type(person.name)
    await keys.write("Password", f"{person.name}-demo")
    await keys.page.keyboard.press("Enter")
    await allow(keys)


async def allow(keys: Keys) -> None:
    async with keys.page.expect_event("close", timeout=JOIN_LIMIT):
        try:
            await keys.press("Allow")
        except (AssertionError, PlaywrightError):
            # Consent is asked for once per site; given before, the window closes by itself.
            if not keys.page.is_closed():
                raise


async def open_the_room(keys: Keys, name: str, identity: str) -> str:
    """From the start page to the call, with a new account; the link to pass on."""
    page = keys.page
    await keys.write("Name of the room", "by-hand")
    await page.keyboard.press("Enter")
    await keys.go_to(page.get_by_role("radio", name="idp-a"))
    await page.keyboard.press("Space")
    await sign_up(await keys.opens(re.compile("^Sign in at")), name)
    await expect(page.get_by_text(f"You are {identity}.")).to_be_visible(timeout=JOIN_LIMIT)

    # Who may come in: a slip on the guest list is shown where it was made.
    await keys.go_to(page.locator("summary", has_text="Who may come in?"))
    await page.keyboard.press("Enter")
    await keys.write("Guests who need not wait", "anna")
    await keys.press("Open the room")
    await expect(
        page.get_by_role("alert").filter(has_text="Neither name@provider nor @provider: “anna”.")
    ).to_be_visible()
    await expect(page.get_by_label("Guests who need not wait")).to_be_focused()
    await page.keyboard.type("@idp-a.localhost")
    await expect(page.get_by_text("anna@idp-a.localhost comes in. You are asked about everyone else.")).to_be_visible()
    await keys.press("Open the room")
    await expect(page.locator("body")).to_have_attribute("data-state", "in-call", timeout=JOIN_LIMIT)
    await keys.press("Copy link")
    return await page.get_by_label("Link to share").input_value()


async def join(keys: Keys, person: Person, link: str) -> None:
    """From the link to the host's door."""
    page = keys.page
    await page.goto(link)
    await keys.go_to(page.get_by_role("radio", name="idp-a"))
    await page.keyboard.press("ArrowDown")
    await sign_in(await keys.opens(re.compile("^Sign in at")), person)
    await expect(page.get_by_text(f"You are {person.identity}.")).to_be_visible(timeout=JOIN_LIMIT)
    await keys.press("Join")


async def test_a_conference_by_keyboard_alone(come: Come, deployment: Deployment) -> None:
    host, bob = await come("alice", is_known=False), await come("bob", is_known=False)
    host.name, host.identity = "zoe", "zoe@idp-a.localhost"
    keys, bobs_keys = Keys(host.page), Keys(bob.page)
    await host.page.goto(deployment.origin)
    link = await open_the_room(keys, host.name, host.identity)
    await join(bobs_keys, bob, link)
    await expect(bob.page.get_by_role("heading", name="Waiting for the host to let you in")).to_be_focused()

    await keys.press(f"Admit {bob.identity}")
    await bob.expect_state("in-call")
    await expect(host.page.get_by_role("heading", name="In the conference")).to_be_focused()
    await see_and_hear_one_another([host, bob])
    for person, other in ((host, bob), (bob, host)):
        tile = person.page.get_by_role("article", name=other.identity)
        await expect(tile).to_contain_text(re.compile(rf"Verified \d.* by {other.identity.partition('@')[2]}"))

    # A question can be answered with Escape; the focus is then where it was.
    await keys.press(f"Remove {bob.identity}")
    await expect(host.page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    await host.page.keyboard.press("Escape")
    await expect(host.page.get_by_role("button", name=f"Remove {bob.identity}")).to_be_focused()
    await host.page.keyboard.press("Enter")
    await keys.press("Remove", "Space")
    await expect(bob.page.get_by_role("heading", name="The host removed you")).to_be_focused()
    await expect(host.page.locator("[data-member]")).to_have_count(1)
    await expect(host.page.get_by_role("heading", name="In the conference")).to_be_focused()

    await bobs_keys.press("Back to the lobby")
    await bobs_keys.press("Join")
    await keys.press(f"Admit {bob.identity}")
    await bob.expect_state("in-call")
    await bobs_keys.press("Leave")
    await expect(bob.page.get_by_role("heading", name="You have left")).to_be_focused()
    await keys.press("End for everybody")
    await expect(host.page.get_by_role("heading", name="You have left")).to_be_focused()
