from __future__ import annotations

from uuid import UUID

import pytest

from perc.errors import ApiMisuse, DecodeError, IllegalParameter, PeerError, UnexpectedMessage
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.end import Event, TunnelEnd, TunnelFailed
from perc.tunnel.key_distributor_end import KeyDistributorEnd
from perc.tunnel.media_distributor_end import MediaDistributorEnd
from perc.tunnel.messages import (
    EndpointDisconnect,
    MediaKeys,
    Message,
    MessageTooLarge,
    SignAnswer,
    SignAnswerAck,
    SignAnswerReject,
    SupportedProfiles,
    TunneledDtls,
    UnsupportedVersion,
    write_message,
)

ASSOCIATION = UUID("00112233-4455-4677-8899-aabbccddeeff")
PROFILES = (Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM, Profile.AEAD_AES_128_GCM)


def media_keys(profile: Profile = Profile.AEAD_AES_128_GCM, key: int = 16, salt: int = 12) -> MediaKeys:
    return MediaKeys(ASSOCIATION, profile, bytes(key), bytes(key), bytes(salt), bytes(salt))


def answer(number: int) -> bytes:
    return b"v=0\r\no=- %d 1 IN IP4 127.0.0.1\r\ns=-\r\n" % number


def origin(number: int) -> str:
    return f"- {number} 1 IN IP4 127.0.0.1"


def tunnel() -> tuple[KeyDistributorEnd, MediaDistributorEnd]:
    key_distributor, media_distributor = KeyDistributorEnd(), MediaDistributorEnd(PROFILES)
    assert key_distributor.receive_data(media_distributor.data_to_send()) == [SupportedProfiles(PROFILES)]
    return key_distributor, media_distributor


def pass_on(sender: TunnelEnd, receiver: TunnelEnd) -> list[Event]:
    return receiver.receive_data(sender.data_to_send())


def failure(events: list[Event]) -> PeerError:
    (event,) = events
    assert isinstance(event, TunnelFailed)
    return event.error


def test_a_tunnel_opens_with_the_profiles():
    key_distributor, _ = tunnel()
    assert key_distributor.profiles == PROFILES


def test_dtls_and_disconnects_pass_both_ways():
    key_distributor, media_distributor = tunnel()
    for message in (TunneledDtls(ASSOCIATION, b"flight"), EndpointDisconnect(ASSOCIATION)):
        media_distributor.send(message)
        assert pass_on(media_distributor, key_distributor) == [message]
        key_distributor.send(message)
        assert pass_on(key_distributor, media_distributor) == [message]


def test_anything_before_the_profiles_is_refused():
    end = KeyDistributorEnd()
    assert isinstance(
        failure(end.receive_data(write_message(TunneledDtls(ASSOCIATION, b"early")))),
        UnexpectedMessage,
    )
    assert end.profiles is None


def test_profiles_may_not_change():
    key_distributor, _ = tunnel()
    again = key_distributor.receive_data(write_message(SupportedProfiles((7,))))
    assert isinstance(failure(again), UnexpectedMessage)


def test_an_unknown_version_is_answered_with_the_highest_known_one():
    key_distributor, media_distributor = KeyDistributorEnd(), MediaDistributorEnd(PROFILES)
    failure(key_distributor.receive_data(write_message(SupportedProfiles((), version=1))))
    assert pass_on(key_distributor, media_distributor) == [UnsupportedVersion(0)]
    # "The rest of the data received, if any, would be discarded."
    assert media_distributor.receive_data(b"\x00rubbish") == []


def test_answers_come_back_in_any_order():
    key_distributor, media_distributor = tunnel()
    for number in (1, 2, 3):
        media_distributor.send(SignAnswer(b"offer", answer(number)))
    assert len(pass_on(media_distributor, key_distributor)) == 3
    replies: list[Message] = [
        SignAnswerReject(origin(3), "no"),
        SignAnswerAck(answer(1) + b"a=identity:x\r\n"),
        SignAnswerAck(answer(2)),
    ]
    for reply in replies:
        key_distributor.send(reply)
    assert pass_on(key_distributor, media_distributor) == replies


