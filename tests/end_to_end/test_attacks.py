"""Attacks on a call that is running: whoever is attacked is told, and the call goes on.

The attackers are call processing, the Media Distributor, and endpoints with valid accounts; each does, in this
deployment, what its place would let it do. Malformed input of every kind is the rooms' own tests' business.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import numpy
import pytest
from OpenSSL import SSL
from playwright.async_api import Route, expect

from perc.srtp.packet import RtpPacket
from perc.tunnel.messages import MediaKeys, Message, TunneledDtls
from perc_server.certificates import demo_certificates
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.conference import Conference
from perc_server.media_distributor.seams import Tamper
from perc_server.media_distributor.tls_server import server_context
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.end_to_end.conftest import Come
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.people import JOIN_LIMIT, Person, see_and_hear_one_another
from tests.media_distributor.certificates import Identity
from tests.media_distributor.dtls import client_connection, records

pytestmark = pytest.mark.chromium

OFFER = re.compile(r"/perc/offer\?")
EVENTS = re.compile(r"/perc/events\?")
START = re.compile(r"/start-conf$")
TRUST_ANCHORS = re.compile(r"\.pem$")

ATTACK_LASTS = 4
"""Looks and listens, of more than half a second each."""


@dataclass(frozen=True, repr=False)
class Call:
    """Alice's conference, with bob in it."""

    alice: Person
    bob: Person
    link: str
    conference: Conference
    deployment: Deployment

    async def goes_on(self) -> None:
        """The two see and hear one another, live, and nobody else is there."""
        two = (self.alice, self.bob)
        await asyncio.gather(
            see_and_hear_one_another(two),
            *(one.sees_move(other) for one, other in itertools.permutations(two)),
            *(expect(one.page.locator("[data-member]")).to_have_count(2, timeout=JOIN_LIMIT) for one in two),
        )

    def link_of(self, owner: str) -> str:
        """A link to the room that names another owner."""
        return f"{self.link.partition('#')[0]}#owner={owner}"


@pytest.fixture(scope="module")
async def running_call(stay: Come, deployment: Deployment) -> Call:
    alice, bob = await stay("alice"), await stay("bob")
    link = await alice.open_room("attacked")
    await bob.join(link)
    call = Call(alice, bob, link, deployment.conference("attacked"), deployment)
    await call.goes_on()
    return call


@pytest.fixture
async def call(running_call: Call) -> AsyncIterator[Call]:
    """One call for all attacks, which continues after each of them."""
    yield running_call
    await running_call.goes_on()


async def knock(person: Person, link: str) -> None:
    await person.follow(link)
    await person.page.get_by_role("button", name="Join").click()


async def expect_failure(person: Person, title: str, text: str, detail: str = "") -> None:
    """The page has given up, says why, and has the precise reason for whoever asks."""
    await person.expect_state("failed")
    await expect(person.page.get_by_role("heading", name=title)).to_be_visible()
    await expect(person.page.locator("[data-part=over-text]")).to_contain_text(text)
    await expect(person.page.locator("[data-part=over-error]")).to_contain_text(detail)


# Who somebody is.


async def test_a_host_who_is_not_the_one_of_the_link(call: Call, come: Come) -> None:
    members = {endpoint.endpoint_id for endpoint in call.conference.endpoints}
    ben = await come("ben")
    with call.deployment.recorded() as recording:
        await knock(ben, call.link_of("anna@idp-a.localhost"))
        await expect_failure(ben, "This is not anna@idp-a.localhost", "You were not connected, and nothing was sent.")
        await call.goes_on()
    # Nothing was forwarded from ben, and nothing to him.
    hops = {(packet.source_endpoint, packet.receiver_endpoint) for packet in recording.packets}
    assert hops == set(itertools.permutations(members))


