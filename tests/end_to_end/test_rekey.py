"""Keys follow the membership: everything that the Media Distributor forwarded is tried with the keys of one who came
late and left early, and with the keys of one who stayed.

As in `test_blind_media_distributor`, nothing of `perc` opens a packet here.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding
from playwright.async_api import Route

from perc_server.media_distributor.packet_path import ForwardedPacket
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import Person
from tests.end_to_end.test_blind_media_distributor import (
    DELTA_PREFIX,
    KEY_FRAME_PREFIX,
    OPUS,
    EktKey,
    Rtp,
    derive,
    original_packet,
    split_ekt_field,
    tell_keys,
)

pytestmark = pytest.mark.chromium

LONGEST_OVERLAP = 0.5
"""Seconds after the arrival of an EKTKey at a sender at which its old master key is gone (docs/key-channel.md)."""
ENOUGH = 400
"""Packets: some seconds of sound and pictures of two."""
LOSSES = ("unknown-spi", "no-key", "unwrap-failed", "not-authentic", "replayed")
"""Why the transform Worker drops a frame that it has no right key for."""


@dataclass(frozen=True)
class Sent:
    """What a source protected as one: an audio packet, or a whole video frame."""

    position: int
    """Of its last packet among all that were forwarded."""
    endpoint: str
    last: Rtp
    payload: bytes

    @cached_property
    def parts(self) -> tuple[bytes, bytes | None]:
        return split_ekt_field(self.payload)

    @property
    def prefix(self) -> bytes:
        if self.last.payload_type == OPUS:
            return b""
        return self.payload[: KEY_FRAME_PREFIX if self.payload[0] & 1 == 0 else DELTA_PREFIX]


def sent(forwarded: Iterable[ForwardedPacket]) -> list[Sent]:
    """Everything that was forwarded, to one or to many; of video the frames that are complete."""
    everything: list[Sent] = []
    seen: set[bytes] = set()
    frames: defaultdict[tuple[int, int], list[Rtp]] = defaultdict(list)
    for position, each in enumerate(forwarded):
        if each.received in seen:
            continue
        seen.add(each.received)
        packet = Rtp.read(each.received)
        if packet.payload_type == OPUS:
            everything.append(Sent(position, each.source_endpoint, packet, packet.payload))
            continue
        parts = frames[packet.ssrc, packet.timestamp]
        parts.append(packet)
        if packet.marker and packet.sequence - parts[0].sequence & 0xFFFF == len(parts) - 1:
            frame = b"".join(VpxPayloadDescriptor.parse(part.payload)[1] for part in parts)
            everything.append(Sent(position, each.source_endpoint, packet, frame))
    return everything


class Listener:
    """Someone with these EKTKeys and all that was ever forwarded, who tries every key in it on everything."""

    def __init__(self, ektkeys: Iterable[EktKey], everything: Iterable[Sent]) -> None:
        self._keys: defaultdict[int, dict[bytes, tuple[AESGCM, bytes]]] = defaultdict(dict)
        for ektkey, each in product(ektkeys, everything):
            ciphertext = each.parts[1]
            if ciphertext is not None:
                self._learn(each.last.ssrc, ektkey, ciphertext)

    def _learn(self, ssrc: int, ektkey: EktKey, ciphertext: bytes) -> None:
        try:
            key = aes_key_unwrap_with_padding(ektkey.key, ciphertext)[1:17]
        except InvalidUnwrap:
            return
        if key not in self._keys[ssrc]:
            self._keys[ssrc][key] = AESGCM(derive(key, ektkey.salt, 0, 16)), derive(key, ektkey.salt, 2, 12)

    def opens(self, each: Sent) -> bool:
        original = original_packet(each.last, each.parts[0])
        header, ciphertext = original[:12], original[12 + len(each.prefix) :]
        index = bytes(2) + header[8:12] + bytes(4) + header[2:4]
        for cipher, salt in self._keys[each.last.ssrc].values():
            nonce = bytes(a ^ b for a, b in zip(index, salt, strict=True))
            try:
                cipher.decrypt(nonce, ciphertext, header + each.prefix)
            except InvalidTag:
                continue
            return True
        return False


async def tell_counts(route: Route) -> None:
    """Serves the transform Worker's statistics so that a test can read them."""
    response = await route.fetch()
    source = await response.text()
    counting = "const counted = (globalThis.counted ??= {}); counted[what] = (counted[what] ?? 0) + 1;"
    told = source.replace("  count(what) {", "  count(what) {" + counting)
    assert told != source
    await route.fulfill(response=response, body=told, headers={"content-type": "text/javascript"})


async def open_up(person: Person) -> None:
    """Lets the test hear what this person's transform Worker hears and counts."""
    await person.context.route(re.compile("worker/key-channel-messages.js"), tell_keys)
    await person.context.route(re.compile("worker/statistics.js"), tell_counts)


async def ektkeys_of(person: Person) -> list[EktKey]:
    heard = await person.evaluate_in_worker(
        "media/worker.js",
        "heard.filter(({ type }) => type === 'ekt_key').map(({ key, salt }) => [[...key], [...salt]])",
    )
    return [EktKey(bytes(key), bytes(salt)) for key, salt in heard]


async def losses_of(person: Person) -> dict[str, int]:
    """How many frames a person's transform Worker has dropped because it had no right key for them."""
    counted = await person.evaluate_in_worker("media/worker.js", "globalThis.counted ?? {}")
    return {reason: counted.get(reason, 0) for reason in LOSSES}


async def rekeyed(person: Person, before: int) -> None:
    """Waits until a person has a newer EKTKey than the first `before`."""
    while len(await ektkeys_of(person)) <= before:
        await asyncio.sleep(0.02)


async def test_a_joiner_opens_nothing_of_before_and_a_leaver_nothing_of_after(
    come: Come, deployment: Deployment
) -> None:
    alice, bob, ben = [await come(name) for name in ("alice", "bob", "ben")]
    for person in (alice, bob, ben):
        await open_up(person)
    forwarded = deployment.forwarded
    link = await alice.open_room("rekey")
    await bob.join(link)
    await bob.sees(alice)
    await alice.sees(bob)
    forwarded.clear()

    await ben.follow(link)
    before_joining = len(forwarded)
    losses = [await losses_of(person) for person in (alice, bob)]
    await ben.page.get_by_role("button", name="Join").click()
    await ben.expect_state("in-call")
    await ben.sees(alice)
    await ben.sees(bob)
    await bob.sees(ben)

    bens_keys = await ektkeys_of(ben)
    keys = [len(await ektkeys_of(person)) for person in (alice, bob)]
    await ben.page.get_by_role("button", name="Leave").click()
    await rekeyed(alice, keys[0])
    await rekeyed(bob, keys[1])
    await asyncio.sleep(LONGEST_OVERLAP)
    after_overlap = len(forwarded)
    while len(forwarded) < after_overlap + ENOUGH:
        await asyncio.sleep(0.1)

    everything = sent(forwarded)
    ben_listens, bob_listens = Listener(bens_keys, everything), Listener(await ektkeys_of(bob), everything)
    opened = [each.position for each in everything if ben_listens.opens(each)]
    assert before_joining < opened[0] < opened[-1] < after_overlap
    # For those who stay it was as if nothing had happened.
    assert all(bob_listens.opens(each) for each in everything)
    assert [await losses_of(person) for person in (alice, bob)] == losses
    await alice.sees(bob)
    await bob.sees(alice)
