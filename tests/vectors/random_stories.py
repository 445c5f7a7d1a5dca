"""Stories that nobody wrote: seeded, and without an expectation. What matters is that two readers tell them alike.

They have the format of `receiver.json` and `sender.json`. Choices are weighted so that most packets open, and every
rule is still met within a hundred stories.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.vectors.third_reading import AUDIO, SHORT, SSRC, VIDEO, EktKey, Source

Json = dict[str, Any]

STEPS = 40
PAUSES = {1 / 64: 12, 2 / 64: 12, 7 / 64: 3, 20 / 64: 2, 2.0: 1, 6.0: 1}
"""Seconds between two steps, and how often; some are longer than an EKTKey lives. Their sums are exact in floats, so
that a reader in seconds and one in milliseconds see a limit reached at the same step."""


def receiver_story(seed: int) -> Json:
    """EKTKeys and packets of one source: in order and not, with fields of all kinds, replayed, tampered with."""
    return _Receiving(Random(seed)).story(f"random {seed}")


def sender_story(seed: int) -> Json:
    """EKTKeys, frames and restarts of one source."""
    random = Random(seed)
    kind, length, spi = random.choice((AUDIO, VIDEO)), random.choice((16, 32)), 1
    steps: list[Json] = []
    now = 0.0
    for _ in range(STEPS):
        now += pause(random)
        match random.choices(("frame", "next key", "same key", "restart"), (30, 5, 1, 1))[0]:
            case "frame":
                steps.append({"at": now, "send": {"keyFrame": kind == VIDEO and random.random() < 0.2}})
            case "restart":
                steps.append({"at": now, "restart": True})
            case choice:
                spi += choice == "next key"
                steps.append({"at": now, "install": EktKey(spi, length, ttl=5).json()})
    return {"name": f"random {seed}", "kind": kind, "ssrc": SSRC, "masterKeyLength": length, "steps": steps}


def pause(random: Random) -> float:
    """Until the next step."""
    return random.choices(list(PAUSES), list(PAUSES.values()))[0]


class _Receiving:
    """What the author of one receiver's story keeps in mind."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._kind = random.choice((AUDIO, VIDEO))
        self._length = random.choice((16, 32))
        self._index = random.choice((10, 0x7FF0, 0xFFF0, 0x3_0100))
        self._now, self._spi, self._epoch = 0.0, 1, 0
        self._steps: list[Json] = []
        self._sources: list[Source] = []
        self._payloads: list[Json] = []

    def story(self, name: str) -> Json:
        self._install(EktKey(1, self._length))
        self._sources.append(self._source("0", 0))
        for _ in range(STEPS):
            self._now += pause(self._random)
            event = (self._receive, self._rekey, self._change_master_key, self._replay, self._install_oddly)
            self._random.choices(event, (30, 2, 3, 3, 1))[0]()
        story = {"name": name, "kind": self._kind, "ssrc": SSRC, "masterKeyLength": self._length}
        return {**story, "steps": self._steps}

    def _install(self, key: EktKey) -> None:
        self._steps.append({"at": self._now, "install": key.json()})

    def _install_oddly(self) -> None:
        """The same again, or another key under an SPI that is taken."""
        name = self._random.choice(("", "other"))
        self._install(EktKey(self._random.randint(1, self._spi), self._length, name=name))

    def _rekey(self) -> None:
        self._spi, self._epoch = self._spi + 1, 0
        self._install(EktKey(self._spi, self._length, ttl=self._random.choice((5, 300))))
        self._sources.append(self._source(f"{self._spi}", 0))

    def _change_master_key(self) -> None:
        """The next epoch, or by mistake one that was there already."""
        self._epoch += self._random.random() < 0.8
        self._sources.append(self._source(f"{self._spi} {len(self._sources)}", self._epoch))

    def _source(self, key: str, epoch: int, **fields: int) -> Source:
        return Source(EktKey(self._spi, self._length), self._kind, key=key, epoch=epoch, **fields)

    def _receive(self) -> None:
        self._index += self._random.choices((1, 2, -1, -1100, 0x8000, 0x1_0000), (60, 5, 5, 1, 1, 2))[0]
        index = max(self._index, 0)
        source = self._random.choices(self._sources[-2:][::-1], (4, 1)[: len(self._sources)])[0]
        key_frame = self._random.random() < 0.2
        payload = self._tampered(source.protected(index, key_frame=key_frame)) + self._field(source, index >> 16)
        frame = {"ssrc": SSRC, "timestamp": source.timestamp(index), "payloadType": source.pt}
        self._payloads.append({**frame, "sequenceNumber": index & 0xFFFF, "payload": payload.hex()})
        self._steps.append({"at": self._now, "receive": self._payloads[-1]})

    def _replay(self) -> None:
        if self._payloads:
            self._steps.append({"at": self._now, "receive": self._random.choice(self._payloads)})

    def _tampered(self, protected: bytes) -> bytes:
        if self._random.random() < 0.9:
            return protected
        changed = bytearray(protected)
        changed[self._random.randrange(-5, len(changed)) % len(changed)] ^= 1 << self._random.randrange(8)
        return bytes(changed[: self._random.choice((len(changed), len(changed), 3))])

    def _field(self, source: Source, roc: int) -> bytes:
        foreign, short_key = self._source("x", 9, ssrc=SSRC + 1), self._source("x", 9, key_length=24)
        fields = {
            SHORT: 30,
            source.full(roc): 50,
            self._random.choice(self._sources).full(roc): 6,
            source.full(roc + self._random.choice((-1, 1, 3)) & 0xFFFFFFFF): 3,
            b"later\x00\x08\x04": 2,
            b"\x00\x04\x01": 1,
            b"\x01\x00\x05": 1,
            foreign.full(roc): 2,
            short_key.full(roc): 1,
            source.field_of(self._random.randbytes(40)): 1,
            bytes(40) + source.full(roc)[40:]: 1,
        }
        return self._random.choices(list(fields), list(fields.values()))[0]