async def alter(person: Person, url: re.Pattern[str], change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """On their way from this person, requests are changed."""

    async def forward(route: Route) -> None:
        await route.continue_(post_data=change(json.loads(route.request.post_data or "")))

    await person.context.route(url, forward)


def without_identity(sdp: str) -> str:
    return re.sub(r"a=identity:.*\r\n", "", sdp)


def with_another_name(sdp: str) -> str:
    """Ben claims to be bob; the signature of their provider was for ben."""
    value = re.search(r"a=identity:(\S+)", sdp)
    assert value is not None
    identity = json.loads(base64.b64decode(value[1]))
    header, claims, signature = identity["assertion"].split(".")
    claimed = base64.urlsafe_b64decode(claims + "==").replace(b"ben@", b"bob@")
    identity["assertion"] = f"{header}.{base64.urlsafe_b64encode(claimed).decode().rstrip('=')}.{signature}"
    return sdp.replace(value[1], base64.b64encode(json.dumps(identity).encode()).decode())


def with_another_fingerprint(sdp: str) -> str:
    return re.sub(r"a=fingerprint:.*", f"a=fingerprint:{Identity.make('stranger').fingerprint}\r", sdp)


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (without_identity, "the offer has no identity"),
        (with_another_name, "the signature is wrong"),
        (with_another_fingerprint, "the assertion does not cover a fingerprint of the SDP"),
    ],
    ids=["identity", "name", "fingerprint"],
)
async def test_an_offer_that_was_tampered_with(
    tamper: Callable[[str], str], reason: str, call: Call, come: Come
) -> None:
    ben = await come("ben")
    await alter(ben, OFFER, lambda offer: {**offer, "sdp": tamper(offer["sdp"])})
    await knock(ben, call.link)
    await expect_failure(ben, "You were not admitted", reason)


async def test_an_offer_that_was_made_for_another_room(call: Call, come: Come) -> None:
    """Call processing has ben speak to another conference than he believes."""
    ben = await come("ben")

    async def divert(route: Route) -> None:
        await route.continue_(url=route.request.url.replace("?elsewhere", "?attacked"))

    await ben.context.route(re.compile(r"\?elsewhere"), divert)
    await knock(ben, call.link.replace("attacked", "elsewhere"))
    await expect_failure(ben, "You were not admitted", "the assertion was made for another conference")


async def test_an_answer_that_was_changed_after_it_was_signed(call: Call, come: Come) -> None:
    ben = await come("ben")

    async def answer(route: Route) -> None:
        response = await route.fetch()
        signed = await response.json()
        await route.fulfill(response=response, json={**signed, "sdp": with_another_fingerprint(signed["sdp"])})

    await ben.context.route(OFFER, answer)
    await knock(ben, call.link)
    await expect_failure(ben, f"This is not {call.alice.identity}", "You were not connected, and nothing was sent.")


class Stranger(Tamper):
    """Takes the Key Distributor's messages about one association out of the tunnel."""

    def __init__(self) -> None:
        self.association = uuid4()
        self.messages: asyncio.Queue[Message] = asyncio.Queue()

    def tunnel_received(self, conference: str, message: Message) -> Message | None:
        if getattr(message, "association_id", None) != self.association:
            return message
        self.messages.put_nowait(message)
        return None


async def test_a_certificate_that_no_offer_named(call: Call) -> None:
    """The Media Distributor brings an endpoint that made no offer to the Key Distributor."""
    stranger, connection = Stranger(), client_connection(Identity.make("stranger"))
    tunnel = call.conference.link.tunnel
    assert tunnel is not None

    async def shake_hands() -> None:
        while not handshake_is_complete(connection):
            for datagram in records(connection):
                tunnel.send(TunneledDtls(stranger.association, datagram))
            message = await stranger.messages.get()
            assert isinstance(message, TunneledDtls), "no media_keys"
            connection.bio_write(message.dtls_message)

    with call.deployment.attack.by(stranger):
        with pytest.raises(SSL.Error, match="alert"):
            await asyncio.wait_for(shake_hands(), JOIN_LIMIT / 1000)
        assert not any(isinstance(message, MediaKeys) for message in drained(stranger.messages))
    notice = call.alice.page.get_by_text("They got no keys.")
    await expect(notice).to_be_visible()
    await call.alice.pictures("notice")
    await call.alice.page.get_by_role("button", name="Dismiss").click()
    await expect(notice).to_be_hidden()


def drained(queue: asyncio.Queue[Message]) -> list[Message]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


def handshake_is_complete(connection: SSL.Connection) -> bool:
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return False
    return True


# Opening a room.


async def open_room(person: Person, link: str) -> None:
    await person.follow(link)
    await person.page.get_by_role("button", name="Open the room").click()


async def test_a_room_that_is_open_already(call: Call, come: Come) -> None:
    ben = await come("ben")
    await ben.context.route(EVENTS, lambda route: route.abort())  # else the page knows, and joins
    await open_room(ben, call.link_of(ben.identity))
    await expect_failure(ben, "This room is already open", "Ask for their link")


class Impostor(Tamper):
    """Shows new tunnel connections the certificate of a TLS context of its own."""

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    def tunnel_context(self, context: SSL.Context) -> SSL.Context:
        return self._context


