"""Stories of a receiver: one for each rule about EKTFields, indices, tampering and rekeys."""

from __future__ import annotations

import struct
from typing import Any

from tests.vectors.third_reading import AUDIO, SHORT, SSRC, VIDEO, EktKey, Source

AES_128, AES_256 = 16, 32
"""Octets of an EKTKey, and of the master keys under it."""


class Story:
    """Steps of one receiver story. Without `at`, a step follows the last by 20 ms."""

    def __init__(self, name: str, kind: str = AUDIO) -> None:
        self.name, self.kind, self.now = name, kind, 0.0
        self.steps: list[dict[str, Any]] = []
        self.put_aside: dict[str, int] = {}
        self.key_length = AES_128

    def install(self, ekt: EktKey, at: float | None = None) -> Story:
        self.key_length = len(ekt.key)
        return self._step({"install": ekt.json()}, at)

    def refuse(self, ekt: EktKey) -> Story:
        """An EKTKey that must not be installed."""
        return self._step({"install": ekt.json(), "refused": True}, None)

    def receive(self, source: Source, index: int, field: bytes = SHORT, **expected: Any) -> Story:
        """A payload as `source` made it; `drop` says why it is dropped, `payload` replaces its octets."""
        key_frame = bool(expected.get("key_frame"))
        payload = expected.get("payload", source.protected(index, key_frame=key_frame)) + field
        frame = {
            "ssrc": SSRC,
            "timestamp": source.timestamp(index) + expected.get("later", 0),
            "payloadType": expected.get("pt", source.pt),
            "sequenceNumber": expected.get("outer", index & 0xFFFF),
            "payload": payload.hex(),
        }
        result = {"drop": expected["drop"]} if "drop" in expected else {"media": source.media(index).hex()}
        return self._step({"receive": frame, "expect": result}, expected.get("at"))

    def aside(self, **counts: int) -> Story:
        self.put_aside = {f"field-{name.replace('_', '-')}": count for name, count in counts.items()}
        return self

    def _step(self, step: dict[str, Any], at: float | None) -> Story:
        self.now = round(self.now + 0.02, 3) if at is None else at
        self.steps.append({"at": self.now, **step})
        return self

    def json(self) -> dict[str, Any]:
        name = self.name if self.key_length == AES_128 else f"AES-256: {self.name}"
        story = {"name": name, "kind": self.kind, "ssrc": SSRC, "masterKeyLength": self.key_length}
        return {**story, "steps": self.steps, "putAside": self.put_aside}


def receiver_stories() -> list[Story]:
    """The receiver rules, one story each."""
    by_length = [story for length in (AES_128, AES_256) for story in (*key_stories(length), *rekey_stories(length))]
    return [*by_length, *field_stories(), *index_stories(), *tampering_stories()]


def key_stories(length: int) -> list[Story]:
    """Which FullEKTFields bring a key."""
    one, other = EktKey(1, length), EktKey(2, length)
    first, second = Source(one), Source(one, key="second", epoch=1)
    full = first.full(0)
    wrong_length = AES_256 + AES_128 - length

    def begun(name: str) -> Story:
        return Story(name).install(one).receive(first, 10, full)

    garbled = bytes([full[0] ^ 1]) + full[1:]
    return [
        begun("a FullEKTField brings the key, ShortEKTFields follow").receive(first, 11).receive(first, 12, full),
        Story("no key yet").install(one).receive(first, 10, drop="no-key").receive(first, 11, full),
        Story("an unknown SPI drops the packet").install(other).receive(first, 10, full, drop="unknown-spi"),
        begun("a ciphertext that does not unwrap drops the packet")
        .receive(first, 11, garbled, drop="unwrap-failed")
        .receive(first, 11),
        begun("a master key of the wrong length drops the packet")
        .receive(first, 11, Source(one, key_length=wrong_length, epoch=1).full(0), drop="key-length")
        .receive(first, 11),
        begun("a master key of no octets is no EKTPlaintext")
        .receive(first, 11, first.field_of(bytes(1) + struct.pack(">II", SSRC, 0)), drop="unwrap-failed")
        .receive(first, 11),
        begun("something else that a member wrapped is no EKTPlaintext")
        .receive(first, 11, first.field_of(b"something else than a master key"), drop="unwrap-failed")
        .receive(first, 11),
        begun("the field of another SSRC is put aside")
        .receive(first, 11, Source(one, ssrc=SSRC + 1, epoch=9).full(0))
        .aside(ssrc=1),
        begun("an equal epoch with another key is put aside")
        .receive(first, 11, Source(one, key="second").full(0))
        .aside(epoch=1),
        begun("a lower epoch is put aside")
        .receive(second, 11, second.full(0))
        .receive(second, 12, full)
        .receive(second, 13)
        .aside(epoch=1),
        begun("old and new key overlap, in any order")
        .receive(first, 11, second.full(0))
        .receive(second, 13)
        .receive(first, 12)
        .receive(second, 14),
    ]


