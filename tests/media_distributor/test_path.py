"""Datagrams from nowhere, from the wrong ones, and too many of them."""

from __future__ import annotations

from aioice import stun

from perc_server.media_distributor.counts import DatagramDrop
from perc_server.media_distributor.endpoint import DATAGRAMS_PER_SECOND, DTLS_BURST, DTLS_PER_SECOND, Allowance
from tests.loop_time import standing_time
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import audio_packet, microphone, pairs
from tests.media_distributor.waiting import settled, until


async def test_nothing_counts_before_an_ice_check(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    await alice.open()
    alice.handshake()
    for octets in (b"", b"\x16", b"\x80\x60" + bytes(20), b"\x80\xc8" + bytes(20), b"\xff" * 2000, b"\0\x01"):
        alice.send(octets)
    await settled()
    assert alice.raw == []
    assert key_distributor.associations == {}
    assert "dtls" not in stage.call.steps("alice")


async def test_a_check_with_a_bad_password_proves_nothing(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    await alice.open()
    alice.send(alice.sign(alice.request(), password="guess" * 6))
    await until(lambda: alice.stun)
    assert alice.stun[0].attributes["ERROR-CODE"][0] == 401
    alice.handshake()
    await settled()
    assert key_distributor.associations == {}


async def test_a_check_for_nobody(stage: Stage) -> None:
    await stage.start()
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    await alice.open()
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = "nobody:alice"
    alice.send(alice.sign(message))
    await until(lambda: alice.stun)
    assert alice.stun[0].attributes["ERROR-CODE"][0] == 401


async def test_a_replayed_check_does_not_draw_media_away(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", *pairs(1))
    bob = await stage.join("bob", microphone(2001))
    eve = stage.endpoint("eve")
    eve.answer = alice.answer
    await eve.open()
    for datagram in [octets for octets in alice.sent if octets[0] == 0]:
        eve.send(datagram)
    await until(lambda: eve.stun)
    bob.send_rtp(audio_packet(2001, 1))
    await until(lambda: alice.packets)
    assert [octets[0] for octets in eve.raw] == [1], "an error response and nothing else"
    assert eve.stun[0].message_class is stun.Class.ERROR


async def test_nobody_takes_over_anothers_address(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    # A check with Bob's credentials and Alice's source address, as a forger would send it.
    alice.send(bob.sign(bob.request()))
    await settled()
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)


async def test_one_endpoints_flood_is_its_own_loss(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", microphone(2001), *pairs(1))
    carol = await stage.join("carol", *pairs(2))
    conference = stage.distributor.conference("room")
    assert conference is not None
    with standing_time():
        for _ in range(3 * DATAGRAMS_PER_SECOND):
            conference.receive(b"\x80\x60" + bytes(30), bob.transport.get_extra_info("sockname"))
    assert conference.dropped[DatagramDrop.OVER_RATE] > DATAGRAMS_PER_SECOND
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: carol.of(1001))


async def test_a_flood_of_dtls_does_not_reach_the_key_distributor(stage: Stage) -> None:
    """Nor does it take anything from the endpoint's own media."""
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    conference = stage.distributor.conference("room")
    assert conference is not None
    with standing_time():
        for _ in range(DATAGRAMS_PER_SECOND):
            conference.receive(b"\x17" + bytes(1000), alice.transport.get_extra_info("sockname"))
    assert conference.dropped[DatagramDrop.OVER_RATE_DTLS] >= DATAGRAMS_PER_SECOND - DTLS_BURST - DTLS_PER_SECOND
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
    await settled()
    noise = [message for message in key_distributor.messages if getattr(message, "dtls_message", b"")[:1] == b"\x17"]
    assert len(noise) <= DTLS_BURST + DTLS_PER_SECOND


def test_an_allowance_fills_up_with_time() -> None:
    allowance = Allowance(DATAGRAMS_PER_SECOND, burst=DATAGRAMS_PER_SECOND)
    spent = sum(allowance.spend(100.0) for _ in range(3 * DATAGRAMS_PER_SECOND))
    assert spent == DATAGRAMS_PER_SECOND
    assert not allowance.spend(100.0)
    assert sum(allowance.spend(100.5) for _ in range(3 * DATAGRAMS_PER_SECOND)) == DATAGRAMS_PER_SECOND // 2
    assert sum(allowance.spend(200.0) for _ in range(3 * DATAGRAMS_PER_SECOND)) == DATAGRAMS_PER_SECOND


def test_a_handshake_and_a_whole_message_of_the_key_channel_may_come_at_once() -> None:
    allowance = Allowance(DTLS_PER_SECOND, burst=DTLS_BURST)
    flights, message = 2 * 10, -(-(1 << 16) // 1100)
    assert all(allowance.spend(100.0) for _ in range(2 * (flights + message)))


async def test_noise_of_every_kind_from_a_member(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    for first in range(256):
        bob.send(bytes([first]) + bytes(range(60)))
        bob.send(bytes([first]))
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: bob.packets)
