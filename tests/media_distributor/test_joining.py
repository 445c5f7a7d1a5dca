"""Offers, signatures, and what ends an endpoint's stay."""

from __future__ import annotations

import asyncio

import pytest

from perc.tunnel.messages import EndpointDisconnect, SignAnswer, SignAnswerAck, SignAnswerReject
from perc.tunnel.origin import origin_of
from perc_server.media_distributor.counts import DatagramDrop
from perc_server.media_distributor.sdp import MAXIMUM_OFFER
from tests.loop_time import movable_time
from tests.media_distributor.call_processing_stand_in import Refused
from tests.media_distributor.conftest import Stage
from tests.media_distributor.endpoint_stand_in import Endpoint, Media, audio_packet, camera, microphone, pairs
from tests.media_distributor.key_distributor_stand_in import signed
from tests.media_distributor.waiting import settled, until


async def refusal(stage: Stage, name: str, *media: Media) -> Refused:
    with pytest.raises(Refused) as refused:
        await stage.endpoint(name, *media).negotiate(stage.call)
    return refused.value


async def test_only_the_signed_answer_is_returned(stage: Stage) -> None:
    key_distributor = await stage.start()
    seen: list[SignAnswer] = []

    def sign(message: SignAnswer) -> None:
        seen.append(message)
        key_distributor.acknowledge(message)

    key_distributor.sign = sign
    alice = stage.endpoint("alice", microphone(1001))
    await alice.negotiate(stage.call)
    assert seen[0].offer.decode() == alice.offer()
    assert alice.answer_text == signed(seen[0].answer).decode()
    assert str(stage.identity.fingerprint) in alice.answer_text


async def test_signatures_in_another_order(stage: Stage) -> None:
    key_distributor = await stage.start()
    waiting: list[SignAnswer] = []
    key_distributor.sign = waiting.append
    endpoints = [stage.endpoint(name, microphone(ssrc)) for ssrc, name in enumerate(("alice", "bob", "carol"), 11)]
    tasks = [asyncio.create_task(endpoint.negotiate(stage.call)) for endpoint in endpoints]
    await until(lambda: len(waiting) == 3)
    first, second, third = waiting
    key_distributor.acknowledge(third)
    key_distributor.send(SignAnswerReject(origin_of(first.answer), "not on the list"))
    results = await asyncio.gather(tasks[0], tasks[2], return_exceptions=True)
    assert [getattr(result, "code", None) for result in results] == ["refused", None]
    assert not tasks[1].done(), "a stalled one holds up nobody"
    key_distributor.acknowledge(second)
    await tasks[1]