def field_stories() -> list[Story]:
    """Fields that are no fields, bring nothing, or come with something else that is wrong."""
    one = EktKey(1)
    first, second = Source(one), Source(one, key="second", epoch=1)
    third, fourth = Source(one, key="third", epoch=2), Source(one, key="fourth", epoch=3)
    full, foreign = first.full(0), Source(one, ssrc=SSRC + 1, epoch=9).full(0)
    reserved_bits = first.protected(10)[:-1] + b"\x17"

    def begun(name: str) -> Story:
        return Story(name).install(one).receive(first, 10, full)

    return [
        begun("a field of unknown type comes off").receive(first, 11, b"later\x00\x08\x04").aside(unknown_type=1),
        begun("a field of unknown type that is longer than the payload")
        .receive(first, 11, b"\x01\x00\x04", payload=b"", drop="malformed")
        .receive(first, 11),
        begun("a ciphertext of a length that wrapping does not yield")
        .receive(first, 11, bytes(41) + bytes.fromhex("0001 0001 0030 02"), drop="unwrap-failed")
        .receive(first, 11),
        Story("a field of another SSRC brings no key")
        .install(one)
        .receive(first, 10, foreign, drop="no-key")
        .receive(first, 11, full)
        .aside(ssrc=1),
        begun("the epoch of another SSRC's field is not this one's")
        .receive(first, 11, foreign)
        .receive(second, 12, second.full(0))
        .aside(ssrc=1),
        begun("another SSRC's field may have a key of any length")
        .receive(first, 11, Source(one, ssrc=SSRC + 1, key_length=AES_256).full(0))
        .aside(ssrc=1),
        Story("a packet that is malformed brings no key, whatever its field says")
        .install(one)
        .receive(first, 10, full, payload=reserved_bits, drop="malformed")
        .receive(first, 11, drop="no-key"),
        begun("of a packet that does not authenticate the key is kept")
        .receive(first, 11, second.full(0), payload=first.protected(11)[:-1] + b"\x0f", drop="not-authentic")
        .receive(second, 12),
        begun("the fourth key displaces the first")
        .receive(first, 11, second.full(0))
        .receive(second, 12, third.full(0))
        .receive(first, 13)
        .receive(third, 14, fourth.full(0))
        .receive(first, 15, drop="not-authentic")
        .receive(second, 16)
        .receive(fourth, 17),
    ]


