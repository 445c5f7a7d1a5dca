"""The identity provider's own pages in a real Chromium: registration, account, passkeys, sign-out, key rotation."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext, Error, Page, expect

from perc_server.identity_provider.assertions import Assertion, sign
from perc_server.identity_provider.keys import LEAD, SigningKeys
from perc_server.identity_provider.store import open_store
from tests.browser.conftest import PageErrors
from tests.browser.identity_pages.acting import open_page, run
from tests.browser.identity_pages.passkeys import VirtualAuthenticator
from tests.browser.identity_pages.servers import Clock, Server, identity_provider, page_site

pytestmark = pytest.mark.chromium

PASSWORD = "correct horse battery"
MONTHS = 90 * 24 * 3600

GENERATE = "return caught((await IdpProxy.load(value)).generateAssertion('x'))"


@dataclass
class Parties:
    idp: Server
    site: Server
    clock: Clock


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    store, clock = tmp_path_factory.mktemp("idp"), Clock()
    with ExitStack() as stack:
        idp = stack.enter_context(identity_provider("idp-a.localhost", store, clock, "alice", "anna"))
        yield Parties(idp, stack.enter_context(page_site()), clock)


@pytest.fixture
def parties(everyone: Parties) -> Parties:
    everyone.clock.ahead += 3601  # past what the test before has used up of the limits
    return everyone


@pytest.fixture
async def page(context: BrowserContext, page_errors: PageErrors, parties: Parties) -> Page:
    """A page that wants to use an identity."""
    return await open_page(context, page_errors, parties.site)


@pytest.fixture
async def account(context: BrowserContext, page_errors: PageErrors, parties: Parties) -> Page:
    """Alice's account, in the same browser."""
    page = page_errors.watch(await context.new_page())
    await sign_in(page, parties.idp)
    return page


async def sign_in(page: Page, idp: Server, name: str = "alice") -> None:
    await page.goto(f"{idp.origin}/login?again=1")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(f"{name}-demo")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/account")


async def popup_of(page: Page, idp: Server, errors: PageErrors) -> Page:
    """The login window, as the page's shim opens it."""
    outcome = await run(page, GENERATE, idp.domain)
    assert outcome["detail"] == "idp-need-login", outcome
    async with page.expect_popup() as opened:
        await page.evaluate(
            """(url) => {
              const login = import("/identity/index.js").then(({ login }) => login(url));
              window.outcome = login.then(() => "done", (error) => error.name);
            }""",
            outcome["loginUrl"],
        )
    return errors.watch(await opened.value)


async def allowed(page: Page, popup: Page) -> str:
    """The outcome of `login`, when the person allows the site to use their identity."""
    with suppress(Error):  # who has consented before is not asked again: the window closes by itself
        await popup.get_by_role("button", name="Allow", exact=True).click()
    return str(await page.evaluate("outcome"))


async def generates(page: Page, idp: Server) -> str:
    """Whether the page can use an identity: `signed`, or why not."""
    outcome = await run(page, GENERATE, idp.domain)
    return str(outcome.get("detail", "signed"))


async def add_passkey(page: Page, idp: Server, label: str = "Laptop") -> VirtualAuthenticator:
    authenticator = await VirtualAuthenticator.at(page)
    await page.goto(f"{idp.origin}/account/passkeys/new")
    await page.get_by_label("What do you call it?").fill(label)
    await page.get_by_role("button", name="Add passkey").click()
    await expect(page.get_by_text("The passkey is added.")).to_be_visible()
    return authenticator


