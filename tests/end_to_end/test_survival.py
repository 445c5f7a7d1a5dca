"""What a call survives: a lost tunnel, the owner's reload, another network path, a hidden or frozen page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

import pytest
from playwright.async_api import expect

from perc.key_distributor.associations import ASLEEP
from perc.tunnel.messages import Message, TunneledDtls
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.ice import Address
from perc_server.media_distributor.seams import Tamper
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.observed_worker import ObservedWorker
from tests.end_to_end.people import JOIN_LIMIT, Person
from tests.end_to_end.tabs import freeze, hide, slowed_down

pytestmark = pytest.mark.chromium

TUNNEL_LOST = "lost its tunnel"


def cut(conference: Conference) -> None:
    """The tunnel's TCP connection is reset, as by a network that goes away."""
    tunnel = conference.link.tunnel
    assert tunnel is not None
    tunnel.abort()


class Outage(Tamper):
    """Refuses every tunnel."""

    def accepts_tunnel(self, fingerprint: Fingerprint) -> bool:
        return False


@contextlib.contextmanager
def outage(deployment: Deployment, room: str) -> Iterator[None]:
    """Cuts the tunnel, and refuses others meanwhile."""
    with deployment.attack.by(Outage()):
        cut(deployment.conference(room))
        yield


async def test_a_tunnel_that_is_lost_costs_nobody_a_frame(come: Come, deployment: Deployment) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("outage")
    await bob.join(link)
    await bob.sees(alice)
    await alice.sees(bob)
    conference = deployment.conference("outage")
    associations = {endpoint.endpoint_id: endpoint.association_id for endpoint in conference.endpoints}
    dropped = await bob.frames_dropped()
    with outage(deployment, "outage"):
        await expect(alice.page.get_by_text(TUNNEL_LOST)).to_be_visible()
        await ben.follow(link)
        await ben.page.get_by_role("button", name="Wait for the host").click()
        await bob.sees_move(alice)
        await alice.sees_move(bob)
        assert await bob.frames_dropped() == dropped
        await ben.expect_state("waiting")
    await expect(alice.page.get_by_text(TUNNEL_LOST)).to_be_hidden(timeout=JOIN_LIMIT)
    await ben.expect_state("in-call")
    for person, other in ((ben, alice), (ben, bob), (bob, ben), (alice, ben)):
        await person.sees(other)
    still_there = {
        name: each.association_id for each in conference.endpoints if (name := each.endpoint_id) in associations
    }
    assert still_there == associations
    await bob.expect_state("in-call")