def index_stories() -> list[Story]:
    """Which index a packet has, and whether it is new."""
    one = EktKey(1)
    first, video = Source(one), Source(one, VIDEO)
    far = 0x3_0100

    def begun(name: str, index: int = 10) -> Story:
        return Story(name).install(one).receive(first, index, first.full(index >> 16))

    return [
        begun("SEQ rolls over with ShortEKTFields", 0xFFFE).receive(first, 0x10000).receive(first, 0xFFFF),
        begun("a rollover told with the same epoch", 0xFFFF).receive(first, 0x10000, first.full(1)),
        begun("a late joiner learns the ROC", 0x7_8000).receive(first, 0x7_8001),
        begun("a SEQ from before the first ROC").receive(first, 0xFFF0, drop="replayed").receive(first, 11),
        begun("a packet twice").receive(first, 10, drop="replayed").receive(first, 11),
        begun("out of order within the window, each once", 2000)
        .receive(first, 977)
        .receive(first, 976, drop="replayed")
        .receive(first, 977, drop="replayed")
        .receive(first, 1999),
        begun("the same key with a ROC further on moves the index forward")
        .receive(first, far, first.full(3))
        .receive(first, far + 1)
        .receive(first, 11, drop="not-authentic"),
        begun("the field of before a pause, played again after it, is put aside")
        .receive(first, far, first.full(3))
        .receive(first, far + 1, first.full(0))
        .receive(first, far + 2)
        .aside(epoch=1),
        begun("more than half of all SEQs lost: the known field says the ROC")
        .receive(first, 0x9000, drop="replayed")
        .receive(first, 0x9000, first.full(0))
        .receive(first, 0x9001),
        begun("a ROC further on that its packet does not prove changes nothing")
        .receive(first, 11, first.full(3))
        .receive(first, 12),
        begun("the same key with a ROC further back is put aside", 0x3_0100)
        .receive(first, 0x3_0101, first.full(2))
        .aside(epoch=1),
        Story("whole frames rise strictly", VIDEO)
        .install(one)
        .receive(video, 10, video.full(0), key_frame=True)
        .receive(video, 12)
        .receive(video, 11, drop="replayed")
        .receive(video, 12, drop="replayed")
        .receive(video, 13),
    ]


def tampering_stories() -> list[Story]:
    """What somebody without keys may change, and what not."""
    one = EktKey(1)
    first, video = Source(one), Source(one, VIDEO)
    protected = first.protected(11)
    block = protected[-4:]

    def begun(name: str) -> Story:
        return Story(name).install(one).receive(first, 10, first.full(0))

    def refused(name: str, payload: bytes, drop: str, **changes: Any) -> Story:
        return begun(name).receive(first, 11, payload=payload, drop=drop, **changes).receive(first, 11)

    frame = video.protected(11, key_frame=True)
    return [
        begun("the outer SEQ and PT do not matter").receive(first, 11, outer=999, pt=9),
        begun("an OHB without fields takes them from the outer header").receive(
            first, 11, payload=protected[:-4] + b"\0", outer=11
        ),
        refused("a changed ciphertext", bytes([protected[0] ^ 1]) + protected[1:], "not-authentic"),
        refused("a changed tag", protected[:-5] + bytes([protected[-5] ^ 1]) + block, "not-authentic"),
        refused("a changed timestamp", protected, "not-authentic", later=1),
        refused("a changed SEQ in the OHB", protected[:-4] + struct.pack(">BHB", 111, 12, 7), "not-authentic"),
        refused("a changed PT in the OHB", protected[:-4] + struct.pack(">BHB", 110, 11, 7), "not-authentic"),
        refused("a changed marker in the OHB", protected[:-1] + b"\x0f", "not-authentic"),
        refused("reserved bits in the OHB", protected[:-1] + b"\x17", "malformed"),
        refused("the value of an absent marker", protected[:-4] + b"\x08", "malformed"),
        refused("a PT of eight bits in the OHB", protected[:-4] + struct.pack(">BHB", 0x80 | 111, 11, 7), "malformed"),
        refused("an OHB longer than the payload", b"\x07", "malformed"),
        begun("a field of the reserved type").receive(first, 11, b"\x00\x04\x01", drop="malformed").receive(first, 11),
        Story("video with another codec's start", VIDEO)
        .install(one)
        .receive(video, 10, video.full(0), key_frame=True)
        .receive(video, 11, payload=b"\x00" + frame[1:], drop="malformed")
        .receive(video, 11, payload=b"\x01" + frame[10:], drop="not-authentic"),
        Story("a prefix and an OHB that share octets", VIDEO)
        .install(one)
        .receive(video, 10, video.full(0), key_frame=True)
        .receive(video, 11, payload=frame[:9] + b"\0", drop="malformed"),
        Story("plaintext of a media distributor", AUDIO).install(one).receive(first, 10, payload=b"", drop="malformed"),
    ]


