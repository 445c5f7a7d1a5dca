"""The transform Worker laid open: a tester's privilege. The product has no door to its keys, so the tests serve the
browser the same code with its private fields public, and with ears.
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
_MODULES = re.compile(r"/media/worker(/[\w-]+)?\.js$")
_EARS = (Path(__file__).parent / "ears.js").read_text()

LOSSES = (
    *("unknown-spi", "no-key", "unwrap-failed", "key-length"),
    *("not-authentic", "replayed", "malformed", "awaiting-key-frame", "internal"),
)
"""Why the transform Worker drops a frame of somebody who is known: not one, during the rekeys of others."""

NO_FATES = ("key-frame-refused", "field-epoch", "field-ssrc", "field-unknown-type")
"""Counted, too, but not of frames (browser/media/worker/statistics.js)."""

_PRIVATE_NAME = re.compile(r"""(?<![\w"'`/&])#(?=[a-z])""")
_EARS_AT = {
    "await stream.process(frame, clock.now());": (
        "await ears.hear(stream, frame, () => stream.process(frame, clock.now()));"
    ),
    "received: (message) => this._handle(message),": (
        "received: (message) => ears.receive(message, (heard) => this._handle(heard)),"
    ),
}


@dataclass(frozen=True)
class Frame:
    """A frame of an encoder, or one that went on to a decoder: then `identity` is the name that its tile had."""

    kind: str
    data: bytes
    identity: str


@dataclass(frozen=True)
class EktKey:
    """What the key channel said."""

    key: bytes
    salt: bytes
    spi: int


class OpenedWorker:
    """A person's transform Worker, from inside."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @classmethod
    async def of(cls, person: Person, withheld: str | None = None) -> OpenedWorker:
        """Before the person joins. Messages of the type `withheld` on the key channel wait for `ears.gate`."""

        async def serve(route: Route) -> None:
            response = await route.fetch()
            source = opened(await response.text(), withheld)
            await route.fulfill(response=response, body=source, headers={"content-type": "text/javascript"})

        await person.context.route(_MODULES, serve)
        return cls(person)

    async def evaluate(self, expression: str) -> Any:
        return await self.person.evaluate_in_worker(WORKER, expression)

    async def until(self, condition: str) -> None:
        """Waits until an expression in the Worker, which may not have started yet, is true."""
        async with asyncio.timeout(JOIN_LIMIT / 1000):
            while not (self.is_running and await self.evaluate(f"'ears' in globalThis && ({condition})")):
                await asyncio.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return any(WORKER in worker.url for worker in self.person.page.workers)

    async def encoded(self) -> list[Frame]:
        """What the encoders made since the last time."""
        return [frame(each, self.person.identity) for each in await self.evaluate("ears.take('encoded')")]

    async def played(self) -> list[Frame]:
        """What went on to the decoders since the last time."""
        return [frame(each, each["as"]) for each in await self.evaluate("ears.take('played')")]

    async def ekt_keys(self) -> list[EktKey]:
        """Every EKTKey that the Key Distributor sent."""
        heard: Iterable[Any] = await self.evaluate(
            "ears.heard.filter(({ type }) => type === 'ekt_key')"
            ".map(({ key, salt, spi }) => [[...key], [...salt], spi])"
        )
        return [EktKey(bytes(key), bytes(salt), spi) for key, salt, spi in heard]

    async def received(self, of: OpenedWorker | None = None) -> Counter[str]:
        """What has become of received frames: `passed`, or the reason why they were dropped.

        Of one person: of the frames in the slots that have their name now.
        """
        name = json.dumps(of and of.person.identity)
        slots: Iterable[dict[str, int]] = await self.evaluate(
            "[...session._streams.values()].filter((stream) => '_bound' in stream)"
            f".filter((stream) => {name} === null || ears.nameOf(stream) === {name})"
            ".map(({ statistics }) => statistics.snapshot())"
        )
        counted: Counter[str] = sum(map(Counter, slots), Counter())
        return Counter({fate: count for fate, count in counted.items() if fate not in NO_FATES})

    async def drops(self, reasons: Iterable[str], of: OpenedWorker | None = None) -> Counter[str]:
        """How many received frames were dropped for these reasons."""
        received = await self.received(of)
        return Counter({reason: received[reason] for reason in reasons})


_SPIS = count(0x8000)


async def give_ekt_key(*workers: OpenedWorker, ttl: int = 300, age: int = 0, then: str = "") -> None:
    """Installs one new EKTKey in all these Workers, as if it had come `age` milliseconds ago: a rekey at will.

    `then` is run in the first Worker before anything else can happen there.
    """
    key = {"key": list(secrets.token_bytes(16)), "salt": list(secrets.token_bytes(12))}
    message = json.dumps({**key, "spi": next(_SPIS), "ttl": ttl})
    install = f"""(async () => {{
        const {{ key, salt, ...rest }} = {message};
        const octets = {{ key: new Uint8Array(key), salt: new Uint8Array(salt) }};
        await ears.sets().install({{ ...rest, ...octets }}, performance.now() - {age});
        %s
    }})()"""
    await asyncio.gather(*(each.evaluate(install % (then if each is workers[0] else "")) for each in workers))


def frame(remembered: dict[str, str], identity: str) -> Frame:
    return Frame(remembered["kind"], base64.b64decode(remembered["data"]), identity)


def opened(source: str, withheld: str | None) -> str:
    """A module of the Worker with its private names public, and with ears where they belong."""
    source = _PRIVATE_NAME.sub("_", source)
    for place, ear in _EARS_AT.items():
        source = source.replace(place, ear)
    if "const session = new Session(" in source:
        source += f"\n{_EARS}\nglobalThis.session = session;\nears.withheld = {json.dumps(withheld)};\n"
    return source