async def test_someone_new_registers_in_the_popup_and_is_signed_in_to_the_page(
    page: Page, page_errors: PageErrors, parties: Parties
) -> None:
    popup = await popup_of(page, parties.idp, page_errors)
    await popup.get_by_role("link", name="Create one").click()
    await popup.get_by_label("Name").fill("alice")
    await popup.get_by_label("Password").fill(PASSWORD)
    await popup.get_by_role("button", name="Create account").click()
    await expect(popup.get_by_text("is taken")).to_be_visible()
    await expect(popup.get_by_label("Name")).to_be_focused()
    await expect(popup.get_by_label("Name")).to_have_accessible_description(
        "This name, or one that looks like it, is taken. Others will see it as name@idp-a.localhost. "
        "It cannot be changed later."
    )
    await popup.get_by_label("Name").fill("carol")
    await popup.get_by_label("Password").fill(PASSWORD)
    await popup.get_by_role("button", name="Create account").click()
    await expect(popup.get_by_text("carol@idp-a.localhost")).to_be_visible()
    assert await allowed(page, popup) == "done"
    assert await generates(page, parties.idp) == "signed"


async def test_someone_new_registers_with_the_keyboard_alone(
    page: Page, page_errors: PageErrors, parties: Parties
) -> None:
    popup = await popup_of(page, parties.idp, page_errors)
    await popup.bring_to_front()
    press = popup.keyboard.press
    await expect(popup.get_by_label("Name")).to_be_focused()
    for _ in range(4):  # password, sign in, passkey, create one
        await press("Tab")
    await press("Enter")
    await expect(popup.get_by_role("heading", name="Create an account")).to_be_visible()
    await expect(popup.get_by_label("Name")).to_be_focused()
    await popup.keyboard.type("dave")
    await press("Tab")
    await popup.keyboard.type(PASSWORD)
    await press("Tab")
    await press("Space")  # show what I type
    await expect(popup.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    await press("Enter")
    await popup.wait_for_selector("button[data-settle]:enabled")
    await press("Tab")
    await press("Enter")
    assert await page.evaluate("outcome") == "done"


async def test_a_passkey_signs_in_in_the_popup(
    page: Page, account: Page, page_errors: PageErrors, parties: Parties
) -> None:
    device = await add_passkey(account, parties.idp)
    await account.get_by_role("button", name="Sign out", exact=True).click()
    popup = await popup_of(page, parties.idp, page_errors)
    window = await VirtualAuthenticator.at(popup)
    for credential in await device.credentials():
        await window.add(credential)
    await popup.get_by_role("button", name="Use a passkey").click()
    assert await allowed(page, popup) == "done"
    assert await generates(page, parties.idp) == "signed"


async def test_a_passkey_is_made_used_renamed_and_removed_with_the_keyboard_alone(
    account: Page, parties: Parties
) -> None:
    await account.bring_to_front()
    device = await VirtualAuthenticator.at(account)
    press, type_text = account.keyboard.press, account.keyboard.type
    await account.get_by_role("link", name="Add a passkey").focus()
    await press("Enter")
    await expect(account.get_by_label("What do you call it?")).to_be_focused()
    await type_text("Key ring")
    await press("Enter")
    await expect(account.get_by_text("The passkey is added.")).to_be_visible()
    (credential,) = await device.credentials()
    assert credential["isResidentCredential"]
    assert credential["rpId"] == "idp-a.localhost"
    await account.goto(f"{parties.idp.origin}/login?again=1")
    await expect(account.get_by_label("Name")).to_be_focused()
    for _ in range(3):  # password, sign in, passkey
        await press("Tab")
    await expect(account.get_by_role("button", name="Use a passkey")).to_be_focused()
    await press("Enter")
    await account.wait_for_url("**/account")
    await account.get_by_role("link", name="Change Key ring").focus()
    await press("Enter")
    await expect(account.get_by_label("What do you call it?")).to_be_focused()
    await press("Control+A")
    await type_text("Key on the ring")
    await press("Enter")
    await expect(account.get_by_text("The passkey has its new name.")).to_be_visible()
    await account.get_by_role("link", name="Change Key on the ring").focus()
    await press("Enter")
    await expect(account.get_by_label("What do you call it?")).to_be_focused()
    for _ in range(2):  # save, remove
        await press("Tab")
    await press("Enter")
    await expect(account.get_by_text("The passkey is removed.")).to_be_visible()
    await account.goto(f"{parties.idp.origin}/login?again=1")
    await account.get_by_role("button", name="Use a passkey").click()
    await expect(account.get_by_text("That passkey does not open an account here.")).to_be_visible()


async def test_a_device_has_one_passkey_for_an_account(account: Page, parties: Parties) -> None:
    await add_passkey(account, parties.idp, "First")
    await account.goto(f"{parties.idp.origin}/account/passkeys/new")
    await account.get_by_role("button", name="Add passkey").click()
    await expect(account.get_by_text("This device has a passkey for your account already.")).to_be_visible()
    await expect(account.get_by_role("button", name="Add passkey")).to_be_focused()


async def test_a_person_who_does_not_unlock_the_device_is_not_signed_in(account: Page, parties: Parties) -> None:
    device = await add_passkey(account, parties.idp)
    parameters = {"authenticatorId": device.identifier, "isUserVerified": False}
    await device.session.send("WebAuthn.setUserVerified", parameters)
    await account.goto(f"{parties.idp.origin}/login?again=1")
    await account.get_by_role("button", name="Use a passkey").click()
    await expect(account.get_by_text("No passkey was used. Try again.")).to_be_visible()


async def test_a_copy_of_a_passkey_is_noticed_by_its_counter(account: Page, parties: Parties) -> None:
    device = await add_passkey(account, parties.idp)
    (copied,) = await device.credentials()
    for _ in range(2):
        await account.goto(f"{parties.idp.origin}/login?again=1")
        await account.get_by_role("button", name="Use a passkey").click()
        await account.wait_for_url("**/account")
    await device.clear()
    await device.add(copied)
    await account.goto(f"{parties.idp.origin}/login?again=1")
    await account.get_by_role("button", name="Use a passkey").click()
    await expect(account.get_by_text("That passkey does not open an account here.")).to_be_visible()


async def test_another_site_cannot_use_the_passkeys(page: Page, account: Page, parties: Parties) -> None:
    """The browser's part of it; that the provider refuses such a response, too, its own tests show."""
    await add_passkey(account, parties.idp)
    await VirtualAuthenticator.at(page)
    outcome = await page.evaluate(
        """() => navigator.credentials
          .get({ publicKey: { challenge: new Uint8Array(32), rpId: "idp-a.localhost", userVerification: "required" } })
          .catch((error) => error.name)"""
    )
    assert outcome == "SecurityError"


async def test_signing_out_takes_the_identity_from_the_page(
    page: Page, account: Page, page_errors: PageErrors, parties: Parties
) -> None:
    popup = await popup_of(page, parties.idp, page_errors)
    assert await allowed(page, popup) == "done"
    assert await generates(page, parties.idp) == "signed"
    await account.goto(f"{parties.idp.origin}/account")
    await account.get_by_role("button", name="Sign out", exact=True).click()
    await expect(account.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await generates(page, parties.idp) == "idp-need-login"


async def test_withdrawing_takes_the_identity_from_the_page(
    page: Page, context: BrowserContext, page_errors: PageErrors, parties: Parties
) -> None:
    account = page_errors.watch(await context.new_page())
    await sign_in(account, parties.idp, "anna")
    popup = await popup_of(page, parties.idp, page_errors)
    assert await allowed(page, popup) == "done"
    await account.goto(f"{parties.idp.origin}/account")
    await account.get_by_role("button", name=f"Withdraw from {parties.site.origin}").click()
    await expect(account.get_by_text("None yet. A site asks you before it does.")).to_be_visible()
    assert await generates(page, parties.idp) == "idp-need-login"


async def test_a_changed_password_signs_everyone_else_out(
    browser: Browser, account: Page, page_errors: PageErrors, parties: Parties
) -> None:
    elsewhere = await browser.new_context()
    other = page_errors.watch(await elsewhere.new_page())
    await sign_in(other, parties.idp, "anna")
    await sign_in(account, parties.idp, "anna")
    await account.get_by_role("link", name="Change your password").click()
    await account.get_by_label("Current password").fill("anna-demo")
    await account.get_by_label("New password").fill(PASSWORD)
    await account.get_by_role("button", name="Change password").click()
    await expect(account.get_by_text("Your password is changed.")).to_be_visible()
    await other.reload()
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    await elsewhere.close()
    await account.goto(f"{parties.idp.origin}/account/password")
    await account.get_by_label("Current password").fill(PASSWORD)
    await account.get_by_label("New password").fill("anna-demo")
    await account.get_by_role("button", name="Change password").click()
    await expect(account.get_by_text("This is little more than your name.")).to_be_visible()


async def test_the_cookies_as_the_browser_keeps_them(
    page: Page, account: Page, page_errors: PageErrors, parties: Parties
) -> None:
    popup = await popup_of(page, parties.idp, page_errors)
    assert await allowed(page, popup) == "done"
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert set(cookies) == {"__Host-csrf", "__Host-sign-in", "__Host-idp"}
    for name, cookie in cookies.items():
        partition = cookie.get("partitionKey")
        assert (cookie["domain"], cookie["path"]) == ("idp-a.localhost", "/")
        assert cookie["httpOnly"]
        assert cookie["secure"]
        assert cookie["sameSite"] == ("None" if name == "__Host-idp" else "Lax")
        assert (partition or "").startswith("http://localhost" if name == "__Host-idp" else "")
        assert bool(partition) == (name == "__Host-idp")


@pytest.fixture
async def without_scripts(browser: Browser, page_errors: PageErrors) -> AsyncIterator[Page]:
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def test_an_account_works_without_scripts(without_scripts: Page, parties: Parties) -> None:
    page = without_scripts
    await page.goto(f"{parties.idp.origin}/")
    await expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    await page.get_by_role("link", name="Create one").click()
    await expect(page.get_by_text("Show what I type")).to_be_hidden()
    await page.get_by_label("Name").fill("erin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_text("erin@idp-a.localhost")).to_be_visible()
    await page.get_by_role("link", name="Add a passkey").click()
    await expect(page.get_by_text("This browser cannot make passkeys here.")).to_be_visible()
    await page.get_by_role("link", name="Back to your account").click()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_label("Name").fill("erin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("erin@idp-a.localhost")).to_be_visible()


async def test_assertions_outlive_the_key_that_signed_them_by_one_rotation(page: Page, parties: Parties) -> None:
    """A relying party's proxy knows the next, the current and the previous key, and no older one."""
    domain, ahead = parties.idp.domain, parties.clock.ahead
    keys = SigningKeys(open_store(parties.idp.app.state.config.database), MONTHS, parties.clock)
    now = int(time.time())
    assertion = Assertion("{}", "alice@idp-a.localhost", domain, iat=now, exp=now + 300)
    signed = [sign(assertion, keys.current())]
    # A new document for each look: within one, the shim keeps the proxy that it has loaded.
    assert await validates(page, parties, signed[-1]) == "alice@idp-a.localhost"
    parties.clock.ahead += MONTHS + 1
    next_key = keys.published()[0]
    assert await validates(page, parties, sign(assertion, next_key)) == "alice@idp-a.localhost"
    parties.clock.ahead += LEAD
    assert keys.current().kid == next_key.kid
    assert await validates(page, parties, signed[-1]) == "alice@idp-a.localhost"
    parties.clock.ahead += MONTHS + 1
    keys.current()
    parties.clock.ahead += LEAD
    assert keys.current().kid != next_key.kid
    assert await validates(page, parties, signed[-1]) == "idp-token-invalid"
    assert await validates(page, parties, sign(assertion, next_key)) == "alice@idp-a.localhost"
    parties.clock.ahead = ahead


async def validates(page: Page, parties: Parties, assertion: str) -> str:
    await page.goto(parties.site.origin)
    body = "return caught((await IdpProxy.load(value[0])).validateAssertion(value[1]));"
    outcome = await run(page, body, [parties.idp.domain, assertion])
    return str(outcome["value"]["identity"] if "value" in outcome else outcome["detail"])
