"""Media from one endpoint to the others, over real sockets."""

from __future__ import annotations

from dataclasses import replace

from perc.srtp.packet import HeaderExtension
from perc_server.media_distributor.rtcp import PictureLossIndication
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import audio_packet, camera, microphone, pairs, video_packet
from tests.media_distributor.waiting import settled, until


async def test_a_conference_from_start_to_media(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), camera(1002), *pairs(2))
    bob = await stage.join("bob", microphone(2001), camera(2002), *pairs(2), mid_id=9)

    sent = replace(audio_packet(1001, 7), marker=True, extension=HeaderExtension(0xBEDE, b"\x40x\0\0"))
    alice.send_rtp(sent)
    alice.send_rtp(video_packet(1002, 500))
    bob.send_rtp(audio_packet(2001, 9))
    await until(lambda: len(bob.packets) == 2 and len(alice.packets) == 1)

    received = bob.of(1001)[0]
    assert (received.ssrc, received.timestamp, received.payload, received.marker) == (
        1001,
        7 * 960,
        b"ciphertext",
        True,
    )
    assert received.extension == HeaderExtension(0xBEDE, b"\x90" + b"2\0\0"), "Bob's first audio slot, under Bob's id"
    assert bob.of(1002)[0].extension == HeaderExtension(0xBEDE, b"\x90" + b"3\0\0")
    assert alice.of(2001)[0].extension == HeaderExtension(0xBEDE, b"\x40" + b"2\0\0")
    await until(lambda: alice.rtcp_of(PictureLossIndication))
    assert alice.rtcp_of(PictureLossIndication)[0].media_ssrc == 1002
    await settled()
    assert [(each.source_endpoint, each.receiver_endpoint) for each in stage.forwarded] == [
        ("alice", "bob"),
        ("alice", "bob"),
        ("bob", "alice"),
    ]


async def test_the_steps_of_the_call_flow_in_their_order(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: "media" in stage.call.steps("alice"))
    assert stage.call.steps() == ["new-conference", "conference-ack", "tls", "profiles"]
    signalling, media = stage.call.steps("alice")[:4], stage.call.steps("alice")[4:]
    assert signalling == ["offer", "sign-answer", "sign-answer-ack", "answer"]
    assert media == ["dtls", "tunneled-dtls", "media"]
