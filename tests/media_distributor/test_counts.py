"""What the Media Distributor counts, as a scraper reads it: each counter moves for its reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from perc.srtp.outer import OuterSender
from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, SignAnswerReject, TunneledDtls
from perc.tunnel.origin import origin_of
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor import forwarder as forwarder_module
from perc_server.media_distributor import tunnel as tunnel_module
from perc_server.media_distributor import tunnel_listener as listener_module
from perc_server.media_distributor.answer import Source
from perc_server.media_distributor.config import Timeouts
from perc_server.media_distributor.counts import MediaDistributorCounts, PacketDrop, TunnelEnd
from perc_server.media_distributor.demultiplex import MAXIMUM_DATAGRAM
from perc_server.media_distributor.endpoint import DATAGRAMS_PER_SECOND, MAXIMUM_QUEUED_DTLS
from perc_server.media_distributor.hop import MAXIMUM_PLAINTEXT
from perc_server.media_distributor.packet_path import Leg
from perc_server.media_distributor.rtp import mid_extension
from perc_server.media_distributor.server import MediaDistributor, running
from perc_server.media_distributor.tls_server import server_context
from perc_server.media_distributor.tunnel import Tunnel
from tests.driving import run
from tests.media_distributor.call_processing_stand_in import Refused
from tests.media_distributor.certificates import Identity
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import Endpoint, audio_packet, microphone, pairs
from tests.media_distributor.key_distributor_stand_in import KeyDistributor
from tests.media_distributor.test_carriage import PROVIDER, session_keys
from tests.media_distributor.test_carriage import Stage as Carriage
from tests.media_distributor.waiting import settled, until
from tests.observability.observing import labels_of, value

GCM = SRTPProtectionProfile.AEAD_AES_128_GCM


class Counts:
    """The metrics of a Media Distributor, without their prefix and suffix."""

    def __init__(self, distributor: MediaDistributor) -> None:
        self.metrics = distributor.metrics

    def total(self, name: str, **labels: str) -> int:
        return int(value(self.metrics, f"perc_md_{name}_total", **labels))

    def gauge(self, name: str) -> int:
        return int(value(self.metrics, f"perc_md_{name}"))

    async def reaches(self, number: int, name: str, **labels: str) -> None:
        await until(lambda: self.total(name, **labels) >= number)
        assert self.total(name, **labels) == number


@pytest.fixture
def counts(stage: Stage) -> Counts:
    return Counts(stage.distributor)


async def test_everything_is_at_zero_before_anything_happens(stage: Stage, counts: Counts) -> None:
    text = stage.distributor.metrics.exposition()[0].decode()
    samples = [line.split() for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) > 70
    assert {name for name, number in samples if float(number)} == {"perc_md_control_connections_total"}
    assert "over-rate" in labels_of(counts.metrics, "perc_md_datagrams_dropped_total")


async def test_forwarded_and_dropped_packets_are_counted(stage: Stage, counts: Counts) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    carol = await stage.join("carol", *pairs(1))
    sent = alice.send_rtp(audio_packet(1001, 10))
    await until(lambda: bob.packets and carol.packets)
    await counts.reaches(2, "packets_forwarded")
    drops = {
        "unknown-source": lambda: alice.send_rtp(audio_packet(3001, 1)),
        "not-authentic": lambda: alice.send(sent),
        "payload-type": lambda: alice.send_rtp(replace(audio_packet(1001, 11), payload_type=96)),
        "padding": lambda: alice.send_rtp(replace(audio_packet(1001, 12), padding=True, payload=b"\0\0\3")),
        "rtcp-not-authentic": lambda: alice.send(b"\x80\xc9" + bytes(30)),
        "rtcp-malformed": lambda: alice.send_rtcp(b"\x80\xc9\x00\x07" + bytes(4)),
    }
    for reason, provoke in drops.items():
        provoke()
        await counts.reaches(1, "packets_dropped", reason=reason)
    assert sum(stage.distributor.counts.packets_dropped.values()) == len(drops)
    assert counts.total("packets_forwarded") == 2


async def test_a_late_packet_is_counted_for_the_receiver_that_joined_after_it(stage: Stage, counts: Counts) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    alice.send_rtp(audio_packet(1001, 10))
    await until(lambda: "media" in stage.call.steps("alice"))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtp(audio_packet(1001, 12))
    await until(lambda: bob.packets)
    alice.send_rtp(audio_packet(1001, 11))
    await counts.reaches(1, "packets_dropped", reason="too-late")


async def test_dropped_datagrams_are_counted(stage: Stage, counts: Counts) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    received = counts.total("datagrams_received")
    alice.send(b"\xff")
    alice.send(b"\x80" + bytes(MAXIMUM_DATAGRAM))
    await counts.reaches(2, "datagrams_dropped", reason="no-protocol")
    assert counts.total("datagrams_received") == received + 2
    eve = Endpoint("eve", [])
    eve.answer = alice.answer
    await eve.open()
    eve.send(b"\x80" + bytes(20))
    await counts.reaches(1, "datagrams_dropped", reason="unknown-address")
    eve.transport.close()
    conference = stage.distributor.conference("room")
    assert conference is not None
    address = alice.transport.get_extra_info("sockname")
    for first in (b"\x80\x60", b"\x17\xfe"):
        for _ in range(2 * DATAGRAMS_PER_SECOND):
            conference.receive(first + bytes(30), address)
    assert counts.total("datagrams_dropped", reason="over-rate") >= DATAGRAMS_PER_SECOND // 2
    assert counts.total("datagrams_dropped", reason="over-rate-dtls") >= DATAGRAMS_PER_SECOND
    bob = stage.endpoint("bob")
    await bob.negotiate(stage.call)
    known = conference.endpoints.get("bob")
    assert known is not None
    key_distributor.send(TunneledDtls(known.association_id, b"\x16"))
    await counts.reaches(1, "datagrams_dropped", reason="no-path")
    key_distributor.send(TunneledDtls(uuid4(), b"\x16"))
    await counts.reaches(1, "associations_unknown")


async def test_dtls_is_counted_when_it_waits_in_vain_for_a_tunnel(stage: Stage, counts: Counts) -> None:
    key_distributor = await stage.start()
    alice = stage.endpoint("alice")
    await alice.negotiate(stage.call)
    await alice.open()
    await alice.check()
    key_distributor.transport.abort()
    await counts.reaches(1, "tunnels_ended", reason="lost")
    for _ in range(MAXIMUM_QUEUED_DTLS + 3):
        alice.send(b"\x16\xfe\xfd")
    await counts.reaches(3, "datagrams_dropped", reason="tunnel-down")


async def test_ice_checks_are_counted(stage: Stage, counts: Counts) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob")
    assert counts.total("ice_checks_passed") == 2
    replayed = next(datagram for datagram in alice.sent if datagram[0] == 0)
    unsigned = alice.request()
    unsigned.add_fingerprint()
    controlled = alice.request()
    del controlled.attributes["ICE-CONTROLLING"]
    controlled.attributes["ICE-CONTROLLED"] = 1
    stranger = alice.request()
    stranger.attributes["USERNAME"] = "nobody:here"
    eve = Endpoint("eve", [])
    eve.answer = alice.answer
    await eve.open()
    refusals = {
        "malformed": b"\0\1\0\0",
        "unknown-ufrag": alice.sign(stranger),
        "no-integrity": bytes(unsigned),
        "not-authentic": alice.sign(alice.request(), "wrong"),
        "replayed": replayed,
        "role-conflict": alice.sign(controlled),
    }
    for reason, datagram in refusals.items():
        eve.send(datagram)
        await counts.reaches(1, "ice_checks_refused", reason=reason)
    alice.send(bob.sign(bob.request()))
    await counts.reaches(1, "ice_checks_refused", reason="other-endpoints-address")
    old = eve.sign(alice.request())
    alice.ufrag = "restarted"
    await alice.negotiate(stage.call)
    eve.send(old)
    await counts.reaches(1, "ice_checks_refused", reason="old-credentials")
    eve.transport.close()


async def test_conferences_and_endpoints_are_counted(stage: Stage, counts: Counts) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    await stage.join("bob")
    assert [counts.gauge(name) for name in ("conferences", "endpoints", "tunnels")] == [1, 2, 1]
    assert [counts.total(name) for name in ("conferences_started", "endpoints_admitted", "tunnels_opened")] == [1, 2, 1]
    assert counts.total("offers_answered") == 2
    await stage.call.request("leave", conference="room", endpoint="alice")
    assert counts.total("endpoints_ended", reason="left") == 1
    key_distributor.send(EndpointDisconnect(next(iter(key_distributor.associations))))
    conference = stage.distributor.conference("room")
    assert conference is not None
    [bob] = conference.endpoints
    key_distributor.send(EndpointDisconnect(bob.association_id))
    await counts.reaches(1, "endpoints_ended", reason="key-distributor")
    await stage.join("carol")
    await stage.call.request("end", conference="room")
    assert counts.total("endpoints_ended", reason="conference-ended") == 1
    assert counts.total("conferences_ended", reason="requested") == 1
    assert counts.total("tunnels_ended", reason="conference-ended") == 1
    assert [counts.gauge(name) for name in ("conferences", "endpoints", "tunnels")] == [0, 0, 0]


async def test_refused_offers_and_requests_are_counted_by_code(stage: Stage, counts: Counts) -> None:
    with pytest.raises(Refused):
        await stage.endpoint("alice").negotiate(stage.call)
    key_distributor = await stage.start()
    with pytest.raises(Refused):
        await stage.call.request("offer", conference="room", endpoint="eve", sdp="v=0", role="owner")
    key_distributor.sign = lambda message: key_distributor.send(SignAnswerReject(origin_of(message.answer), "no"))
    with pytest.raises(Refused):
        await stage.endpoint("bob").negotiate(stage.call)
    with pytest.raises(Refused):
        await stage.call.request("dance")
    for code in ("no-such-conference", "invalid-offer", "refused"):
        assert counts.total("offers_refused", code=code) == 1
        assert counts.total("requests_refused", code=code) == 1
    assert counts.total("requests_refused", code="invalid") == 1
    assert sum(stage.distributor.counts.offers_refused.values()) == 3


async def test_refused_media_keys_are_counted(stage: Stage, counts: Counts) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    keyed = next(iter(key_distributor.keyed))
    key_distributor.send(MediaKeys(keyed, GCM, b"c" * 16, b"s" * 16, b"C" * 12, b"S" * 12))
    await counts.reaches(1, "media_keys_refused")
    key_distributor.early.append(
        lambda each: key_distributor.send(MediaKeys(each, GCM, b"k" * 16, b"k" * 16, b"C" * 12, b"S" * 12))
    )
    bob = stage.endpoint("bob")
    await bob.negotiate(stage.call)
    await bob.begin()
    await counts.reaches(1, "endpoints_ended", reason="bad-keys")
    assert counts.total("media_keys_refused") == 2


async def test_tunnels_are_counted_by_their_end(stage: Stage, counts: Counts) -> None:
    first = await stage.start()
    stranger = await KeyDistributor.dial(stage.distributor.tunnel_port, Identity.make("stranger"))
    await asyncio.wait_for(stranger.closed.wait(), 5)
    await counts.reaches(1, "tunnels_ended", reason="tls-failed")
    second = await stage.dial()
    await asyncio.wait_for(first.closed.wait(), 5)
    await counts.reaches(1, "tunnels_ended", reason="replaced")
    second.send_plaintext(b"\x02\0\x01\x05")
    await counts.reaches(1, "tunnels_ended", reason="unsupported-version")
    third = await stage.dial()
    third.send_plaintext(b"\x01\0\x01\x00")
    await counts.reaches(1, "tunnels_ended", reason="protocol-error")
    fourth = await stage.dial()
    fourth.tls.shutdown()
    fourth.transport.write(fourth.tls.bio_read(65536))
    await counts.reaches(1, "tunnels_ended", reason="key-distributor")


async def test_control_connections_are_counted_by_their_end(stage: Stage, counts: Counts) -> None:
    await stage.start()
    newer = await stage.connect()
    await counts.reaches(1, "control_connections_ended", reason="replaced")
    assert counts.total("conferences_ended", reason="control-lost") == 1
    newer.writer.close()
    await counts.reaches(1, "control_connections_ended", reason="closed")
    assert counts.total("control_connections") == 2


async def test_a_key_distributor_that_does_not_read_is_counted(
    stage: Stage, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice")
    monkeypatch.setattr(tunnel_module, "MAXIMUM_UNSENT", 0)  # as if nothing had been read for long
    alice.say(b"hello")
    await counts.reaches(1, "datagrams_dropped", reason="tunnel-slow")
    await stage.call.request("leave", conference="room", endpoint="alice")
    await asyncio.wait_for(key_distributor.closed.wait(), 5)
    await counts.reaches(1, "tunnels_ended", reason="too-slow")


async def test_a_tunnel_too_many_is_counted(stage: Stage, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "MAXIMUM_CONNECTIONS", 0)
    key_distributor = await KeyDistributor.dial(stage.distributor.tunnel_port, stage.identity)
    await asyncio.wait_for(key_distributor.closed.wait(), 5)
    await counts.reaches(1, "tunnels_ended", reason="too-many")


async def test_a_conference_that_ends_during_the_handshake_of_its_tunnel_is_counted(stage: Stage) -> None:
    class NoUsers:
        def expecting(self, fingerprint: Fingerprint) -> None:
            del fingerprint

    counts = MediaDistributorCounts()
    context = server_context(stage.config.tunnel_certificate, lambda _: True)
    server = await asyncio.get_running_loop().create_server(
        lambda: Tunnel(context, NoUsers(), 5.0, lambda _: None, counts), "127.0.0.1"
    )
    key_distributor = await KeyDistributor.dial(server.sockets[0].getsockname()[1], stage.identity)
    await asyncio.wait_for(key_distributor.closed.wait(), 5)
    server.close()
    assert counts.tunnels_ended == {TunnelEnd.NOT_EXPECTED: 1}
    assert counts.tunnels_opened == 0


async def test_a_datagram_that_the_system_does_not_take_is_counted(stage: Stage, counts: Counts) -> None:
    await stage.start()
    conference = stage.distributor.conference("room")
    assert conference is not None
    conference.port.send(b"x", ("127.0.0.1", 0))
    assert counts.total("datagrams_dropped", reason="not-sent") == 1


def test_what_a_hop_cannot_carry_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Carriage("audio", from_double=False, to_double=False)
    forwarder = stage.forwarder
    sender = OuterSender(PROVIDER, session_keys(stage.sender.client_write))
    packet = replace(audio_packet(1001, 1), payload=bytes(MAXIMUM_PLAINTEXT))
    forwarder.receive_rtp("sender", run(sender.protect(packet)), 0.0)
    monkeypatch.setattr(forwarder_module, "MAXIMUM_SSRCS_PER_HOP", 1)
    forwarder.add_source("sender", Source(1002, "audio", "0", 111))
    forwarder.connect(1002, "receiver", Leg(63, mid_extension(4, "2")))
    monkeypatch.setattr(forwarder_module, "MAXIMUM_RTCP_SENDERS", 0)
    assert forwarder.receive_rtcp("sender", bytes(30)) is None
    assert forwarder.receive_rtcp("nobody", bytes(30)) is None
    assert forwarder.dropped == {
        PacketDrop.NOT_PROTECTED: 1,
        PacketDrop.TOO_MANY_SOURCES: 1,
        PacketDrop.RTCP_TOO_MANY_SENDERS: 1,
        PacketDrop.RTCP_NO_HOP: 1,
    }


class TestImpatience:
    """With short time limits."""

    @pytest.fixture
    def timeouts(self) -> Timeouts:
        return Timeouts(handshake=0.1, tunnel=0.3, tunnel_lost=0.3, consent=0.2, connect=0.2)

    async def test_what_ends_by_itself_is_counted(self, stage: Stage, counts: Counts) -> None:
        await stage.start()
        await stage.endpoint("alice").negotiate(stage.call)
        await counts.reaches(1, "endpoints_ended", reason="never-connected")
        await stage.join("bob")
        await counts.reaches(1, "endpoints_ended", reason="consent-expired")
        _, writer = await asyncio.open_connection("127.0.0.1", stage.distributor.tunnel_port)
        await counts.reaches(1, "tunnels_ended", reason="handshake-timeout")
        writer.close()
        assert stage.key_distributor is not None
        stage.key_distributor.transport.abort()
        await counts.reaches(1, "conferences_ended", reason="key-distributor-gone")
        await until(lambda: stage.call.of("ended"))
        assert stage.call.of("ended")[0]["reason"] == "key-distributor-gone"


async def test_two_media_distributors_in_one_process_count_for_themselves(stage: Stage, counts: Counts) -> None:
    async with running(stage.config) as another:
        await stage.start()
        await settled()
        assert counts.total("tunnels_opened") == 1
        assert Counts(another).total("tunnels_opened") == 0
        assert another.metrics.exposition() != stage.distributor.metrics.exposition()
