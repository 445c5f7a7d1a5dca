"""No plaintext, ever: each key that a transform Worker holds is taken away at each moment of a call.

The wire is what comes to the Media Distributor behind the hop's SRTP: not one payload may have eight octets in common
with a frame that an encoder made. The screen is what a Worker lets through to its decoders: each such frame must be one
that the person encoded whose name the tile had.

Keys are taken by a tester's privilege (`observed_worker`), and so are given the EKTKeys between two cases.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.observed_worker import Frame, ObservedWorker, give_ekt_key
from tests.end_to_end.people import JOIN_LIMIT, Person
from tests.end_to_end.wire import Plaintext, Wire

pytestmark = pytest.mark.chromium

PRIVILEGES = (Path(__file__).parent / "privileges.js").read_text()

SETTLED = 0.2
"""Seconds for which a frame may still be under way to the wire when its key is taken."""
WATCHED = 0.25
"""Seconds for which a case is watched: a dozen packets of sound, five pictures."""
WATCHED_PACKETS = 6

FRAMES_DECODED = "privileges.framesDecoded()"


@dataclass(frozen=True)
class Key:
    """Something to take away in a Worker. Whoever sends then falls silent, goes on, or does either (None)."""

    take: str
    is_silent: bool | None


SETS = "const { sets } = probe, { newest } = sets;"
EVERY_SENDER, EVERY_RECEIVER = "for (const each of probe.senders)", "for (const each of probe.receivers)"
KEYS = {
    "the EKTKey": Key(f"{SETS} sets.forget(newest?.spi);", True),
    "the EKTKeys before": Key(f"{SETS} for (const spi of sets.spis) if (spi !== newest?.spi) sets.forget(spi);", False),
    "every EKTKey": Key(f"{SETS} sets.clear();", True),
    "what wraps under the EKTKey": Key(f"{SETS} if (newest) newest.keyWrap = null;", None),
    "the senders' master keys that encrypt": Key(f"{EVERY_SENDER} each.active = null;", False),
    "the senders' master keys that are told": Key(f"{EVERY_SENDER} each.announced = null;", False),
    "the senders' master keys": Key(f"{EVERY_SENDER} each.restart();", False),
    "the senders' session keys": Key(
        f"{EVERY_SENDER} for (const key of [each.active, each.announced]) if (key) key.cipher = probe.keyless;", None
    ),
    "the receivers' master keys": Key(f"{EVERY_RECEIVER} each.keys = [];", False),
    "the receivers' newest master keys": Key(f"{EVERY_RECEIVER} each.keys.shift();", False),
    "the receivers' session keys": Key(
        f"{EVERY_RECEIVER} for (const key of each.keys) key.cipher = probe.keyless;", False
    ),
}


@dataclass
class Call:
    """Alice, whose keys are taken, and bob; what they encoded and what they sent."""

    alice: ObservedWorker
    bob: ObservedWorker
    wire: Wire
    deployment: Deployment
    encoded: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    pictures: Counter[ObservedWorker] = field(default_factory=Counter)

    def endpoint(self, role: str) -> str:
        """The last endpoint with this role."""
        endpoints = self.deployment.conference("plaintext").endpoints
        return [each.endpoint_id for each in endpoints if each.role == role][-1]

    async def rekey(self, ttl: int = 300, age: int = 0, then: str = "") -> None:
        """Gives both a new EKTKey; `then` runs in alice's Worker at once."""
        await give_ekt_key(self.alice, self.bob, ttl=ttl, age=age, then=then)

    async def goes_on(self) -> None:
        """After a rekey both see one another."""
        await self.rekey()
        alice, bob = self.alice.person, self.bob.person
        await asyncio.gather(alice.sees_move(bob), bob.sees_move(alice))

    async def sent(self, role: str) -> int:
        """How many packets an endpoint sends in a while from now on."""
        await asyncio.sleep(SETTLED)
        since = len(self.wire.packets)
        await asyncio.sleep(WATCHED)
        return len(self.wire.of(self.endpoint(role), since))

    async def sends(self, role: str) -> None:
        """Waits until an endpoint has sent some packets from now on."""
        since = len(self.wire.packets)
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while len(self.wire.of(self.endpoint(role), since)) < WATCHED_PACKETS:
                await asyncio.sleep(0.02)

    async def leaked(self, *guests: ObservedWorker, since: int) -> int:
        """How many payloads on the wire since then are in the clear. On every screen is only what was sent to it."""
        workers = (self.alice, self.bob, *guests)
        decoded = [await worker.person.page.evaluate(FRAMES_DECODED) for worker in workers]
        played = [await self.played(worker) for worker in workers]
        frames = [frame for worker in workers for frame in await worker.encoded()]
        for frame in frames:
            self.encoded[frame.identity].add(frame.data)
        assert all(frame.data in self.encoded[frame.identity] for shown in played for frame in shown)
        for worker, pictures in zip(workers, decoded, strict=True):
            assert pictures <= self.pictures[worker]
        plaintext = Plaintext(frames)
        return sum(plaintext.is_in(packet.payload) for _, packet in self.wire.packets[since:])

    async def played(self, worker: ObservedWorker) -> list[Frame]:
        """What was played since the last time."""
        frames = await worker.played()
        self.pictures[worker] += sum(frame.kind == "video" for frame in frames)
        return frames

    async def see_off(self, guest: Person) -> None:
        """What a guest sent at last is asked nothing more."""
        await guest.page.get_by_role("button", name="Leave").click()
        for worker in (self.alice, self.bob):
            await worker.until("probe.session.roster.members.length === 2")
            await self.played(worker)