def rekey_stories(length: int) -> list[Story]:
    """EKTKeys that follow one another, and end."""
    one, two, three = (EktKey(spi, length) for spi in (1, 2, 3))
    short = EktKey(1, length, ttl=5)
    before, after, last = Source(one), Source(two, key="second"), Source(three, key="third")

    def begun(name: str) -> Story:
        return Story(name).install(one).receive(before, 10, before.full(0))

    other = EktKey(1, length, name="other")
    old_frames, new_frames = Source(one, VIDEO), Source(two, VIDEO, key="second")
    return [
        begun("a rekey with its overlap")
        .install(two, 1.0)
        .receive(before, 11, after.full(0))
        .receive(before, 12)
        .receive(after, 13)
        .receive(after, 14, after.full(0)),
        begun("a rekey within the overlap of another")
        .install(two, 1.0)
        .receive(before, 11, after.full(0))
        .install(three, 1.2)
        .receive(after, 13, last.full(0))
        .receive(before, 12)
        .receive(after, 14)
        .receive(last, 15),
        Story("a joiner gets the new EKTKey only")
        .install(two)
        .receive(before, 11, before.full(0), drop="unknown-spi")
        .receive(before, 12, after.full(0), drop="not-authentic")
        .receive(after, 13),
        begun("the old EKTKey is accepted for ten seconds more")
        .install(two, 1.0)
        .receive(before, 11, at=10.9)
        .receive(before, 12, before.full(0), at=10.99)
        .receive(before, 13, Source(one, key="third", epoch=1).full(0), at=11.1, drop="unknown-spi")
        .receive(before, 14, drop="no-key"),
        begun("what was received before a rekey is replayed after it")
        .install(two, 1.0)
        .receive(before, 11, after.full(0))
        .receive(before, 10, drop="replayed")
        .receive(after, 12)
        .receive(before, 11, before.full(0), drop="replayed")
        .receive(after, 12, drop="replayed")
        .aside(epoch=1),
        Story("whole frames rise strictly across a rekey", VIDEO)
        .install(one)
        .receive(old_frames, 10, old_frames.full(0), key_frame=True)
        .install(two, 1.0)
        .receive(old_frames, 12, new_frames.full(0))
        .receive(old_frames, 11, drop="replayed")
        .receive(new_frames, 14)
        .receive(old_frames, 13, drop="replayed")
        .receive(new_frames, 15),
        begun("epochs are counted by SPI")
        .receive(before, 11, Source(one, key="third", epoch=7).full(0))
        .install(two, 1.0)
        .receive(after, 12, after.full(0)),
        begun("an SPI keeps its key").refuse(other).receive(before, 11),
        Story("an EKTKey ends with its ttl")
        .install(short, 0.0)
        .receive(before, 10, before.full(0))
        .receive(before, 11, at=4.9)
        .receive(before, 12, at=5.1, drop="no-key")
        .receive(before, 13, before.full(0), drop="no-key")
        .receive(before, 14, before.full(1), drop="unknown-spi"),
        Story("after the end of its ttl an SPI may be given another key")
        .install(short, 0.0)
        .receive(before, 10, before.full(0))
        .install(other, 5.0)
        .receive(before, 11, drop="no-key")
        .receive(Source(other), 12, Source(other).full(0)),
        Story("the same EKTKey again changes nothing")
        .install(short, 0.0)
        .receive(before, 10, before.full(0))
        .install(short, 4.0)
        .receive(before, 11, at=4.9)
        .receive(before, 12, at=5.1, drop="no-key"),
    ]