def test_an_answer_that_nobody_waits_for_is_dropped():
    key_distributor, media_distributor = tunnel()
    media_distributor.send(SignAnswer(b"offer", answer(1)))
    pass_on(media_distributor, key_distributor)
    media_distributor.forget(origin(1))
    key_distributor.send(SignAnswerAck(answer(1)))
    assert pass_on(key_distributor, media_distributor) == []
    assert media_distributor.receive_data(write_message(SignAnswerReject(origin(9), "no"))) == []


def test_an_answer_is_acknowledged_once():
    key_distributor, media_distributor = tunnel()
    media_distributor.send(SignAnswer(b"offer", answer(1)))
    pass_on(media_distributor, key_distributor)
    key_distributor.send(SignAnswerAck(answer(1)))
    with pytest.raises(ApiMisuse):
        key_distributor.send(SignAnswerReject(origin(1), "no"))


def test_two_waiting_answers_with_one_origin_are_refused_by_both_ends():
    key_distributor, media_distributor = tunnel()
    media_distributor.send(SignAnswer(b"offer", answer(1)))
    with pytest.raises(ApiMisuse):
        media_distributor.send(SignAnswer(b"other", answer(1)))
    pass_on(media_distributor, key_distributor)
    again = key_distributor.receive_data(write_message(SignAnswer(b"other", answer(1))))
    assert isinstance(failure(again), IllegalParameter)


def test_an_answer_without_origin_is_refused_by_both_ends():
    key_distributor, media_distributor = tunnel()
    with pytest.raises(DecodeError):
        media_distributor.send(SignAnswer(b"offer", b"v=0\r\n"))
    events = key_distributor.receive_data(write_message(SignAnswer(b"offer", b"v=0\r\n")))
    assert isinstance(failure(events), DecodeError)


def test_an_oversize_sign_answer_leaves_nothing_behind():
    key_distributor, media_distributor = tunnel()
    with pytest.raises(MessageTooLarge):
        media_distributor.send(SignAnswer(b"o" * 65_500, answer(1)))
    assert media_distributor.data_to_send() == b""
    media_distributor.send(SignAnswer(b"small", answer(1)))
    assert len(pass_on(media_distributor, key_distributor)) == 1


def test_messages_of_the_wrong_direction_are_refused():
    key_distributor, media_distributor = tunnel()
    assert isinstance(failure(key_distributor.receive_data(write_message(media_keys()))), UnexpectedMessage)
    assert isinstance(failure(media_distributor.receive_data(write_message(SupportedProfiles(())))), UnexpectedMessage)
    with pytest.raises(ApiMisuse):
        tunnel()[0].send(SignAnswer(b"offer", answer(1)))
    with pytest.raises(ApiMisuse):
        tunnel()[1].send(media_keys())


def test_messages_before_a_malformed_one_are_kept_and_nothing_after_it():
    key_distributor, _ = tunnel()
    good = TunneledDtls(ASSOCIATION, b"flight")
    events = key_distributor.receive_data(write_message(good) + b"\x05\x00\x00" + write_message(good))
    assert events[0] == good
    assert isinstance(failure(events[1:]), DecodeError)
    assert key_distributor.receive_data(write_message(good)) == []
    with pytest.raises(ApiMisuse):
        key_distributor.send(good)


@pytest.mark.parametrize("profile", PROFILES)
def test_media_keys_of_one_hop_are_taken(profile: Profile):
    _, media_distributor = tunnel()
    assert media_distributor.receive_data(write_message(media_keys(profile))) == [media_keys(profile)]


@pytest.mark.parametrize(
    "keys",
    [
        media_keys(Profile.AEAD_AES_256_GCM, key=32),  # not offered
        media_keys(Profile.DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM, key=32, salt=24),  # both halves
        media_keys(key=15),
        media_keys(salt=14),
    ],
)
def test_other_media_keys_are_refused(keys: MediaKeys):
    _, media_distributor = tunnel()
    assert isinstance(failure(media_distributor.receive_data(write_message(keys))), IllegalParameter)