@pytest.fixture(scope="module")
async def call(stay: Come, deployment: Deployment) -> AsyncIterator[Call]:
    alice, bob = await stay("alice"), await stay("bob")
    for person in (alice, bob):
        await person.page.add_init_script(PRIVILEGES)
    call = Call(await ObservedWorker.of(alice), await ObservedWorker.of(bob), Wire(), deployment)
    with deployment.taps.listening(call.wire):
        await bob.join(await alice.open_room("plaintext"))
        yield call


Moment = Callable[[Call, str], Awaitable[None]]
"""Comes to the moment in alice's page, and takes a key."""


async def at_key_delivery(call: Call, take: str) -> None:
    await call.rekey(then=take)


async def in_the_overlap(call: Call, take: str) -> None:
    await call.rekey()
    await asyncio.sleep(0.08)
    await call.alice.evaluate(take)


async def after_a_rekey(call: Call, take: str) -> None:
    await call.rekey()
    await asyncio.sleep(0.55)
    await call.alice.evaluate(take)


async def at_the_end_of_the_ttl(call: Call, take: str) -> None:
    await call.rekey(ttl=1, age=950)
    await call.alice.evaluate(take)


async def when_muted(call: Call, take: str) -> None:
    await call.rekey()
    await press(call, "microphone", "camera")
    await call.alice.evaluate(take)


async def when_unmuted(call: Call, take: str) -> None:
    await when_muted(call, "")
    await press(call, "microphone", "camera")
    await call.alice.evaluate(take)


async def press(call: Call, *buttons: str) -> None:
    for button in buttons:
        await call.alice.person.page.evaluate(f"document.querySelector('button[data-part={button}]').click()")


async def at_a_renegotiation(call: Call, take: str) -> None:
    await call.rekey()
    await asyncio.gather(call.alice.person.page.evaluate("privileges.renegotiate()"), call.alice.evaluate(take))


async def at_new_transforms(call: Call, take: str) -> None:
    await call.rekey()
    await call.alice.person.page.evaluate("privileges.replaceTransforms(privileges.makeTransform)")
    await call.alice.evaluate(take)


async def when_the_key_channel_has_closed(call: Call, take: str) -> None:
    await call.rekey()
    await call.alice.evaluate("probe.dataChannel.close()")
    await call.alice.evaluate(take)


MOMENTS: dict[str, Moment] = {
    "key delivery": at_key_delivery,
    "overlap": in_the_overlap,
    "after a rekey": after_a_rekey,
    "end of ttl": at_the_end_of_the_ttl,
    "mute": when_muted,
    "unmute": when_unmuted,
    "renegotiation": at_a_renegotiation,
    "new transforms": at_new_transforms,
    "closed key channel": when_the_key_channel_has_closed,
}


@pytest.mark.parametrize("withheld", ["ekt_key", "roster"])
async def test_before_the_first_key(withheld: str, call: Call, come: Come) -> None:
    ben = await come("ben")
    await ben.page.add_init_script(PRIVILEGES)
    worker = await ObservedWorker.of(ben, withheld=withheld)
    beginning = len(call.wire.packets)
    await ben.follow(await call.alice.person.page.locator("[data-part=join-link]").input_value())
    await ben.page.get_by_role("button", name="Join").click()
    await worker.until("probe.encoded.length > 50")
    endpoint = call.endpoint("participant")
    assert call.wire.of(endpoint, beginning) == []
    assert await ben.page.evaluate(FRAMES_DECODED) == 0
    await worker.evaluate("probe.gate.resolve()")
    await ben.expect_state("in-call")
    await ben.sees(call.alice.person)
    await call.sends("participant")
    assert await call.leaked(worker, since=beginning) == 0
    await call.see_off(ben)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_each_key_is_taken_away(moment: str, call: Call) -> None:
    await call.goes_on()
    beginning = len(call.wire.packets)
    for name, key in KEYS.items():
        await MOMENTS[moment](call, f"(() => {{ {key.take} }})()")
        match True if moment == "end of ttl" else key.is_silent:
            case True:
                assert await call.sent("owner") == 0, name
            case False:
                await call.sends("owner")
            case None:
                await call.sent("owner")
        if moment == "mute":
            await press(call, "microphone", "camera")
    assert len(call.wire.packets) > beginning + len(KEYS)
    assert await call.leaked(since=beginning) == 0


async def test_plaintext_would_have_been_seen(call: Call) -> None:
    await call.rekey()
    beginning = len(call.wire.packets)
    await call.alice.evaluate("probe.isClear = true")
    await call.sends("owner")
    await call.alice.evaluate("probe.isClear = false")
    assert await call.leaked(since=beginning) >= WATCHED_PACKETS


async def test_without_its_worker_a_page_neither_sends_nor_shows(call: Call) -> None:
    """Nor when the transforms are then taken away."""
    await call.rekey()
    page = call.alice.person.page
    await page.evaluate("workers.at(-1).terminate()")
    assert await call.sent("owner") == 0
    decoded = await page.evaluate(FRAMES_DECODED)
    await page.evaluate("privileges.replaceTransforms(null)")
    assert await call.sent("owner") == 0
    await call.sends("participant")
    assert await page.evaluate(FRAMES_DECODED) == decoded
