"""How a conference ends: by its host's word, whether or not there is a tunnel to say it through."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import JOIN_LIMIT, Person
from tests.end_to_end.test_survival import TUNNEL_LOST, outage

pytestmark = pytest.mark.chromium


async def end(host: Person) -> None:
    await host.page.get_by_role("button", name="End for everybody").click()
    await host.expect_state("left")


async def open_again(host: Person) -> None:
    await host.page.get_by_role("button", name="Back to the lobby").click()
    await host.page.get_by_role("button", name="Open the room").click()
    await host.expect_state("in-call")


async def test_a_host_without_a_tunnel_ends_the_conference_for_everybody(come: Come, deployment: Deployment) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("cut-off", others="Ask me", guests=[bob.identity])
    await bob.join(link)
    await ben.knock(link)
    with outage(deployment, "cut-off"):
        await expect(alice.page.get_by_text(TUNNEL_LOST)).to_be_visible(timeout=JOIN_LIMIT)
        # Whoever waits at the door is told why nobody opens.
        await expect(ben.page.get_by_text("Until it is back they cannot let you in.")).to_be_visible(timeout=JOIN_LIMIT)
        await ben.pictures("knocking-host-away")
        await end(alice)
        for person in (bob, ben):
            await person.expect_state("ended")
    await open_again(alice)
    await bob.page.get_by_role("button", name="Back to the lobby").click()
    await bob.page.get_by_role("button", name="Join").click()
    await bob.expect_state("in-call")
    await bob.sees(alice)


async def test_a_conference_that_has_ended_can_be_opened_again_at_once(come: Come) -> None:
    alice = await come("alice")
    await alice.open_room("once-more")
    await end(alice)
    await open_again(alice)
