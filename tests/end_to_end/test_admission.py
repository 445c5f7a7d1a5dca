"""Who comes in: the host decides, by a guest list or in person, and nobody else can.

Everything is looked at from the outside, apart from one thing: what the Key Distributor has told a Worker.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from perc.key_distributor.conference import ACKNOWLEDGEMENT_LIMIT
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.observed_worker import serve_entry, serve_product
from tests.end_to_end.people import JOIN_LIMIT, Person, see_and_hear_one_another

pytestmark = pytest.mark.chromium

ALERT, FATAL, ACCESS_DENIED = 21, 2, 49
PLAINTEXT_ALERT = bytes([ALERT, 0xFE, 0xFD, *bytes(8), 0, 2, FATAL, ACCESS_DENIED])
"""A DTLS record of epoch 0: all that somebody without the association's keys can write."""

JOINS_AGAIN = """() => [...document.querySelectorAll("h1")].some(
    (heading) => heading.checkVisibility() && heading.textContent === "Your connection was lost; joining again …"
)"""
"""Looked for in every frame: it may be over in a moment."""

DROPPED_LIMIT = JOIN_LIMIT + 1000 * int(ACKNOWLEDGEMENT_LIMIT)
"""Milliseconds until a member that says nothing has been dropped, and its browser has noticed."""

EVENTS = re.compile(r"/perc/events\?")
WHATEVER_IT_LIKES = "".join(
    f"event: {name}\ndata: {data}\n\n"
    for name, data in [
        ("state", '{"state": "live"}'),
        ("sources", '{"audio": 2, "video": 2}'),
        ("step", '{"step": "media", "role": "participant"}'),
        ("admitted", '{"admitted": true}'),
    ]
)


async def note_key_channel(person: Person) -> None:
    """Has the page note what arrives on its key channels; it outlives its Workers."""
    await serve_entry(person)
    await person.page.add_init_script(
        "globalThis.keyChannelMessages = [];"
        "new BroadcastChannel('key-channel-messages').onmessage = ({ data }) => keyChannelMessages.push(data);"
    )


async def key_channel_messages(person: Person) -> set[str]:
    """The types of all messages that the Key Distributor has sent on this person's key channels."""
    return set(await person.page.evaluate("keyChannelMessages"))


async def expect_clean(host: Person) -> None:
    """Nobody waits at the host's door."""
    await expect(host.page.locator("[data-part=door]")).to_be_hidden(timeout=JOIN_LIMIT)
    await expect(host.page).to_have_title(re.compile("^perc"))


async def expect_end(person: Person, state: str, heading: str) -> None:
    await person.expect_state(state)
    await expect(person.page.get_by_role("heading", name=heading)).to_be_visible()


async def expect_tiles(person: Person, *others: Person) -> None:
    """Tiles of just these, and their own."""
    tiles = person.page.locator("[data-member]")
    await expect(tiles).to_have_count(1 + len(others), timeout=JOIN_LIMIT)
    for other in others:
        await expect(tiles.filter(has_text=other.identity)).to_be_visible()


