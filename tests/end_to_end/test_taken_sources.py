"""Two endpoints with the same SSRC: whoever came first keeps it, and the other offers again by itself.

Random SSRCs hardly ever collide. Here a newcomer's are changed into those of somebody who is there: on the way to the
Media Distributor, and in the newcomer's own announcement to the Key Distributor.
"""

from __future__ import annotations

import json
import re
from itertools import permutations
from typing import Any

import pytest
from playwright.async_api import Route

from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.seams import Tamper
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import Person

pytestmark = pytest.mark.chromium

OFFER = re.compile(r"/perc/offer\?")
ANNOUNCING = """(({ postMessage }) => {
    let announcements = 0;
    const claimed = (source) =>
        source.kind === "video" && announcements++ === 0 ? { ...source, ssrc: TAKEN } : source;
    Worker.prototype.postMessage = function (message, ...rest) {
        const { op, sources } = message;
        postMessage.call(this, op === "announce" ? { ...message, sources: sources.map(claimed) } : message, ...rest);
    };
})(Worker.prototype)"""
"""The page announces its first camera under another SSRC than its own."""


class Indifferent(Tamper):
    """Does not care who has an SSRC."""

    def accepts_taken_source(self, ssrc: int) -> bool:
        return True


async def a_call_of_two(come: Come, deployment: Deployment, room: str) -> tuple[Person, Person, str, Conference]:
    alice, bob = await come("alice"), await come("bob")
    link = await alice.open_room(room)
    await bob.join(link)
    await bob.sees(alice)
    return alice, bob, link, deployment.conference(room)


def camera_of(conference: Conference, number: int) -> int:
    """The SSRC of a camera, in the order in which the endpoints came."""
    cameras = [each.ssrc for endpoint in conference.endpoints for each in endpoint.sources if each.kind == "video"]
    return cameras[number]


async def expect_a_call_of_three(conference: Conference, *people: Person) -> None:
    for one, other in permutations(people, 2):
        await one.sees(other)
    ssrcs = [source.ssrc for endpoint in conference.endpoints for source in endpoint.sources]
    assert len(ssrcs) == len(set(ssrcs)) == 6


async def test_a_source_that_the_media_distributor_knows_already(come: Come, deployment: Deployment) -> None:
    alice, bob, link, conference = await a_call_of_two(come, deployment, "taken")
    ben, taken, offers = await come("ben"), camera_of(conference, 1), []

    async def collide(route: Route) -> None:
        offer: dict[str, Any] = json.loads(route.request.post_data or "")
        own = re.findall(r"a=ssrc:(\d+) ", offer["sdp"].partition("m=video")[2])[0]
        offers.append(own)
        if len(offers) == 1:
            offer["sdp"] = offer["sdp"].replace(own, str(taken))
        await route.continue_(post_data=offer)

    await ben.context.route(OFFER, collide)
    await ben.join(link)
    await expect_a_call_of_three(conference, alice, bob, ben)
    assert offers[0] != offers[1] == str(camera_of(conference, 2))


async def test_a_source_that_the_key_distributor_knows_already(come: Come, deployment: Deployment) -> None:
    """The Media Distributor looks away: what the roster says counts."""
    alice, bob, link, conference = await a_call_of_two(come, deployment, "announced")
    ben, taken = await come("ben"), camera_of(conference, 1)

    await ben.page.add_init_script(ANNOUNCING.replace("TAKEN", str(taken)))
    with deployment.attack.by(Indifferent()):
        await ben.join(link)
    await expect_a_call_of_three(conference, alice, bob, ben)