@pytest.mark.parametrize(
    ("name", "is_trusted", "reason"),
    [
        ("md.localhost", False, "a certificate whose signature does not verify"),
        ("elsewhere.localhost", True, "the certificate is not for md.localhost"),
    ],
    ids=["authority", "name"],
)
async def test_a_media_distributor_with_a_wrong_certificate(
    name: str, is_trusted: bool, reason: str, call: Call, come: Come, tmp_path: Path
) -> None:
    anna, distributor = await come("anna"), call.deployment.media_distributor
    wrong = demo_certificates(tmp_path, name)
    context = server_context(wrong.media_distributor, lambda client: distributor.expecting(client) is not None)

    async def trust_them_too(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, body=await response.text() + wrong.authority.read_text())

    if is_trusted:
        await anna.context.route(TRUST_ANCHORS, trust_them_too)
    with call.deployment.attack.by(Impostor(context)):
        await open_room(anna, f"{call.deployment.origin}/perc/distrusted-{is_trusted}#host")
        text = "Its certificate is not trusted, or has another name. The conference was not started."
        await expect_failure(anna, "The Media Distributor is not who it claims to be", text, reason)


async def test_a_conference_started_for_another_key_distributor(call: Call, come: Come) -> None:
    """Call processing tells the Media Distributor of a certificate that is not anna's."""
    anna, other = await come("anna"), Identity.make("other").fingerprint
    await alter(anna, START, lambda start: {**start, "fingerprint": str(other)})
    await open_room(anna, f"{call.deployment.origin}/perc/diverted#host")
    text = "The room was announced with a certificate that is not yours"
    title = "The Media Distributor expects another Key Distributor"
    await expect_failure(anna, title, text, "refused the connection: alert")


# Media.


def tone(frequency: float) -> Iterator[bytes]:
    """Opus packets of 20 ms, for ever."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.open()
    samples = numpy.sin(numpy.arange(48_000) * (2 * numpy.pi * frequency / 48_000)) * 2**14
    packets = []
    for at in range(0, 48_000, encoder.frame_size):
        chunk = samples[numpy.newaxis, at : at + encoder.frame_size].astype("int16")
        frame = av.AudioFrame.from_ndarray(chunk, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return itertools.cycle(packets)


def key_frame(colour: tuple[int, int, int]) -> bytes:
    """A VP8 picture of one colour, small enough for one packet."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 320, 240, "yuv420p", Fraction(20)
    encoder.options = {"lag-in-frames": "0", "auto-alt-ref": "0"}
    picture = numpy.full((240, 320, 3), colour, dtype="uint8")
    packets = encoder.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"))
    return bytes((packets or encoder.encode(None))[0])


FALSE_TONE, FALSE_COLOUR = 2500, (200, 30, 200)


class PlaintextInstead(Tamper):
    """Sends media of the Media Distributor's own in the place of every source's."""

    def __init__(self) -> None:
        self._sound = tone(FALSE_TONE)
        self._picture = b"\x10" + key_frame(FALSE_COLOUR)  # RFC 7741: the start of a partition

    def forwarded(self, packet: RtpPacket, source: Source, receiver: str) -> RtpPacket | None:
        if source.kind == "audio":
            return replace(packet, payload=next(self._sound))
        # One packet is the whole frame.
        return replace(packet, payload=self._picture) if packet.marker else None


async def test_plaintext_is_neither_shown_nor_heard(call: Call) -> None:
    bob, alice = call.bob, call.alice
    dropped = await bob.frames_dropped()
    with call.deployment.attack.by(PlaintextInstead()):
        for _ in range(ATTACK_LASTS):
            heard = await bob.listen_to(alice)
            assert heard is None or heard["level"] < -60 or abs(heard["frequency"] - FALSE_TONE) > 50
            assert not is_like(await bob.look_at(alice), [FALSE_COLOUR] * 4)
    # Fifty packets of sound a second, and the frames.
    assert await bob.frames_dropped() > dropped + 100
    # And the page says so to whoever wants to know.
    await bob.page.get_by_role("button", name="Event log").click()
    received = bob.page.locator("[data-part=frames-received]")
    await expect(received).to_contain_text(re.compile(r"dropped \(.*malformed \d+"), timeout=JOIN_LIMIT)
    await bob.pictures("frames-dropped")
    await bob.page.get_by_role("button", name="Event log").click()


def is_like(seen: list[list[int]] | None, colours: Any) -> bool:
    """Whether most of a picture is somebody else's."""
    pairs = zip(seen or [], colours, strict=False)
    return sum(all(abs(a - b) < 50 for a, b in zip(one, other, strict=True)) for one, other in pairs) > 2
