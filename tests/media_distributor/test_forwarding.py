"""Media from one endpoint to the others, over real sockets."""

from __future__ import annotations

from dataclasses import replace

from aiortc import rtp

from perc.srtp.packet import HeaderExtension
from perc_server.media_distributor.reception import ReportBlock
from perc_server.media_distributor.rtcp import (
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    SenderReport,
    write_picture_loss_indication,
    write_receiver_report,
    write_remb,
)
from tests.loop_time import standing_time
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import (
    Endpoint,
    Media,
    audio_packet,
    camera,
    microphone,
    pairs,
    video_packet,
)
from tests.media_distributor.waiting import arrived, settled, until


def mids(endpoint: Endpoint, ssrc: int) -> set[bytes]:
    """The MIDs under which a source came, without id and padding."""
    return {packet.extension.data[1:].rstrip(b"\0") for packet in endpoint.of(ssrc) if packet.extension}


async def test_a_conference_from_start_to_media(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), camera(1002), *pairs(2))
    bob = await stage.join("bob", microphone(2001), camera(2002), *pairs(2), mid_id=9)

    extension = HeaderExtension(0xBEDE, b"\x40x\0\0")
    alice.send_rtp(replace(audio_packet(1001, 7), marker=True, extension=extension, csrcs=(5, 6)))
    alice.send_rtp(video_packet(1002, 500))
    bob.send_rtp(audio_packet(2001, 9))
    await until(lambda: len(bob.packets) == 2 and len(alice.packets) == 1)

    received = bob.of(1001)[0]
    assert (received.timestamp, received.payload, received.marker) == (7 * 960, b"ciphertext", True)
    assert received.csrcs == (5, 6)
    assert received.extension == HeaderExtension(0xBEDE, b"\x902\0\0"), "Bob's first audio slot, under Bob's id"
    assert bob.of(1002)[0].extension == HeaderExtension(0xBEDE, b"\x903\0\0")
    assert alice.of(2001)[0].extension == HeaderExtension(0xBEDE, b"\x402\0\0")
    await settled()
    assert [(each.source_endpoint, each.receiver_endpoint) for each in stage.forwarded] == [
        ("alice", "bob"),
        ("alice", "bob"),
        ("bob", "alice"),
    ]
    assert stage.forwarded[0].received[-10:] == b"ciphertext"


async def test_the_steps_of_the_call_flow_in_their_order(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: "media" in stage.call.steps("alice"))
    assert stage.call.steps() == ["new-conference", "conference-ack", "tls", "profiles"]
    signalling, media = stage.call.steps("alice")[:4], stage.call.steps("alice")[4:]
    assert signalling == ["offer", "sign-answer", "sign-answer-ack", "answer"]
    assert media == ["dtls", "tunneled-dtls", "media"]


async def test_the_payload_type_becomes_the_receivers(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", Media("audio", payload_type=63))
    alice.send_rtp(audio_packet(1001, 7))
    await until(lambda: bob.packets)
    assert bob.packets[0].payload_type == 63


async def test_sequence_numbers_close_the_gaps_of_padding(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", camera(1002))
    bob = await stage.join("bob", *pairs(1))
    padding = replace(video_packet(1002, 0), padding=True, payload=b"\0\0\0\x04")
    packets = [video_packet(1002, 65_534), replace(padding, sequence_number=65_535), video_packet(1002, 0)]
    packets += [replace(padding, sequence_number=1), video_packet(1002, 2), video_packet(1002, 4)]
    for packet in packets:
        alice.send_rtp(packet)
    await until(lambda: len(bob.packets) == 4)
    first = bob.packets[0].sequence_number
    assert [packet.sequence_number - first for packet in bob.packets] == [0, 1, 2, 4]
    assert first < 1 << 15
    assert [packet.timestamp for packet in bob.packets] == [
        packet.timestamp for packet in packets if not packet.padding
    ]


async def test_padded_media_keeps_its_padding(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", camera(1002))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtp(replace(video_packet(1002, 1), padding=True, payload=b"media\0\x02"))
    await until(lambda: bob.packets)
    assert (bob.packets[0].padding, bob.packets[0].payload) == (True, b"media\0\x02")


async def test_what_is_not_an_endpoints_own_stream_goes_nowhere(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), *pairs(2))
    bob = await stage.join("bob", microphone(2001), *pairs(2))
    alice.send_rtp(audio_packet(3001, 1))  # announced by nobody
    alice.send_rtp(audio_packet(2001, 1))  # Bob's
    alice.send_rtp(replace(audio_packet(1001, 1), payload_type=96))  # not negotiated for audio
    again = alice.send_rtp(audio_packet(1001, 2))
    alice.send(again)  # replayed
    alice.send(again[:-1] + bytes([again[-1] ^ 1]))  # not authentic
    bob.send(again)  # somebody else's hop
    alice.send(again[:20])
    alice.send_rtp(audio_packet(1001, 3))
    await until(lambda: len(bob.packets) == 2)
    await settled()
    assert [packet.timestamp for packet in bob.packets] == [2 * 960, 3 * 960]
    assert alice.packets == []
    conference = stage.distributor.conference("room")
    assert conference is not None
    assert sum(conference.path.dropped.values()) == 7


async def test_nothing_comes_back_to_its_sender(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), *pairs(3))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: "media" in stage.call.steps("alice"))
    await settled()
    assert alice.packets == []


