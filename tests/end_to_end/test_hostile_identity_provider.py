"""An identity provider of a joiner's own, at the host's Key Distributor: it holds nobody up, and is refused in words.

Bob's offer is changed on its way to name the hostile provider; what it is asked runs in the page of alice, the host.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, Request, Response, Route, expect
from starlette.requests import Request as ServerRequest
from starlette.responses import Response as ServerResponse

from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.browser.identity_pages.servers import HostileProvider
from tests.end_to_end.conftest import Come
from tests.end_to_end.people import JOIN_LIMIT, Person

pytestmark = pytest.mark.chromium

OFFER = re.compile(r"/perc/offer\?")

STALLED = "your identity provider did not answer in time"
"""The Key Distributor's own words: the Media Distributor and the page, who are more patient, have others."""


def validating(body: str) -> str:
    return (
        "rtcIdentityProvider.register({ generateAssertion() {}, validateAssertion });"
        f"async function validateAssertion(assertion) {{ {body} }}"
    )


async def never(request: ServerRequest) -> ServerResponse:
    """Until whoever asks has had enough."""
    await request.body()
    await request.receive()
    return ServerResponse()


def silent(provider: HostileProvider) -> None:
    provider.handlers["/.well-known/idp-proxy/default/frame"] = never


def serving(body: str) -> Callable[[HostileProvider], None]:
    return lambda provider: provider.serves_script(validating(body))


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with HostileProvider("hostile.localhost") as provider:
        yield provider


@pytest.fixture(scope="module")
async def host(stay: Come) -> tuple[Person, str]:
    """Alice in her room, and its link: one for all of them, since nothing here may hurt her."""
    alice = await stay("alice")
    return alice, await alice.open_room("hostile")


@dataclass
class Asking:
    """Whether the host's page has asked a provider yet."""

    page: Page
    domain: str
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __enter__(self) -> Asking:
        self.page.on("request", self._hear)
        return self

    def __exit__(self, *_error: object) -> None:
        self.page.remove_listener("request", self._hear)

    def _hear(self, request: Request) -> None:
        if f"//{self.domain}/" in request.url:
            self.begun.set()


async def name_provider(person: Person, domain: str) -> None:
    """This person's offers carry an assertion of another provider."""
    identity = {"idp": {"domain": domain, "protocol": "default"}, "assertion": "mine"}
    value = base64.b64encode(json.dumps(identity).encode()).decode()

    async def rename(route: Route) -> None:
        offer = json.loads(route.request.post_data or "")
        sdp = re.sub(r"a=identity:.*\r\n", f"a=identity:{value}\r\n", offer["sdp"])
        await route.continue_(post_data={**offer, "sdp": sdp})

    await person.context.route(OFFER, rename)


async def answered(person: Person, order: list[Person]) -> None:
    """Puts the person into `order` when their offer is answered, or refused."""

    def is_answer(response: Response) -> bool:
        return OFFER.search(response.url) is not None

    await person.page.wait_for_event("response", is_answer, timeout=JOIN_LIMIT)
    order.append(person)


async def press_join(person: Person) -> None:
    await person.page.get_by_role("button", name="Join").click()


async def expect_refusal(person: Person, reason: str) -> None:
    await person.expect_state("failed")
    await expect(person.page.get_by_role("heading", name="You were not admitted")).to_be_visible()
    await expect(person.page.locator("[data-part=over-text]")).to_contain_text(f"It said: “{reason}")


@pytest.mark.parametrize(
    "hostile",
    [silent, serving("await new Promise(() => {});"), serving("for (;;);")],
    ids=["while it is loaded", "while it validates", "in a loop"],
)
async def test_a_provider_that_stalls_holds_up_nobody_else(
    hostile: Callable[[HostileProvider], None], provider: HostileProvider, host: tuple[Person, str], come: Come
) -> None:
    alice, link = host
    hostile(provider)
    # Anna's provider is alice's own, which her page knows already: a slow machine must not make it stall, too.
    bob, anna = await come("bob"), await come("anna")
    await bob.follow(link)
    await anna.follow(link)
    await name_provider(bob, provider.domain)
    with Asking(alice.page, provider.domain) as asking:

        async def behind_bob(route: Route) -> None:
            await asking.begun.wait()
            await route.continue_()

        await anna.context.route(OFFER, behind_bob)
        order: list[Person] = []
        answers = [asyncio.create_task(answered(person, order)) for person in (bob, anna)]
        await press_join(anna)
        await press_join(bob)
        await asyncio.gather(*answers)
    assert order == [anna, bob]
    await expect_refusal(bob, STALLED)
    await anna.expect_state("in-call")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("throw new Error('not today');", "not today"),
        (
            "return { identity: 'x'.repeat(1e7), contents: 'x'.repeat(1e7) };",
            "the IdP proxy did not return an RTCIdentityValidationResult",
        ),
        ("return { identity: 'bob@idp-b.localhost', contents: assertion };", "the assertion's contents are not"),
    ],
    ids=["throws", "10 MB", "rubbish"],
)
async def test_a_provider_that_misbehaves_is_refused_in_words(
    body: str, reason: str, provider: HostileProvider, host: tuple[Person, str], come: Come
) -> None:
    alice, link = host
    provider.serves_script(validating(body))
    bob = await come("bob")
    await bob.follow(link)
    await name_provider(bob, provider.domain)
    await press_join(bob)
    await expect_refusal(bob, reason)
    await expect(alice.page.locator("[data-member]")).to_have_count(1)
    await alice.expect_state("in-call")
