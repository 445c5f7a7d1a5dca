"""What a rekey costs those who stay: frames that they received and could not use, while others come and go.

`./run bench rekey [--json FILE]`: real servers, real Chromium, everything on this machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from playwright.async_api import Browser

from tests.bench.join import chromium
from tests.bench.report import Measurement, publish
from tests.end_to_end.deployment import Deployment, deployed
from tests.end_to_end.observed_worker import ObservedWorker
from tests.end_to_end.people import JOIN_LIMIT, Person

VISITS = 5
SETTLED = 1.5
"""Seconds after which the last rekey is over: it comes 0.25 s after who leaves, and old keys go on for 0.5 s more."""


async def visit(browser: Browser, deployment: Deployment, link: str, members: list[ObservedWorker]) -> None:
    """Somebody joins, sees the members, and leaves by the button."""
    person = await Person.at_a_browser("ben", browser, deployment)
    await person.join(link)
    for member in members:
        await person.sees(member.person)
    await person.page.get_by_role("button", name="Leave").click()
    await members[0].person.page.get_by_text(person.identity).first.wait_for(state="detached", timeout=JOIN_LIMIT)
    await person.context.close()
    await asyncio.sleep(SETTLED)


async def received(members: list[ObservedWorker]) -> tuple[Counter[str], Counter[str]]:
    """What has become of all frames that two members have received, and of those of each other."""
    one, other = members
    return await one.received() + await other.received(), await one.received(other) + await other.received(one)


def _dropped(fates: Counter[str]) -> int:
    return fates.total() - fates["passed"]


async def visits(browser: Browser, deployment: Deployment) -> list[Measurement]:
    """Two stay, one comes and goes."""
    people = [await Person.at_a_browser(name, browser, deployment) for name in ("alice", "bob")]
    members = [await ObservedWorker.of(person) for person in people]
    alice, bob = (member.person for member in members)
    link = await alice.open_room("bench-rekey")
    await bob.join(link)
    await asyncio.gather(alice.sees(bob), bob.sees(alice))
    keys = len(await members[1].ekt_keys())
    before = await received(members)
    for _ in range(VISITS):
        await visit(browser, deployment, link, members)
    after = await received(members)
    rekeys = len(await members[1].ekt_keys()) - keys
    everything, of_each_other = (late - early for late, early in zip(after, before, strict=True))
    for member in members:
        await member.person.leave()
    newcomers = everything - of_each_other
    return [
        Measurement("rekeys while another member came and went", rekeys, "", f"≥ {2 * VISITS}"),
        Measurement("frames that two who stayed received of each other meanwhile", of_each_other.total(), ""),
        Measurement("of those, dropped", _dropped(of_each_other), "", "≤ 0"),
        Measurement("frames of newcomers, dropped before their name or a key frame", _dropped(newcomers), ""),
    ]


async def measure() -> list[Measurement]:
    with tempfile.TemporaryDirectory() as state:
        async with deployed(Path(state)) as deployment, chromium() as (_, browser):
            return await visits(browser, deployment)


if __name__ == "__main__":
    publish(asyncio.run(measure()), sys.argv[1:])