async def test_two_sources_never_share_a_slot(stage: Stage) -> None:
    await stage.start()
    senders = [await stage.join(f"sender{number}", camera(number)) for number in (11, 12, 13)]
    bob = await stage.join("bob", *pairs(2))
    for sequence_number in range(3):
        for number, sender in enumerate(senders, 11):
            sender.send_rtp(video_packet(number, sequence_number))
    await until(lambda: len(bob.packets) == 6)
    assert [mids(bob, ssrc) for ssrc in (11, 12, 13)] == [{b"1"}, {b"3"}, set()]

    await stage.call.request("leave", conference="room", endpoint="sender11")
    senders[2].send_rtp(video_packet(13, 3))
    await until(lambda: bob.of(13))
    assert mids(bob, 13) == {b"1"}, "the freed slot"
    assert mids(bob, 12) == {b"3"}


async def test_more_slots_by_renegotiation(stage: Stage) -> None:
    await stage.start()
    senders = [await stage.join(f"sender{number}", microphone(number)) for number in (11, 12)]
    bob = await stage.join("bob", Media("audio"))
    for number, sender in enumerate(senders, 11):
        sender.send_rtp(audio_packet(number, 0))
    await until(lambda: bob.of(11))
    before = bob.answer_text
    bob.media += [Media("audio")]
    await bob.negotiate(stage.call)
    assert bob.answer_text.split("\r\n")[1] != before.split("\r\n")[1], "an o= line of its own"
    for number, sender in enumerate(senders, 11):
        sender.send_rtp(audio_packet(number, 1))
    await until(lambda: bob.of(12) and len(bob.of(11)) == 2)
    assert (mids(bob, 11), mids(bob, 12)) == ({b"0"}, {b"1"})
    numbers = [packet.sequence_number for packet in bob.of(11)]
    assert numbers[1] == numbers[0] + 1, "the stream went on undisturbed"


async def test_a_source_that_stops_and_comes_again_continues_its_numbers(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", Media("audio"))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    alice.media = [Media("audio", "inactive")]
    await alice.negotiate(stage.call)
    await until(lambda: stage.call.of("sources")[-1]["audio"] == 0)
    alice.send_rtp(audio_packet(1001, 2))
    alice.media = [microphone(1001)]
    await settled()
    await alice.negotiate(stage.call)
    alice.send_rtp(audio_packet(1001, 10_000))
    await until(lambda: len(bob.packets) == 2)
    assert bob.packets[1].sequence_number == bob.packets[0].sequence_number + 1


async def test_key_frames_are_asked_for_when_a_receiver_comes(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), camera(1002))
    alice.send_rtp(audio_packet(1001, 1))
    alice.send_rtp(video_packet(1002, 1))
    await until(lambda: "media" in stage.call.steps("alice"))
    await settled()
    assert alice.rtcp_of(PictureLossIndication) == []
    await stage.join("bob", *pairs(1))
    await until(lambda: alice.rtcp_of(PictureLossIndication))
    assert [packet.media_ssrc for packet in alice.rtcp_of(PictureLossIndication)] == [1002]  # type: ignore[union-attr]


async def test_requests_of_receivers_are_passed_on_sparingly(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", camera(1002))
    bob = await stage.join("bob", *pairs(1))
    carol = await stage.join("carol", microphone(3001))
    alice.send_rtp(video_packet(1002, 1))
    await until(lambda: len(alice.rtcp_of(PictureLossIndication)) == 1)
    with standing_time():
        for _ in range(20):
            bob.send_rtcp(write_picture_loss_indication(PictureLossIndication(1, 1002)))
            carol.send_rtcp(write_picture_loss_indication(PictureLossIndication(1, 1002)))  # gets nothing of it
            bob.send_rtcp(write_picture_loss_indication(PictureLossIndication(1, 9999)))
        await arrived()
    await until(lambda: len(alice.rtcp_of(PictureLossIndication)) == 2)
    await settled()
    assert len(alice.rtcp_of(PictureLossIndication)) == 2


async def test_bit_rates_follow_the_slowest_receiver(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", camera(1002))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtp(video_packet(1002, 1))
    await until(lambda: alice.rtcp_of(ReceiverEstimatedMaximumBitrate))
    (first,) = alice.rtcp_of(ReceiverEstimatedMaximumBitrate)
    assert isinstance(first, ReceiverEstimatedMaximumBitrate)
    assert (first.bitrate, first.ssrcs) == (2_500_000, (1002,)), "the maximum"
    lossy = ReportBlock(1002, 20, 5, 1, 0, 0, 0)
    remb = ReceiverEstimatedMaximumBitrate(1, 400_000, (1002,))
    bob.send_rtcp(write_remb(remb) + write_receiver_report(1, (lossy,)))
    await until(lambda: len(alice.rtcp_of(ReceiverEstimatedMaximumBitrate)) == 2)
    second = alice.rtcp_of(ReceiverEstimatedMaximumBitrate)[1]
    assert isinstance(second, ReceiverEstimatedMaximumBitrate)
    assert 399_990 <= second.bitrate <= 400_000


async def test_sender_reports_pass_for_the_sake_of_synchrony(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    info = rtp.RtcpSenderInfo(ntp_timestamp=99 << 32, rtp_timestamp=960, packet_count=1, octet_count=10)
    alice.send_rtcp(bytes(rtp.RtcpSrPacket(ssrc=1001, sender_info=info)))
    bob.send_rtcp(bytes(rtp.RtcpSrPacket(ssrc=1001, sender_info=info)))  # not Bob's to report on
    await until(lambda: bob.rtcp)
    await settled()
    assert bob.rtcp == [SenderReport(1001, bytes(info))]
    assert alice.rtcp_of(SenderReport) == []


async def test_malformed_rtcp_costs_nobody_anything(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtcp(b"\x81\xc8\0\x02" + bytes(8))
    alice.send(b"\x80\xc8" + bytes(30))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)


async def test_media_goes_on_without_a_tunnel(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    key_distributor.transport.abort()
    await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