async def test_the_reason_of_a_rejection_is_passed_on(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.sign = lambda message: key_distributor.send(
        SignAnswerReject(origin_of(message.answer), "no valid identity")
    )
    refused = await refusal(stage, "alice", microphone(1001))
    assert (refused.code, refused.detail) == ("refused", "no valid identity")
    assert stage.call.of("sources") == [], "nothing of the offer holds"


@pytest.mark.parametrize(
    "change", [lambda answer: answer, lambda answer: signed(answer).replace(b"ice-pwd:", b"ice-pwd:x")]
)
async def test_an_answer_that_comes_back_changed_or_unsigned(stage: Stage, change: object) -> None:
    key_distributor = await stage.start()
    key_distributor.sign = lambda message: key_distributor.send(SignAnswerAck(change(message.answer)))  # type: ignore[operator]
    assert (await refusal(stage, "alice", microphone(1001))).code == "refused"


async def test_an_offer_that_does_not_fit_the_tunnel_with_its_answer(stage: Stage) -> None:
    key_distributor = await stage.start()
    large = stage.endpoint("alice", *pairs(20))
    offer = large.offer()
    filler = f"a=x-filler:{'x' * 1000}\r\n"
    sdp = offer + filler * ((MAXIMUM_OFFER - len(offer)) // len(filler))
    with pytest.raises(Refused) as caught:
        await stage.call.request("offer", conference="room", endpoint="alice", sdp=sdp, role="participant")
    assert caught.value.code == "too-large"
    assert not any(isinstance(message, SignAnswer) for message in key_distributor.messages), "nothing was sent"
    await stage.join("bob", microphone(1001))


async def test_no_offer_before_the_key_distributor_is_there(stage: Stage) -> None:
    await stage.call.request("start-conference", conference="room", fingerprint=str(stage.identity.fingerprint))
    assert (await refusal(stage, "alice", microphone(1001))).code == "no-key-distributor"


async def test_a_tunnel_lost_while_an_answer_is_signed(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.sign = lambda _: key_distributor.transport.abort()
    assert (await refusal(stage, "alice", microphone(1001))).code == "no-key-distributor"


async def test_a_conference_that_ends_while_an_answer_is_signed(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.sign = lambda _: None
    offer = asyncio.create_task(refusal(stage, "alice", microphone(1001)))
    await until(lambda: "sign-answer" in stage.call.steps("alice"))
    await stage.call.request("end", conference="room")
    assert (await offer).code == "no-such-conference"


async def test_an_ssrc_belongs_to_one_endpoint(stage: Stage) -> None:
    await stage.start()
    await stage.join("alice", microphone(1001))
    assert (await refusal(stage, "bob", microphone(1001))).code == "source-taken"
    assert (await refusal(stage, "bob", microphone(1))).code == "source-taken", "the Media Distributor's own"
    await stage.call.request("leave", conference="room", endpoint="alice")
    await stage.join("bob", microphone(1001))


async def test_two_claims_to_an_ssrc_at_once(stage: Stage) -> None:
    key_distributor = await stage.start()
    waiting: list[SignAnswer] = []
    key_distributor.sign = waiting.append
    tasks = [
        asyncio.create_task(stage.endpoint(name, microphone(7)).negotiate(stage.call)) for name in ("alice", "bob")
    ]
    await until(lambda: len(waiting) == 2)
    for message in waiting:
        key_distributor.acknowledge(message)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(str(getattr(result, "code", None)) for result in results) == ["None", "source-taken"]


async def test_one_offer_of_an_endpoint_at_a_time(stage: Stage) -> None:
    key_distributor = await stage.start()
    key_distributor.sign = lambda _: None
    alice = stage.endpoint("alice", microphone(1001))
    first = asyncio.create_task(alice.negotiate(stage.call))
    await until(lambda: "sign-answer" in stage.call.steps("alice"))
    with pytest.raises(Refused, match="is being answered"):
        await alice.negotiate(stage.call)
    first.cancel()


async def test_another_certificate_is_another_endpoint(stage: Stage) -> None:
    await stage.start()
    await stage.join("alice", microphone(1001))
    refused = await refusal(stage, "alice", microphone(1001))
    assert (refused.code, "certificate" in refused.detail) == ("invalid-offer", True)


async def moved(stage: Stage, endpoint: Endpoint) -> None:
    """The endpoint has another address and new credentials, which the Media Distributor knows."""
    endpoint.ufrag, endpoint.password = f"{endpoint.name}again", "p" * 24
    await endpoint.negotiate(stage.call)
    endpoint.transport.close()
    await endpoint.open()


async def test_an_ice_restart_moves_the_path_and_nothing_else(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001), *pairs(1))
    bob = await stage.join("bob", microphone(2001), *pairs(1))
    alice.send_rtp(audio_packet(1001, 1))
    bob.send_rtp(audio_packet(2001, 1))
    await until(lambda: alice.packets and bob.packets)
    old = alice.answer_text
    await moved(stage, alice)
    assert alice.answer_text.partition("a=ice-pwd:")[2][:32] != old.partition("a=ice-pwd:")[2][:32]
    await alice.check()
    # Both go on with their SRTP sessions, whose replay windows would drop an index that starts anew.
    alice.send_rtp(audio_packet(1001, 2))
    bob.send_rtp(audio_packet(2001, 2))
    await until(lambda: len(alice.packets) == len(bob.packets) == 2)
    assert len(key_distributor.keyed) == 2, "no handshake, no keys anew"
    assert key_distributor.disconnected == []


async def test_after_an_ice_restart_the_old_address_is_nobodys(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    abandoned, alice.ufrag, alice.password = alice.transport, "aliceagain", "p" * 24
    await alice.negotiate(stage.call)
    alice.send_rtp(audio_packet(1001, 1))
    await until(lambda: len(bob.packets) == 1)
    await alice.open()
    await alice.check()
    protected = alice.send_rtp(audio_packet(1001, 2))
    await until(lambda: len(bob.packets) == 2)
    abandoned.sendto(protected, alice.remote)
    conference = stage.distributor.conference("room")
    await until(lambda: conference and conference.dropped[DatagramDrop.UNKNOWN_ADDRESS])
    abandoned.close()


async def test_nobody_moves_the_path_without_the_new_credentials(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001), *pairs(1))
    bob = await stage.join("bob", microphone(2001))
    stolen = alice.request()
    mallory = stage.endpoint("mallory")
    mallory.answer = alice.answer
    await mallory.open()
    octets = alice.sign(stolen)
    alice.ufrag, alice.password = "aliceagain", "p" * 24
    await alice.negotiate(stage.call)
    mallory.send(octets)
    await until(lambda: mallory.stun)
    assert mallory.stun[-1].attributes["ERROR-CODE"][0] == 401
    bob.send_rtp(audio_packet(2001, 1))
    await until(lambda: alice.packets)
    await settled()
    assert len(mallory.raw) == 1


async def test_sources_are_counted(stage: Stage) -> None:
    await stage.start()
    await stage.join("alice", microphone(11), camera(12), camera(13))
    await stage.join("bob", microphone(14), *pairs(2))
    await stage.call.request("leave", conference="room", endpoint="alice")
    await until(lambda: len(stage.call.of("sources")) == 3)
    counts = [(event["audio"], event["video"]) for event in stage.call.of("sources")]
    assert counts == [(1, 2), (2, 2), (1, 0)]


async def test_who_leaves_is_disconnected(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    await stage.call.request("leave", conference="room", endpoint="alice")
    await until(lambda: key_distributor.disconnected)
    alice.send_rtp(audio_packet(1001, 1))
    await settled()
    assert bob.packets == []
    await stage.call.request("leave", conference="room", endpoint="alice")
    assert stage.call.of("endpoint-left") == [], "call processing said so itself"


async def test_whom_the_key_distributor_disconnects_leaves(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    bob = await stage.join("bob", *pairs(1))
    association_id = next(iter(key_distributor.associations))
    key_distributor.send(EndpointDisconnect(association_id))
    await until(lambda: stage.call.of("endpoint-left"))
    assert stage.call.of("endpoint-left")[0]["endpoint"] == "alice"
    alice.send_rtp(audio_packet(1001, 1))
    await settled()
    assert bob.packets == []
    assert key_distributor.disconnected == []


async def test_the_end_of_a_conference(stage: Stage) -> None:
    key_distributor = await stage.start()
    await stage.join("alice", microphone(1001))
    await stage.call.request("end", conference="room")
    await key_distributor.closed.wait()
    assert len(key_distributor.disconnected) == 1
    with pytest.raises(Refused, match="no-such-conference"):
        await stage.call.request("end", conference="room")


async def test_without_checks_an_endpoint_has_left(stage: Stage) -> None:
    key_distributor = await stage.start()
    alice = await stage.join("alice", microphone(1001))
    conference = stage.distributor.conference("room")
    assert conference is not None
    now = asyncio.get_running_loop().time()
    conference.tick(now + stage.config.timeouts.consent - 1)
    assert len(conference.endpoints) == 1
    alice.send_rtp(audio_packet(1001, 1))  # media is no consent
    await until(lambda: "media" in stage.call.steps("alice"))
    conference.tick(now + stage.config.timeouts.consent + 1)
    await until(lambda: stage.call.of("endpoint-left"))
    await until(lambda: key_distributor.disconnected)
    assert stage.call.of("sources")[-1] == {"event": "sources", "conference": "room", "audio": 0, "video": 0}


async def test_a_check_renews_consent(stage: Stage) -> None:
    await stage.start()
    alice = await stage.join("alice", microphone(1001))
    conference = stage.distributor.conference("room")
    assert conference is not None
    before = next(iter(conference.endpoints)).deadline
    await alice.check()
    (endpoint,) = conference.endpoints
    assert endpoint.deadline > before
    conference.tick(before)
    assert len(conference.endpoints) == 1


async def test_who_never_connects_has_left(stage: Stage) -> None:
    await stage.start()
    await stage.endpoint("alice", microphone(1001)).negotiate(stage.call)
    with movable_time() as move:
        move(stage.config.timeouts.connect + 1)
        await until(lambda: stage.call.of("endpoint-left"))


async def test_a_key_distributor_that_does_not_sign(stage: Stage) -> None:
    key_distributor = await stage.start()
    late: list[SignAnswer] = []
    key_distributor.sign = late.append
    with movable_time() as move:
        refused = asyncio.create_task(refusal(stage, "alice", microphone(1001)))
        await until(lambda: late)
        move(stage.config.timeouts.signature + 1)
        assert (await refused).code == "timeout"
    key_distributor.sign = key_distributor.acknowledge
    key_distributor.acknowledge(late[0])
    await stage.join("bob", microphone(1001))