async def test_who_was_removed_in_an_outage_is_gone_when_it_ends(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.join(await alice.open_room("removal"))
    await alice.sees(bob)
    with outage(deployment, "removal"):
        await expect(alice.page.get_by_text(TUNNEL_LOST)).to_be_visible()
        await alice.remove(bob)
        await bob.expect_state("in-call")
    await bob.expect_state("removed")


async def test_a_reloaded_owner_has_everyone_back(come: Come) -> None:
    alice, bob, ben = await come("alice"), await come("bob"), await come("ben")
    link = await alice.open_room("reload", others="Ask me", guests=[ben.identity])
    await bob.knock(link)
    await alice.admit(bob)
    await bob.expect_state("in-call")
    await ben.join(link)
    await alice.sees(bob)
    before = await bob.remote_fingerprint()
    await alice.page.get_by_role("button", name="Camera on").click()
    await alice.page.reload()
    await expect(bob.page.get_by_role("heading", name="The host is back; joining again …")).to_be_visible(
        timeout=JOIN_LIMIT
    )
    for person in (alice, bob, ben):
        await person.expect_state("in-call")
    await alice.sees(bob)
    await alice.sees(ben)
    await bob.sees(ben)
    await alice.page.mouse.click(2, 2)  # what her tone wants in a new page, unlike a microphone
    await expect(bob.page.locator(f'[aria-label^="{alice.identity}"] audio')).to_be_attached(timeout=JOIN_LIMIT)
    await bob.hears(alice)
    await expect(alice.page.get_by_role("button", name="Camera off")).to_be_visible()
    assert not await bob.shows_video_of(alice)
    assert await bob.remote_fingerprint() != before


async def test_another_owner_under_a_restarted_room_is_refused(come: Come, deployment: Deployment) -> None:
    """A server that gives the room to somebody else, and says that its owner is back."""
    alice, bob, anna = await come("alice"), await come("bob"), await come("anna")
    await bob.join(await alice.open_room("stolen"))
    await bob.sees(alice)
    claim = await alice.page.evaluate("localStorage['perc:hosting:stolen']")
    await anna.page.goto(f"{deployment.origin}/perc/stolen#host")
    await anna.page.evaluate("claim => { localStorage['perc:hosting:stolen'] = claim; }", claim)
    await anna.sign_in()
    cut(deployment.conference("stolen"))
    await alice.leave()
    await anna.page.get_by_role("button", name="Open the room").click(timeout=JOIN_LIMIT)
    await bob.expect_state("failed")
    await expect(bob.page.get_by_role("heading", name=f"This is not {alice.identity}")).to_be_visible()
    assert not await bob.shows_video_of(anna)


class Blocked(Tamper):
    """Loses every datagram from and to some addresses."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        self.addresses = frozenset(addresses)

    def is_blocked(self, address: Address) -> bool:
        return address in self.addresses


async def test_another_network_path_and_the_call_goes_on(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.join(await alice.open_room("moving"))
    await alice.sees(bob)
    await bob.sees(alice)
    conference = deployment.conference("moving")
    (moving,) = [each for each in conference.endpoints if each.role == "participant"]
    blocked = Blocked(moving.ice.addresses)
    association, counters = moving.association_id, await bob.packets_sent()
    with deployment.attack.by(blocked):
        async with asyncio.timeout(20):
            while moving.ice.selected in blocked.addresses:
                await asyncio.sleep(0.05)
        await asyncio.gather(alice.sees_move(bob), bob.sees_move(alice))
        assert conference.endpoints.get(moving.endpoint_id) is moving
        assert moving.association_id == association
        assert not blocked.addresses.intersection(moving.ice.addresses)
        assert await bob.packets_sent() > counters
    await bob.expect_state("in-call")


async def test_an_endpoint_that_was_given_up_comes_back_as_another(come: Come, deployment: Deployment) -> None:
    alice, bob = await come("alice"), await come("bob")
    await bob.join(await alice.open_room("given-up"))
    await alice.sees(bob)
    conference = deployment.conference("given-up")
    (gone,) = [each for each in conference.endpoints if each.role == "participant"]
    conference.drop(gone)
    await bob.expect_state("in-call")
    await alice.sees(bob)
    await bob.sees(alice)


class Withheld(Tamper):
    """Keeps the Key Distributor's datagrams from endpoints that are not there yet."""

    def __init__(self, conference: Conference) -> None:
        self.datagrams: list[TunneledDtls] = []
        self._present = {endpoint.association_id for endpoint in conference.endpoints}

    def tunnel_received(self, conference: str, message: Message) -> Message | None:
        if not isinstance(message, TunneledDtls) or message.association_id in self._present:
            return message
        self.datagrams.append(message)
        return None


async def spis(worker: ObservedWorker) -> set[int]:
    """Of every EKTKey that somebody has had."""
    return {key.spi for key in await worker.ekt_keys()}


async def rekeyed(worker: ObservedWorker, before: set[int]) -> None:
    """Waits until somebody has another EKTKey than those of before."""
    async with asyncio.timeout(JOIN_LIMIT / 1000):
        while await spis(worker) <= before:
            await asyncio.sleep(0.05)


async def test_a_frozen_owner_page_thaws_and_rekeys(come: Come, deployment: Deployment, everyday_alice: Person) -> None:
    alice, bob, ben = everyday_alice, await ObservedWorker.of(await come("bob")), await come("ben")
    link = await alice.open_room("frozen")
    await bob.person.join(link)
    await bob.person.sees(alice)
    await ben.follow(link)
    before = await spis(bob)
    await hide(alice)
    withheld = Withheld(deployment.conference("frozen"))
    with deployment.attack.by(withheld):
        await ben.page.get_by_role("button", name="Join").click()
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while not withheld.datagrams:
                await asyncio.sleep(0.01)
        await freeze(alice)
        await asyncio.sleep(1)  # for what is on its way
        before_sleep = len(withheld.datagrams)
        # Awake, the Key Distributor would repeat its first flight; late with it by ASLEEP, it knows that it has slept.
        await asyncio.sleep(ASLEEP + 1)
        assert len(withheld.datagrams) == before_sleep
    await ben.expect_state("connecting")
    assert await spis(bob) == before
    await alice.page.bring_to_front()
    await ben.expect_state("in-call")
    await rekeyed(bob, before)
    await bob.person.sees(ben)
    await ben.sees(alice)
    await bob.person.expect_state("in-call")


async def test_a_host_in_a_hidden_tab_lets_people_in_and_rekeys(come: Come, everyday_alice: Person) -> None:
    alice, bob, ben = everyday_alice, await ObservedWorker.of(await come("bob")), await come("ben")
    link = await alice.open_room("hidden")
    await hide(alice)
    await bob.person.follow(link)
    await slowed_down(alice)  # while nobody is heard there: tabs that sound are spared
    await bob.person.page.get_by_role("button", name="Join").click()
    await bob.person.expect_state("in-call")
    await bob.person.sees(alice)
    await alice.hears(bob.person)
    before = await spis(bob)
    await ben.join(link)
    await rekeyed(bob, before)
    await ben.sees(alice)
    await bob.person.sees(ben)
    assert await alice.page.evaluate("document.hidden")
