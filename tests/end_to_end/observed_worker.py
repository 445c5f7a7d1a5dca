"""A transform Worker that a test can look into. The product has no way to its keys, so the Worker gets an entry of the
test's own (`worker_under_test.js`), which runs the product's modules with parts that remember frames and messages.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from playwright.async_api import Route

from tests.end_to_end.people import JOIN_LIMIT, Person

WORKER = "media/worker.js"
_ENTRY = re.compile(r"/media/worker\.js$")
_ENTRY_UNDER_TEST = (Path(__file__).parent / "worker_under_test.js").read_text()

LOSSES = (
    *("unknown-spi", "no-key", "unwrap-failed", "key-length"),
    *("not-authentic", "replayed", "malformed", "awaiting-key-frame", "internal"),
)
"""Why the transform Worker drops a frame of a known member: it must drop none during the rekeys of others."""

NO_FATES = ("key-frame-refused", "field-epoch", "field-ssrc", "field-unknown-type")
"""Counted, too, but not of frames (browser/media/worker/statistics.js)."""


@dataclass(frozen=True)
class Frame:
    """A frame of an encoder, or one that reached a decoder: then `identity` is the name that its tile had."""

    kind: str
    data: bytes
    identity: str


@dataclass(frozen=True)
class EktKey:
    """The content of an `ekt_key` message."""

    key: bytes
    salt: bytes
    spi: int


class ObservedWorker:
    """A person's transform Worker, from inside."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @classmethod
    async def of(cls, person: Person, *, withheld: str | None = None, is_silent: bool = False) -> ObservedWorker:
        """Before the person joins. Messages of the type `withheld` on the key channel wait for `probe.gate`; a silent
        Worker acknowledges no EKTKey.
        """
        await serve_entry(person, withheld=withheld, is_silent=is_silent)
        return cls(person)

    async def evaluate(self, expression: str) -> Any:
        return await self.person.evaluate_in_worker(WORKER, expression)

    async def until(self, condition: str) -> None:
        """Waits until an expression in the Worker, which may not have started yet, is true."""
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while not (self.is_running and await self.evaluate(f"'probe' in globalThis && ({condition})")):
                await asyncio.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return any(WORKER in worker.url for worker in self.person.page.workers)

    async def encoded(self) -> list[Frame]:
        """What the encoders made since the last time."""
        return [frame(each, self.person.identity) for each in await self.evaluate("probe.take('encoded')")]

    async def played(self) -> list[Frame]:
        """What reached the decoders since the last time."""
        return [frame(each, each["as"]) for each in await self.evaluate("probe.take('played')")]

    async def ekt_keys(self) -> list[EktKey]:
        """Every EKTKey that the Key Distributor sent."""
        heard: Iterable[Any] = await self.evaluate(
            "probe.heard.filter(({ type }) => type === 'ekt_key')"
            ".map(({ key, salt, spi }) => [[...key], [...salt], spi])"
        )
        return [EktKey(bytes(key), bytes(salt), spi) for key, salt, spi in heard]

    async def received(self, of: ObservedWorker | None = None) -> Counter[str]:
        """What has become of received frames: `passed`, or the reason why they were dropped.

        Of one person: of the frames in the slots that have their name now.
        """
        name = json.dumps(of and of.person.identity)
        slots: Iterable[dict[str, int]] = await self.evaluate(f"probe.fates({name})")
        counted: Counter[str] = sum(map(Counter, slots), Counter())
        return Counter({fate: count for fate, count in counted.items() if fate not in NO_FATES})

    async def drops(self, reasons: Iterable[str], of: ObservedWorker | None = None) -> Counter[str]:
        """How many received frames were dropped for these reasons."""
        received = await self.received(of)
        return Counter({reason: received[reason] for reason in reasons})


async def serve_entry(person: Person, *, withheld: str | None = None, is_silent: bool = False) -> None:
    """Has the person's pages run the Worker's test entry in the place of the product's."""
    configuration = json.dumps({"withheld": withheld, "isSilent": is_silent})
    source = f"globalThis.configuration = {configuration};\n{_ENTRY_UNDER_TEST}"

    async def serve(route: Route) -> None:
        await route.fulfill(body=source, headers={"content-type": "text/javascript"})

    await person.context.route(_ENTRY, serve)


async def serve_product(person: Person) -> None:
    """Has the person's pages run the product's entry again."""
    await person.context.unroute(_ENTRY)


_SPIS = count(0x8000)


async def give_ekt_key(*workers: ObservedWorker, ttl: int = 300, age: int = 0, then: str = "") -> None:
    """Installs one new EKTKey in all these Workers, as if it had come `age` milliseconds ago: a rekey at will.

    `then` is run in the first Worker before anything else can happen there.
    """
    key = {"key": list(secrets.token_bytes(16)), "salt": list(secrets.token_bytes(12))}
    message = json.dumps({**key, "spi": next(_SPIS), "ttl": ttl})
    install = f"""(async () => {{
        const {{ key, salt, ...rest }} = {message};
        const octets = {{ key: new Uint8Array(key), salt: new Uint8Array(salt) }};
        await probe.sets.install({{ ...rest, ...octets }}, performance.now() - {age});
        %s
    }})()"""
    await asyncio.gather(*(each.evaluate(install % (then if each is workers[0] else "")) for each in workers))


def frame(remembered: dict[str, str], identity: str) -> Frame:
    return Frame(remembered["kind"], base64.b64decode(remembered["data"]), identity)
