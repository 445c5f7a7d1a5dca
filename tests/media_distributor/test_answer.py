"""Answers: aiortc reads them, the Key Distributor could sign them."""

from __future__ import annotations

from aiortc.sdp import SessionDescription

from perc.identity.sdp import read_sdp
from perc.srtp.packet import HeaderExtension
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.answer import Answer, Slot, Source, Transport, write_answer
from perc_server.media_distributor.ice import Credentials
from perc_server.media_distributor.sdp import read_offer
from tests.media_distributor.endpoint_stand_in import Endpoint, Media, camera, microphone, pairs

KEY_DISTRIBUTOR = Fingerprint("sha-256", bytes(range(32)))
TRANSPORT = Transport(("127.0.0.1", 5000), Credentials("a" * 16, "b" * 32), KEY_DISTRIBUTOR)


def answer(*media: Media, mid_id: int = 4) -> Answer:
    return write_answer(read_offer(Endpoint("alice", list(media), mid_id).offer()), TRANSPORT)


def read(written: Answer) -> SessionDescription:
    return SessionDescription.parse(written.sdp)


def test_sources_and_slots() -> None:
    written = answer(microphone(1), camera(2), *pairs(2))
    assert written.sources == (Source(1, "audio", "0", 111), Source(2, "video", "1", 96))
    extension = HeaderExtension(0xBEDE, b"\x402\0\0")
    assert written.slots[0] == Slot("2", "audio", 0, 111, extension)
    assert [(slot.mid, slot.kind, slot.pair) for slot in written.slots[1:]] == [
        ("3", "video", 0),
        ("4", "audio", 1),
        ("5", "video", 1),
    ]


def test_one_transport_with_the_key_distributors_certificate() -> None:
    parsed = read(answer(microphone(1), *pairs(1)))
    assert parsed.group[0].items == ["0", "1", "2", "data"]
    for media in parsed.media:
        assert media.port == 5000
        assert media.ice is not None
        assert media.ice.iceLite
        assert (media.ice.usernameFragment, media.ice.password) == ("a" * 16, "b" * 32)
        assert media.dtls is not None
        assert media.dtls.role == "server", "a=setup:passive"
        assert [str(each.value) for each in media.dtls.fingerprints] == [str(KEY_DISTRIBUTOR).partition(" ")[2]]
    candidate = parsed.media[0].ice_candidates[0]
    assert (candidate.ip, candidate.port, candidate.type) == ("127.0.0.1", 5000, "host")


def test_what_the_key_distributor_checks_before_it_signs() -> None:
    described = read_sdp(answer(microphone(1), Media("video", rejected=True), *pairs(1)).sdp.encode())
    assert described.fingerprints == (KEY_DISTRIBUTOR,)
    assert described.setups == {"passive"}
    assert described.identity is None


def test_directions() -> None:
    parsed = read(
        answer(Media("audio", "sendonly", 1), Media("audio", "sendrecv", 2), Media("audio"), Media("audio", "inactive"))
    )
    assert [media.direction for media in parsed.media[:4]] == ["recvonly", "recvonly", "sendonly", "inactive"]


def test_opus_and_vp8_with_the_feedback_that_is_acted_on() -> None:
    parsed = read(answer(microphone(1), camera(2)))
    audio, video = parsed.media[:2]
    assert [(codec.mimeType, codec.payloadType) for codec in audio.rtp.codecs] == [("audio/opus", 111)]
    assert [(codec.mimeType, codec.payloadType) for codec in video.rtp.codecs] == [("video/VP8", 96)]
    feedback = {(each.type, each.parameter) for each in video.rtp.codecs[0].rtcpFeedback}
    assert feedback == {("nack", "pli"), ("goog-remb", None)}, "no transport-cc, no plain nack, no RTX"


def test_the_only_header_extension_is_the_mid() -> None:
    parsed = read(answer(microphone(1), camera(2), *pairs(1), mid_id=7))
    extensions = {(each.id, each.uri) for media in parsed.media for each in media.rtp.headerExtensions}
    assert extensions == {(7, "urn:ietf:params:rtp-hdrext:sdes:mid")}


def test_a_rejected_m_line_is_answered_in_its_place_and_not_bundled() -> None:
    parsed = read(answer(microphone(1), Media("video", rejected=True), *pairs(1)))
    assert [media.port for media in parsed.media] == [5000, 0, 5000, 5000, 5000]
    assert parsed.group[0].items == ["0", "2", "3", "data"]


def test_the_key_channel() -> None:
    channel = read(answer(microphone(1))).media[-1]
    assert (channel.kind, channel.sctp_port) == ("application", 5000)


def test_each_answer_has_an_origin_of_its_own() -> None:
    origins = {answer(microphone(1)).origin for _ in range(20)}
    assert len(origins) == 20
    written = answer(microphone(1))
    assert f"\r\no={written.origin}\r\n" in written.sdp


def test_without_a_mid_extension_there_are_no_slots() -> None:
    assert answer(*pairs(1), mid_id=15).slots == ()


def test_a_mid_extension_in_two_byte_form() -> None:
    assert answer(*pairs(1), mid_id=200).slots[0].extension == HeaderExtension(0x1000, b"\xc8\x010\0")


def test_offer_and_answer_of_25_pairs_fit_the_tunnel() -> None:
    media = [microphone(1), camera(2), camera(3), *pairs(25)]
    offered = Endpoint("alice", media).offer()
    assert len(offered) + len(write_answer(read_offer(offered), TRANSPORT).sdp) < 60_000


def test_ipv6() -> None:
    transport = Transport(("::1", 5000), TRANSPORT.ice, KEY_DISTRIBUTOR)
    written = write_answer(read_offer(Endpoint("alice", pairs(1)).offer()), transport)
    assert "c=IN IP6 ::1\r\n" in written.sdp
    assert "udp 2130706431 ::1 5000" in written.sdp