async def test_somebody_knocks_and_the_host_lets_them_in(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room("knocking", others="Ask me")
    await note_key_channel(bob)
    await alice.page.get_by_role("button", name="Copy link").focus()
    await bob.knock(link)
    await expect(bob.page.get_by_text(f"{alice.identity} is told that {bob.identity} wants")).to_be_visible()

    # The host sees who it is and who says so, in the list, in the title, and announced; the focus stays where it was.
    request = alice.page.get_by_role("listitem").filter(has_text=bob.identity)
    await expect(request).to_contain_text(re.compile(r"Verified \d+:\d\d( [AP]M)? by idp-b\.localhost"))
    await expect(alice.page).to_have_title(re.compile(r"^\(1\) "))
    announced = alice.page.get_by_role("status").filter(has_text=f"{bob.identity} wants to come in, verified")
    await expect(announced).to_have_count(1)
    await expect(alice.page.get_by_role("button", name="Copy link")).to_be_focused()
    await alice.pictures("door")
    await bob.pictures("knocking")

    # Whoever waits has been told nothing, sends nothing and is no member.
    assert await key_channel_messages(bob) == set()
    assert await bob.packets_sent() == 0
    await expect_tiles(alice)

    await alice.admit(bob)
    await bob.expect_state("in-call")
    await see_and_hear_one_another([alice, bob])
    await expect_clean(alice)
    tile = bob.page.get_by_role("article", name=alice.identity)
    await expect(tile).to_contain_text(re.compile(r"Verified \d+:\d\d( [AP]M)? by idp-a\.localhost"))
    await expect(bob.page.get_by_text("Has not confirmed the current key").locator("visible=true")).to_have_count(0)
    # To remove somebody is the host's alone.
    await expect(bob.page.get_by_role("button", name="Remove")).to_have_count(0)
    await alice.pictures("call")


async def test_the_host_denies_and_they_may_ask_again(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room("denying", others="Ask me")
    await note_key_channel(bob)
    await bob.knock(link)
    await alice.deny(bob)
    await expect_end(bob, "denied", "The host did not let you in")
    await bob.pictures("denied")
    assert await key_channel_messages(bob) == set()
    await expect_clean(alice)
    await expect_tiles(alice)

    await bob.page.get_by_role("button", name="Back to the lobby").click()
    await bob.ask()
    await alice.admit(bob)
    await bob.expect_state("in-call")
    await bob.sees(alice)
    assert await key_channel_messages(bob) == {"ekt_key", "roster"}


async def test_the_host_removes_somebody(come: Come) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("removing", others="Let in")
    await bob.join(link)
    await ben.join(link)
    await see_and_hear_one_another([alice, bob, ben])

    # Removing asks first, and can be called off.
    await alice.page.get_by_role("button", name=f"Remove {ben.identity}").click()
    await alice.pictures("removing")
    await alice.page.keyboard.press("Escape")
    await expect_tiles(alice, bob, ben)
    dropped = await bob.frames_dropped()
    await alice.remove(ben)
    await expect_end(ben, "removed", "The host removed you")
    await ben.pictures("removed")
    await expect_tiles(alice, bob)
    await expect_tiles(bob, alice)
    await alice.sees_move(bob)
    await bob.sees_move(alice)
    assert await bob.frames_dropped() <= dropped + 5, "for those who stay hardly a frame is lost"

    # Who was removed is asked about, although everybody is let in.
    await ben.page.get_by_role("button", name="Back to the lobby").click()
    await ben.ask()
    await expect_tiles(bob, alice)
    await alice.admit(ben)
    await ben.expect_state("in-call")
    await bob.sees(ben)


async def test_guests_come_in_and_everyone_else_is_turned_away(come: Come) -> None:
    alice, anna, bob, ben = [await come(name) for name in ("alice", "anna", "bob", "ben")]
    link = await alice.open_room("guests", guests=["@idp-a.localhost", bob.identity], others="Turn away")
    await bob.join(link)
    await anna.join(link)
    await bob.sees(anna)
    await ben.follow(link)
    await ben.page.get_by_role("button", name="Join").click()
    await expect_end(ben, "failed", "The host does not admit you")
    await expect(ben.page.get_by_text(f"It said: “the host does not admit {ben.identity}”")).to_be_visible()
    await ben.pictures("refused")
    await expect_clean(alice)


async def test_who_gives_up_waiting_is_not_asked_about_any_more(come: Come) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("giving-up", others="Ask me")
    await bob.knock(link)
    await ben.knock(link)
    await expect(alice.page.get_by_role("heading", name="2 people want to come in")).to_be_visible()
    await expect(alice.page).to_have_title(re.compile(r"^\(2\) "))
    await bob.page.get_by_role("button", name="Stop waiting").click()
    await bob.expect_state("left")
    await expect(alice.page.get_by_role("button", name=f"Admit {bob.identity}")).to_have_count(0, timeout=JOIN_LIMIT)
    await expect(alice.page).to_have_title(re.compile(r"^\(1\) "))
    await ben.leave()
    await expect_clean(alice)


async def test_who_was_let_in_once_may_come_again_from_another_device(come: Come) -> None:
    alice, bob, bob_elsewhere = await come("alice"), await come("bob"), await come("bob")
    link = await alice.open_room("again", others="Ask me")
    await bob.knock(link)
    await alice.admit(bob)
    await bob.expect_state("in-call")
    await bob_elsewhere.join(link)
    await expect_clean(alice)
    await expect(bob.page.get_by_text("You elsewhere, verified")).to_be_visible()


async def test_who_does_not_confirm_a_key_is_marked_then_dropped_and_may_come_back(come: Come) -> None:
    alice, bob = await come("alice"), await come("bob")
    await serve_entry(bob, is_silent=True)
    await bob.join(await alice.open_room("silent"))
    await alice.sees(bob)
    sign = alice.page.get_by_text("Has not confirmed the current key")
    await expect(alice.page.get_by_role("article", name=bob.identity).locator(sign)).to_be_visible(timeout=JOIN_LIMIT)
    await expect(alice.page.get_by_role("article", name=alice.identity).locator(sign)).to_be_hidden()
    await alice.pictures("lagging")
    await serve_product(bob)
    await bob.page.wait_for_function(JOINS_AGAIN, timeout=DROPPED_LIMIT)
    await bob.expect_state("in-call")
    await alice.sees(bob)
    await expect(alice.page.get_by_role("article", name=bob.identity).locator(sign)).to_be_hidden(timeout=JOIN_LIMIT)


async def test_nobody_but_the_host_lets_in_or_sends_away(come: Come, deployment: Deployment) -> None:
    """Call processing says what it likes on its event stream, and the Media Distributor has media for whoever waits."""
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room("no-path", others="Ask me")
    await note_key_channel(bob)
    await bob.context.route(
        EVENTS, lambda route: route.fulfill(body=WHATEVER_IT_LIKES, headers={"content-type": "text/event-stream"})
    )
    await bob.knock(link)
    conference = deployment.conference("no-path")
    [*_, endpoint] = conference.endpoints
    with deployment.recorded() as recording:
        while not any(packet.receiver_endpoint == endpoint.endpoint_id for packet in recording.packets):
            await alice.page.wait_for_timeout(100)
    assert await key_channel_messages(bob) == set()
    assert not await bob.shows_video_of(alice)
    await expect(bob.page.get_by_role("heading", name="Waiting for the host to let you in")).to_be_visible()

    await alice.admit(bob)
    await bob.expect_state("in-call")
    await bob.sees(alice)
    for _ in range(3):
        conference.send(endpoint.endpoint_id, PLAINTEXT_ALERT)
    await bob.sees_move(alice)
    await bob.expect_state("in-call")
