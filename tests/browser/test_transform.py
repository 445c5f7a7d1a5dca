"""Two endpoints of one page, with the product's connection and transform Worker, and keys from a stand-in.

What a server between them could do is done here by whoever sends: plaintext, sources that nobody vouches for, streams
that change their owner.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.site import Site

pytestmark = pytest.mark.chromium

LIMIT = 10_000
"""Milliseconds for what takes a second."""

ALICE, BOB = "alice@idp-a.localhost", "bob@idp-b.localhost"


class Loopback:
    """The endpoints `a` and `b` in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self.page.evaluate(f"async (argument) => {{ {script} }}", argument)

    async def until(self, condition: str) -> None:
        """Waits until an expression is true; it may await."""
        await self.page.evaluate(
            f"""async (limit) => {{
                const end = performance.now() + limit;
                while (!(await ({condition}))) {{
                    if (performance.now() > end) throw new Error({condition!r} + " did not come true");
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }}
            }}""",
            LIMIT,
        )

    async def start(self, a: str = ALICE, b: str = BOB) -> None:
        """Alice sends to Bob; both have key channels, and nobody has keys."""
        await self.run(
            """
            window.a = await loopback.endpoint(1, argument[0]);
            window.b = await loopback.endpoint(2, argument[1]);
            await loopback.connect(a, b);
            await a.media.attach("audio", loopback.tone(1000));
            await a.media.attach("video", loopback.pattern());
            """,
            [a, b],
        )

    async def count(self, endpoint: str, what: str) -> int:
        """A counter, over all slots of an endpoint."""
        slots = await self.run(f"return {endpoint}.media.statistics()")
        return sum(counts.get(what, 0) for counts in slots.values())

    async def until_counted(self, endpoint: str, what: str, least: int = 1) -> None:
        total = f"Object.values(slots).reduce((sum, counts) => sum + (counts[{what!r}] ?? 0), 0)"
        await self.until(f"{endpoint}.media.statistics().then((slots) => {total} >= {least})")

    async def heard(self, endpoint: str, op: str) -> list[dict[str, Any]]:
        """Messages of an endpoint's Worker."""
        heard: list[dict[str, Any]] = await self.run(
            f"return {endpoint}.heard.filter(({{ op }}) => op === argument)", op
        )
        return heard

    async def bind(self) -> None:
        """Confirms both tiles of Bob's, as the page does once they are labelled; plays them."""
        await self.until("b.heard.filter(({ op }) => op === 'speaker').length === 2")
        await self.run(
            """
            window.played = {};
            for (const { slot, speaker } of b.heard.filter(({ op }) => op === "speaker")) {
                const track = b.media.trackOf(slot);
                played[track.kind] = loopback.play(track);
                b.media.post({ op: "bind", slot, speaker });
            }
            """
        )


@pytest.fixture
async def loopback(page: Page, site: Site) -> Loopback:
    await page.context.grant_permissions(["microphone"])
    await page.evaluate(
        "async (assets) => (await import('/tests/browser/media_pages/loopback.js')).load(assets)", site.assets
    )
    return Loopback(page)


PATTERN = [(204, 0, 0), (0, 170, 0), (0, 0, 204), (204, 204, 0)]


def is_pattern(pixels: list[list[int]] | None) -> bool:
    return pixels is not None and all(
        abs(value - expected) < 60
        for pixel, colour in zip(pixels, PATTERN, strict=True)
        for value, expected in zip(pixel, colour, strict=True)
    )


