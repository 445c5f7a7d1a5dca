"""Who may open a tunnel, and what may come through it."""

from __future__ import annotations

import asyncio
import logging
from uuid import uuid4

import pytest
from OpenSSL import SSL

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, TunneledDtls, UnsupportedVersion
from perc_server.media_distributor.config import Timeouts
from tests.loop_time import movable_time
from tests.media_distributor.certificates import Identity
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import audio_packet, microphone, pairs
from tests.media_distributor.key_distributor_stand_in import KeyDistributor
from tests.media_distributor.waiting import settled, until


async def dial(stage: Stage, identity: Identity | None) -> KeyDistributor:
    """A tunnel that is to fail; returned when it has."""
    key_distributor = await KeyDistributor.dial(stage.distributor.tunnel_port, identity)
    await key_distributor.closed.wait()
    return key_distributor


async def test_the_profiles_come_first(stage: Stage) -> None:
    key_distributor = await stage.start()
    assert key_distributor.end.profiles == (0x000A, 0x0009, 0x0008, 0x0007)
    assert key_distributor.tls.get_protocol_version_name() == "TLSv1.3"
    assert stage.call.of("tunnel") == [{"event": "tunnel", "conference": "room", "state": "up"}]


async def test_another_certificate_is_refused_with_an_alert(stage: Stage) -> None:
    await stage.call.request("start-conference", conference="room", fingerprint=str(stage.identity.fingerprint))
    stranger = await dial(stage, Identity.make("stranger"))
    assert "alert" in str(stranger.failure)
    assert stranger.messages == []
    assert stage.call.of("tunnel") == []


async def test_no_certificate_is_refused_with_an_alert(stage: Stage) -> None:
    await stage.call.request("start-conference", conference="room", fingerprint=str(stage.identity.fingerprint))
    nobody = await dial(stage, None)
    assert "certificate required" in str(nobody.failure)


async def test_a_key_distributor_without_a_conference_is_refused(stage: Stage) -> None:
    early = await dial(stage, stage.identity)
    assert "alert" in str(early.failure)
    await stage.start()
    await stage.call.request("end", conference="room")
    late = await dial(stage, stage.identity)
    assert "alert" in str(late.failure)


async def test_older_versions_of_tls_are_refused(stage: Stage) -> None:
    await stage.call.request("start-conference", conference="room", fingerprint=str(stage.identity.fingerprint))
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.distributor.tunnel_port)
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    writer.write(client.bio_read(65536))
    client.bio_write(await reader.read())
    with pytest.raises(SSL.Error, match="protocol version"):
        client.do_handshake()
    writer.close()


async def test_the_newer_tunnel_wins(stage: Stage) -> None:
    first = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    second = await stage.dial()
    await first.closed.wait()
    assert first.failure == "closed", "with close_notify"
    assert [event["state"] for event in stage.call.of("tunnel")] == ["up", "up"]
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    await stage.join("carol", *pairs(1))
    assert second.associations
    assert not second.closed.is_set()


async def test_what_was_not_answered_by_the_older_tunnel_is_refused(stage: Stage) -> None:
    first = await stage.start()
    first.sign = lambda _: None
    offer = asyncio.create_task(stage.endpoint("alice", microphone(1001)).negotiate(stage.call))
    await until(lambda: "sign-answer" in stage.call.steps("alice"))
    await stage.dial()
    with pytest.raises(Exception, match="no-key-distributor"):
        await offer


