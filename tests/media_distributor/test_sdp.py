"""Offers: what is read, and everything that is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.sdp import MAXIMUM_LINE, MAXIMUM_OFFER, Direction, read_offer
from tests.media_distributor.endpoint_stand_in import Endpoint, Media, camera, microphone, pairs

CHROMIUM = (Path(__file__).parent / "chromium-offer.sdp").read_text()


def offer(*media: Media) -> str:
    return Endpoint("alice", list(media)).offer()


def refused(sdp: str) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        read_offer(sdp)
    return refusal.value


def test_what_chromium_offers() -> None:
    read = read_offer(CHROMIUM)
    assert [media.kind for media in read.media] == ["audio", "video"] + ["audio", "video"] * 4 + ["application"]
    sending, receiving = read.media[:2], read.media[2:-1]
    assert all(media.acceptable and media.ssrc and media.direction is Direction.SENDONLY for media in sending)
    assert all(media.acceptable and media.ssrc is None and media.direction is Direction.RECVONLY for media in receiving)
    assert {media.payload_type for media in read.media if media.kind == "video"} == {96}
    assert "nack pli" in read.media[1].feedback
    assert len(read.fingerprints) == 1


def test_an_offer_without_opus_or_vp8_in_an_m_line_keeps_the_others() -> None:
    sdp = offer(microphone(1), camera(2)).replace("VP8/90000", "H264/90000")
    read = read_offer(sdp)
    assert [media.acceptable for media in read.media] == [True, False, True]


def test_a_rejected_m_line_stays_rejected() -> None:
    read = read_offer(offer(microphone(1), Media("video", rejected=True)))
    assert [media.acceptable for media in read.media] == [True, False, True]


def test_a_bundle_only_m_line_is_not_rejected() -> None:
    sdp = offer(microphone(1)).replace("m=audio 9 ", "m=audio 0 ").replace("a=mid:0", "a=mid:0\r\na=bundle-only")
    assert read_offer(sdp).media[0].acceptable


def test_the_repair_flow_is_not_the_source() -> None:
    sdp = offer(camera(2)).replace("a=ssrc:2 ", "a=ssrc-group:FID 2 3\r\na=ssrc:3 cname:x\r\na=ssrc:2 ")
    assert read_offer(sdp).media[0].ssrc == 2


def test_a_receiving_m_line_has_no_source() -> None:
    assert read_offer(offer(Media("audio", "recvonly", 5))).media[0].ssrc is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("o=- 1 1 IN IP4 127.0.0.1\r\n", ""),
        ("o=- 1 1 IN IP4 127.0.0.1\r\n", "o=- 1 1 IN IP4 127.0.0.1\r\no=- 2 2 IN IP4 127.0.0.1\r\n"),
        ("s=-", "s"),
        ("s=-", "S=-"),
        ("s=-", "s=-\0"),
        ("s=-", "s=é"),
        ("a=group:BUNDLE", "a=group:LS"),
        ("BUNDLE 0 ", "BUNDLE "),
        ("a=mid:1", "a=mid:0"),
        ("a=mid:0", "a=mid:"),
        ("a=mid:0", "a=mid:0\r\na=mid:5"),
        ("m=audio 9", "m=text 9"),
        ("m=audio 9", "m=audio nine"),
        ("a=rtcp-mux\r\n", ""),
        ("a=sendonly", "a=sendonly\r\na=recvonly"),
        ("a=ssrc:2 ", "a=ssrc:two "),
        ("a=ssrc:2 ", "a=ssrc:0 "),
        ("a=ssrc:2 ", "a=ssrc:4294967296 "),
        ("a=ssrc:2 ", "a=ssrc:1 "),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=extmap:4 urn", "a=extmap:x urn"),
    ],
)
def test_not_an_offer(old: str, new: str) -> None:
    sdp = offer(microphone(1), camera(2))
    assert old in sdp
    assert refused(sdp.replace(old, new)).code is Code.INVALID_OFFER


@pytest.mark.parametrize("name", ["ice-ufrag", "ice-pwd", "fingerprint"])
def test_an_offer_without_its_keys(name: str) -> None:
    lines = [line for line in offer(microphone(1)).split("\r\n") if not line.startswith(f"a={name}:")]
    assert refused("\r\n".join(lines)).code is Code.INVALID_OFFER


@pytest.mark.parametrize("name", ["ice-ufrag", "ice-pwd"])
def test_two_transports(name: str) -> None:
    sdp = offer(microphone(1))
    start = sdp.rindex(f"a={name}:")
    other = sdp[:start] + f"a={name}:{'x' * 24}" + sdp[sdp.index("\r\n", start) :]
    assert refused(other).code is Code.INVALID_OFFER


def test_too_large() -> None:
    assert refused("v=0\r\n" + "a=x\r\n" * (MAXIMUM_OFFER // 5)).code is Code.TOO_LARGE


def test_a_line_too_long() -> None:
    assert refused(offer(microphone(1)) + "a=" + "x" * MAXIMUM_LINE + "\r\n").code is Code.INVALID_OFFER


def test_too_many_m_lines() -> None:
    assert refused(offer(*[Media("audio")] * 64)).code is Code.INVALID_OFFER


def test_an_extension_id_that_is_reserved_is_none() -> None:
    assert read_offer(Endpoint("alice", pairs(1), mid_id=15).offer()).media[0].mid_extension is None


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_offer_raises_nothing_else(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(CHROMIUM)))
    end = data.draw(st.integers(start, min(len(CHROMIUM), start + 40)))
    with contextlib.suppress(Refusal):
        read_offer(CHROMIUM[:start] + data.draw(st.text(max_size=20)) + CHROMIUM[end:])