async def test_the_senders_picture_and_tone_arrive(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.run("loopback.standIn.sendKey(1); loopback.standIn.sendRoster()")
    await loopback.bind()
    await loopback.until("played.video.pixels() && played.video.currentTime > 0.2")
    assert is_pattern(await loopback.run("return played.video.pixels()"))
    at_tone, beside = await loopback.run(
        "const track = played.audio.srcObject.getTracks()[0];"
        "return [await loopback.loudness(track, 1000), await loopback.loudness(track, 3000)]"
    )
    assert at_tone > -40 > beside
    assert await loopback.count("b", "not-authentic") == 0


async def test_nothing_is_sent_before_there_are_a_key_and_a_roster_entry(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.until_counted("a", "no-key", 20)
    await loopback.run("loopback.standIn.sendKey(1)")
    await loopback.until_counted("a", "not-in-roster", 20)
    await loopback.run("loopback.standIn.sendRoster([2])")
    await loopback.until("b.heard.some(({ op }) => op === 'roster')")
    before = await loopback.count("a", "not-in-roster")
    await loopback.until_counted("a", "not-in-roster", before + 20)
    streams = "[...(await a.pc.getStats()).values()].filter(({ type }) => type === 'outbound-rtp')"
    assert sum(await loopback.run(f"return {streams}.map(({{ packetsSent }}) => packetsSent)")) == 0
    assert await loopback.count("a", "passed") == 0


async def test_a_source_that_the_roster_does_not_list_is_dropped(loopback: Loopback) -> None:
    await loopback.start()
    # Alice believes that she is listed, Bob's roster does not know her sources.
    await loopback.run(
        """
        const { standIn } = loopback;
        standIn.sendKey(1);
        const all = (number, present) => {
            const send = standIn.send.bind(standIn);
            standIn.send = (to, message) => to === number && send(to, message);
            standIn.sendRoster(present);
            standIn.send = send;
        };
        all(1, [1, 2]);
        all(2, [2]);
        """
    )
    await loopback.until_counted("b", "not-in-roster", 30)
    assert await loopback.count("b", "passed") == 0
    assert await loopback.heard("b", "speaker") == []


async def test_a_stream_is_dropped_until_its_tile_is_labelled(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.run("loopback.standIn.sendKey(1); loopback.standIn.sendRoster()")
    await loopback.until_counted("b", "other-speaker", 20)
    assert await loopback.count("b", "passed") == 0
    await loopback.bind()
    await loopback.until_counted("b", "passed", 20)


async def test_a_stream_that_changes_its_owner_stops_until_relabelled(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.run("loopback.standIn.sendKey(1); loopback.standIn.sendRoster()")
    await loopback.bind()
    await loopback.until_counted("b", "passed", 20)
    # The same SSRCs, now another member's: what a Media Distributor that swaps streams makes Bob receive.
    await loopback.run(
        """
        const { members } = loopback.standIn;
        members.set(3, { ...members.get(1), identity: "carol@idp-b.localhost" });
        members.get(1).sources = [];
        loopback.standIn.send = function (number, message) {
            if (number === 2) this.members.get(2).channel.send(this.codec.writeMessage(message));
        };
        loopback.standIn.sendRoster();
        """
    )
    await loopback.until("b.heard.filter(({ op }) => op === 'roster').length === 2")
    passed = await loopback.count("b", "passed")
    dropped = await loopback.count("b", "other-speaker")
    await loopback.until_counted("b", "other-speaker", dropped + 20)
    assert await loopback.count("b", "passed") == passed
    speakers = await loopback.heard("b", "speaker")
    assert {message["speaker"]["member"] for message in speakers[2:]} == {"03" * 16}


async def test_injected_plaintext_is_neither_shown_nor_heard(loopback: Loopback) -> None:
    await loopback.run(
        """
        window.b = await loopback.endpoint(2, argument);
        const plain = loopback.plainSender();
        await plain.pc.setLocalDescription();
        await loopback.connect(plain, b);
        loopback.standIn.sendKey(1);
        loopback.standIn.sendRoster();
        await Promise.all(plain.attach([loopback.tone(1000), loopback.pattern()]));
        window.played = [2, 3].map((slot) => loopback.play(b.media.trackOf(slot)));
        """,
        BOB,
    )
    await loopback.until_counted("b", "not-in-roster", 50)
    audio, video = await loopback.run(
        "return [await loopback.loudness(b.media.trackOf(2), 1000), played.find((e) => e.tagName === 'VIDEO').pixels()]"
    )
    assert audio < -100
    assert video is None
    frames = "[...(await b.pc.getStats()).values()].reduce((sum, x) => sum + (x.framesDecoded ?? 0), 0)"
    assert await loopback.run(f"return {frames}") == 0


async def test_plaintext_under_a_listed_source_is_dropped(loopback: Loopback) -> None:
    await loopback.run(
        """
        window.b = await loopback.endpoint(2, argument);
        const plain = loopback.plainSender();
        await plain.pc.setLocalDescription();
        await loopback.connect(plain, b);
        const { standIn } = loopback;
        const lines = plain.pc.localDescription.sdp.match(/a=ssrc:\\d+ cname/g);
        const ssrcs = [...new Set(lines.map((line) => Number(line.match(/\\d+/)[0])))];
        const sources = [[ssrcs[0], 0], [ssrcs[1], 1]].map(([ssrc, kind]) => ({ ssrc, kind, source: 0 }));
        standIn.members.set(1, { identity: "alice@idp-a.localhost", channel: { send() {} }, sources });
        standIn.sendKey(1);
        standIn.sendRoster();
        await Promise.all(plain.attach([loopback.tone(1000), loopback.pattern()]));
        """,
        BOB,
    )
    malformed = "(counts['malformed'] ?? 0) + (counts['no-key'] ?? 0) + (counts['unknown-spi'] ?? 0)"
    total = f"Object.values(slots).reduce((sum, counts) => sum + {malformed}, 0)"
    await loopback.until(f"b.media.statistics().then((slots) => {total} > 50)")
    assert await loopback.count("b", "passed") == 0
    assert await loopback.heard("b", "speaker") == []


async def test_a_rekey_loses_nothing(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.run("loopback.standIn.sendKey(1); loopback.standIn.sendRoster()")
    await loopback.bind()
    await loopback.until_counted("b", "passed", 20)
    await loopback.run("loopback.standIn.sendKey(2)")
    await loopback.until("loopback.standIn.acknowledged.filter((spi) => spi === 2).length === 2")
    passed = await loopback.count("b", "passed")
    await loopback.until_counted("b", "passed", passed + 60)
    for reason in ("not-authentic", "unknown-spi", "no-key", "replayed"):
        assert await loopback.count("b", reason) == 0


async def test_a_sender_stops_at_the_end_of_its_key(loopback: Loopback) -> None:
    await loopback.start()
    await loopback.run("loopback.standIn.sendKey(1, 1); loopback.standIn.sendRoster()")
    await loopback.until("a.heard.some(({ op, state }) => op === 'sending' && state === 'expired')")
    passed = await loopback.count("a", "passed")
    await loopback.until_counted("a", "expired", 20)
    assert await loopback.count("a", "passed") == passed > 0


async def test_an_endpoint_leaves_if_it_is_listed_under_another_name(loopback: Loopback) -> None:
    await loopback.run("window.b = await loopback.endpoint(2, 'mallory@idp-b.localhost', argument)", BOB)
    await loopback.run("loopback.standIn.sendKey(1); loopback.standIn.sendRoster()")
    await loopback.until("b.heard.some(({ op }) => op === 'failed')")
    [failed] = await loopback.heard("b", "failed")
    assert (failed["reason"], failed["detail"]) == ("not-me", "mallory@idp-b.localhost")


async def test_an_endpoint_leaves_if_its_source_is_anothers(loopback: Loopback) -> None:
    await loopback.run(
        """
        window.b = await loopback.endpoint(2, argument);
        """,
        BOB,
    )
    await loopback.until("loopback.standIn.members.get(2)?.sources.length")
    await loopback.run(
        """
        const { standIn } = loopback;
        const { sources } = standIn.members.get(2);
        standIn.members.set(1, { identity: "alice@idp-a.localhost", channel: { send() {} }, sources });
        standIn.sendRoster([1]);
        """
    )
    await loopback.until("b.heard.some(({ op, reason }) => op === 'failed' && reason === 'source-taken')")


@pytest.mark.parametrize("octets", [[250, 0, 0, 0], [26, 0, 0, 9, 1], [242, 0, 0, 2, 0, 1]])
async def test_an_invalid_message_of_the_key_distributor_ends_the_session(
    loopback: Loopback, octets: list[int]
) -> None:
    await loopback.run("window.b = await loopback.endpoint(2, argument)", BOB)
    await loopback.run("loopback.standIn.members.get(2).channel.send(new Uint8Array(argument))", octets)
    await loopback.until("b.heard.some(({ op, reason }) => op === 'failed' && reason === 'malformed')")


async def test_an_offer_with_25_pairs_fits(loopback: Loopback) -> None:
    sizes = await loopback.run(
        """
        window.b = await loopback.endpoint(2, argument);
        const sizes = [];
        for (const present of [4, 5, 9, 17, 25, 60]) {
            const added = b.media.makeRoom(present);
            const { sdp } = await b.pc.createOffer();
            sizes.push([added, sdp.match(/^a=recvonly/gm).length / 2, sdp.length]);
        }
        return sizes;
        """,
        BOB,
    )
    assert [(added, pairs) for added, pairs, _ in sizes] == [
        *((False, 4), (True, 8), (True, 16), (True, 25), (False, 25), (False, 25))
    ]
    assert sizes[-1][2] < 40_000