async def test_dtls_waits_for_a_lost_tunnel(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    key_distributor.transport.abort()
    await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
    await alice.open()
    await alice.check()
    alice.handshake()
    for _ in range(100):
        alice.send(b"\x16noise")
    await until(lambda: "dtls" in stage.call.steps("alice"))
    await settled()
    assert "tunneled-dtls" not in stage.call.steps("alice")
    again = await stage.dial()
    await until(lambda: sum(isinstance(message, TunneledDtls) for message in again.messages) >= 32)
    await settled()
    assert sum(isinstance(message, TunneledDtls) for message in again.messages) == 32, "within a bound"


async def test_media_goes_on_without_a_tunnel_and_no_hop_is_keyed_anew_by_the_next(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    key_distributor.transport.abort()
    await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: len(bob.packets) == 1)
    again = await stage.dial()
    gcm = SRTPProtectionProfile.AEAD_AES_128_GCM
    for association_id in key_distributor.keyed:
        again.send(MediaKeys(association_id, gcm, b"c" * 16, b"s" * 16, b"C" * 12, b"S" * 12))
    await settled()
    alice.send_rtp(audio_packet(1001, 2))
    await until(lambda: len(bob.packets) == 2)


async def test_farewells_that_may_be_lost_are_said_again(stage: Stage) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    (association_id,) = key_distributor.associations
    await stage.call.request("leave", conference="room", endpoint="alice")
    await until(lambda: key_distributor.disconnected == [association_id])
    again = await stage.dial()
    await until(lambda: again.disconnected == [association_id])


async def test_farewells_wait_too(stage: Stage) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    (association_id,) = key_distributor.associations
    key_distributor.transport.abort()
    await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
    await stage.call.request("leave", conference="room", endpoint="alice")
    again = await stage.dial()
    await until(lambda: again.disconnected == [association_id])


@pytest.mark.parametrize(
    "octets",
    [b"\0\0\0", b"\x01\0\x07\0\0\x04\0\x09\0\x0a", b"\x03\0\x01\0", b"\x04\0\x14" + bytes(18) + b"\xff\xff"],
    ids=["reserved type", "supported_profiles", "cut media_keys", "cut tunneled_dtls"],
)
async def test_a_malformed_message_ends_the_tunnel_and_nothing_else(stage: Stage, octets: bytes) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    key_distributor.send_plaintext(octets)
    await key_distributor.closed.wait()
    await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    await stage.dial()
    await stage.join("carol", *pairs(1))


async def test_an_unsupported_version_ends_the_tunnel(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.send_plaintext(b"\x02\0\x01\x05")
    await key_distributor.closed.wait()
    assert UnsupportedVersion(5).highest_version == 5


async def test_what_was_said_last_is_heard_though_the_end_comes_with_it(stage: Stage) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    (association_id,) = key_distributor.associations
    key_distributor.end.send(EndpointDisconnect(association_id))
    key_distributor.tls.send(key_distributor.end.data_to_send())
    key_distributor.tls.shutdown()
    key_distributor.transport.write(key_distributor.tls.bio_read(65536))
    await until(lambda: stage.call.of("ended"))
    assert stage.call.of("endpoint-left")


async def test_messages_about_unknown_associations_are_ignored(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.send(TunneledDtls(uuid4(), b"\x16"))
    key_distributor.send(EndpointDisconnect(uuid4()))
    gcm = SRTPProtectionProfile.AEAD_AES_128_GCM
    key_distributor.send(MediaKeys(uuid4(), gcm, b"c" * 16, b"s" * 16, b"C" * 12, b"S" * 12))
    await stage.join("alice", microphone(1001))
    assert not key_distributor.closed.is_set()


async def test_keys_that_cannot_be_a_hops_end_the_association(stage: Stage) -> None:
    key_distributor = await stage.start()
    gcm = SRTPProtectionProfile.AEAD_AES_128_GCM
    key_distributor.early.append(
        lambda each: key_distributor.send(MediaKeys(each, gcm, b"k" * 16, b"k" * 16, b"C" * 12, b"S" * 12))
    )
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    await alice.begin()
    await until(lambda: key_distributor.disconnected)
    await until(lambda: stage.call.of("endpoint-left"))
    assert stage.call.of("endpoint-left")[0]["endpoint"] == "alice"


async def test_an_association_is_keyed_once(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    gcm = SRTPProtectionProfile.AEAD_AES_128_GCM
    for association_id in key_distributor.keyed:
        key_distributor.send(MediaKeys(association_id, gcm, b"c" * 16, b"s" * 16, b"C" * 12, b"S" * 12))
    await settled()
    alice.send_rtp(audio_packet(1001, 2))
    await until(lambda: len(bob.packets) == 2)


async def test_no_key_stands_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key_distributor = await stage.start()
    key_distributor.early.append(
        lambda each: key_distributor.send(
            MediaKeys(each, SRTPProtectionProfile.AEAD_AES_128_GCM, b"k" * 16, b"k" * 16, b"C" * 12, b"S" * 12)
        )
    )
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    await alice.begin()
    await until(lambda: stage.call.of("endpoint-left"))
    assert "media_keys" in caplog.text
    assert "kkkk" not in caplog.text
    assert (b"k" * 4).hex() not in caplog.text


LIMITS = Timeouts(tunnel=20.0, tunnel_lost=20.0)
"""Less than a test may take, all together: their time is moved on."""


class TestImpatience:
    """Limits of time, struck by moving it."""

    @pytest.fixture
    def timeouts(self) -> Timeouts:
        return LIMITS

    async def test_a_connection_that_never_shakes_hands_is_cut(self, stage: Stage) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.distributor.tunnel_port)
        writer.write(b"\x16\x03\x01")
        with movable_time() as move:
            await settled()
            assert not reader.at_eof()
            move(LIMITS.handshake + 1)
            assert await reader.read() == b""
        writer.close()

    async def test_rubbish_in_place_of_tls(self, stage: Stage) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.distributor.tunnel_port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()

    async def test_a_conference_without_a_key_distributor_ends(self, stage: Stage) -> None:
        await stage.call.request("start-conference", conference="room", fingerprint=str(stage.identity.fingerprint))
        with movable_time() as move:
            move(LIMITS.tunnel + 1)
            await until(lambda: stage.call.of("ended"))
        assert stage.distributor.conference("room") is None

    async def test_a_conference_ends_some_time_after_its_tunnel(self, stage: Stage) -> None:
        key_distributor = await stage.start()
        with movable_time() as move:
            move(LIMITS.tunnel + LIMITS.tunnel_lost)
            await settled()
            assert stage.call.of("ended") == []
            key_distributor.transport.abort()
            await until(lambda: stage.call.of("tunnel")[-1]["state"] == "down")
            assert stage.call.of("ended") == []
            move(LIMITS.tunnel_lost + 1)
            await until(lambda: stage.call.of("ended"))
