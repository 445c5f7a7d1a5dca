"""Calls of two and three people, from the outside: what they see, hear and are told."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from perc.x509.fingerprint import Fingerprint
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import JOIN_LIMIT, see_and_hear_one_another

pytestmark = pytest.mark.chromium


def section(name: str, last: int) -> list[str]:
    return [f"{name} ({step})" for step in range(1, last + 1)]


OWNER_STEPS = [*section("4.1.1", 14), *section("4.1.2", 9), *section("4.1.3", 10), *section("4.1.4", 4)]
OWNER_STEPS += section("4.1.5", 3)


async def test_two_people_see_and_hear_each_other(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room("two")
    assert link == f"{deployment.origin}/perc/two#owner=alice@idp-a.localhost"
    await bob.join(link)
    await see_and_hear_one_another([alice, bob])

    # Every step of the call flow happened, and in the order of the draft.
    owner_steps = await alice.steps()
    assert owner_steps[: len(OWNER_STEPS)] == OWNER_STEPS
    assert owner_steps[len(OWNER_STEPS) :] == [*section("4.1.7", 10), *section("4.1.9", 3)]
    own = [step for step in await bob.steps() if not step.startswith("4.1.7")]
    assert own == [*section("4.1.6", 11), *section("4.1.8", 4), *section("4.1.9", 3)]

    # Whoever they are connected to by DTLS, it is the Key Distributor.
    conference = deployment.media_distributor.conference("two")
    assert conference is not None
    for person in (alice, bob):
        assert Fingerprint.parse(f"sha-256 {await person.remote_fingerprint()}") == conference.fingerprint


async def test_three_people_and_a_fourth_who_leaves(come: Come) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("three")
    await bob.join(link)
    anna = await come("anna")
    await anna.join(link)
    await anna.leave()
    await ben.join(link)
    await see_and_hear_one_another([alice, bob, ben])
    await expect(alice.page.get_by_text(anna.identity)).to_have_count(0, timeout=JOIN_LIMIT)


async def test_whoever_comes_before_the_owner_waits(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.follow(f"{deployment.origin}/perc/early#owner={alice.identity}")
    await bob.page.get_by_role("button", name="Wait for the host").click()
    await expect(bob.page.get_by_text(f"{alice.identity} is not here yet.")).to_be_visible()
    await alice.open_room("early")
    await bob.expect_state("in-call")
    await bob.sees(alice)


async def test_a_link_that_names_nobody_asks_before_anything_is_sent(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    await alice.open_room("nameless")
    await bob.follow(f"{deployment.origin}/perc/nameless")
    await bob.page.get_by_role("button", name="Join").click()
    await bob.expect_state("confirming-host")
    dialog = bob.page.get_by_role("dialog")
    await expect(dialog).to_contain_text(alice.identity)
    assert await bob.packets_sent() == 0
    await dialog.get_by_role("button", name="Yes, join").click()
    await bob.expect_state("in-call")
    await alice.sees(bob)


async def test_joining_without_a_camera_muting_and_turning_it_on(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room("camera")
    await bob.follow(link)
    await bob.page.get_by_label("Camera", exact=True).uncheck()
    await bob.page.get_by_role("button", name="Join").click()
    await bob.expect_state("in-call")
    await alice.hears(bob)
    assert not await alice.shows_video_of(bob)
    await bob.page.get_by_role("button", name="Camera off").click()
    await alice.sees(bob)
    await bob.page.get_by_role("button", name="Microphone on").click()
    await alice.hears_nothing_of(bob)
    await bob.page.get_by_role("button", name="Microphone off").click()
    await alice.hears(bob)


async def test_a_decision_at_the_door_is_made_once(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.knock(await alice.open_room("twice", others="Ask me"))
    admit = alice.page.get_by_role("button", name=f"Admit {bob.identity}")
    await admit.evaluate("button => { button.click(); button.click(); }", timeout=JOIN_LIMIT)
    await bob.expect_state("in-call")
    await alice.sees(bob)
    await expect(alice.page.locator("[data-part=notices]")).to_be_empty()


async def test_the_owner_ends_the_conference_for_everybody(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.join(await alice.open_room("ending"))
    await bob.sees(alice)
    await alice.page.get_by_role("button", name="End for everybody").click()
    await alice.expect_state("left")
    await bob.expect_state("ended")
    await expect(bob.page.get_by_role("heading", name="The conference is over")).to_be_visible()
