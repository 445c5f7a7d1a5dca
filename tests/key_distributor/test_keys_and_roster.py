"""EKTKeys, their schedule, hop keys and the roster, each by itself."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

import pytest

from perc.dtls import SrtpKeysExported
from perc.ekt.ekt_key import EKTCipher
from perc.ekt.key_channel import MAX_MESSAGE_LENGTH, write_message
from perc.errors import ApiMisuse, IllegalParameter
from perc.key_distributor.ekt_keys import EKT_TTL, EktKeys
from perc.key_distributor.media_keys import common_profiles, media_keys
from perc.key_distributor.rekey import RekeyPolicy, RekeySchedule
from perc.key_distributor.roster import MAX_SOURCES, ConferenceRoster
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from tests.key_distributor.site import source


def counting():
    numbers = count(65533)
    return lambda length: (next(numbers) % 65536).to_bytes(length, "big")


def test_keys_have_an_spi_of_their_own_that_is_never_zero():
    keys = EktKeys(counting())
    spis = []
    for _ in range(5):
        keys.renew(0)
        spis.append(keys.message(0).spi)
    assert spis == [65534, 65535, 1, 2, 3]


def test_a_key_is_told_with_what_is_left_of_its_life():
    keys = EktKeys(counting())
    keys.renew(10)
    assert [keys.message(now).ttl for now in (10, 11.5, 309.9, 400)] == [EKT_TTL, EKT_TTL - 2, 1, 1]


@pytest.mark.parametrize("cipher", EKTCipher)
def test_keys_have_the_length_of_their_cipher(cipher):
    keys = EktKeys(counting(), cipher)
    keys.renew(0)
    assert keys.message(0).cipher is cipher


def test_a_forgotten_key_is_not_told():
    keys = EktKeys(counting())
    keys.renew(0)
    keys.forget()
    assert keys.spi is None
    with pytest.raises(ApiMisuse):
        keys.message(0)


@pytest.mark.parametrize("policy", RekeyPolicy)
def test_the_first_to_join_needs_a_key_and_half_its_life_later_another(policy: RekeyPolicy):
    schedule = RekeySchedule(policy)
    schedule.left(0)
    assert schedule.due is None
    schedule.joined(1)
    assert schedule.due == 1
    schedule.rekeyed(1)
    assert schedule.due == 1 + EKT_TTL / 2
    schedule.stop()
    assert schedule.due is None


def test_membership_moves_the_next_rekey_only_by_policy():
    schedule = RekeySchedule(RekeyPolicy.AT_HALF_LIFE)
    schedule.joined(0)
    schedule.rekeyed(0)
    schedule.joined(5)
    schedule.left(6)
    assert schedule.due == EKT_TTL / 2


def test_rekeys_for_a_crowd_are_a_second_apart_and_for_leavers_an_overlap():
    schedule = RekeySchedule(RekeyPolicy.ON_MEMBERSHIP)
    schedule.joined(0)
    schedule.rekeyed(0)
    schedule.joined(0.2)
    assert schedule.due == 1.0
    schedule.left(0.3)
    assert schedule.due == 0.3
    schedule.rekeyed(0.3)
    schedule.left(0.4)
    assert schedule.due == 0.55
    schedule.joined(0.5)
    assert schedule.due == 0.55
    schedule.rekeyed(0.55)
    schedule.joined(7)
    assert schedule.due == 7


def test_hop_keys_are_the_last_half_of_each_field_under_a_double_profile():
    fields = [bytes([inner]) * 32 + bytes([inner + 10]) * 32 for inner in (1, 2)]
    salts = [bytes([inner]) * 12 + bytes([inner + 10]) * 12 for inner in (3, 4)]
    profile = Profile.DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM
    keys = media_keys(uuid4(), SrtpKeysExported(profile, *fields, *salts))
    assert (keys.client_write_key, keys.server_write_key) == (b"\x0b" * 32, b"\x0c" * 32)
    assert (keys.client_write_salt, keys.server_write_salt) == (b"\x0d" * 12, b"\x0e" * 12)


def test_profiles_without_gcm_are_no_profiles():
    everything = (0x0001, 0x0007, 0x0008, 0x0009, 0x000A)
    assert common_profiles(everything, EKTCipher.AESKW128) == (9, 7, 8)
    assert common_profiles(everything, EKTCipher.AESKW256) == (10, 8, 7)
    assert common_profiles((0x0001, 0x0005), EKTCipher.AESKW128) == ()


def test_a_full_roster_still_fits_one_message():
    roster = ConferenceRoster()
    ssrcs = count(1)
    while roster.has_room_for("x" * 200):
        association_id = uuid4()
        roster.join(association_id, bytes(16), "x" * 200, 0)
        roster.announce(association_id, tuple(source(next(ssrcs)) for _ in range(MAX_SOURCES)))
    length = len(write_message(roster.message_for(association_id)))
    assert MAX_MESSAGE_LENGTH - 600 < length <= MAX_MESSAGE_LENGTH


def test_every_change_has_a_version_and_no_change_none():
    roster = ConferenceRoster()
    member = uuid4()
    roster.join(member, bytes(16), "alice@idp", 5)
    for _ in range(2):
        roster.announce(member, (source(1),))
        roster.acknowledge(member, 9)
    assert roster.version == 3
    with pytest.raises(ApiMisuse):
        roster.join(member, bytes(16), "alice@idp", 5)
    roster.leave(member)
    assert (roster.version, roster.members) == (4, ())


def test_a_refused_source_does_not_take_the_others_with_it():
    roster = ConferenceRoster()
    alice, bob = uuid4(), uuid4()
    for member in (alice, bob):
        roster.join(member, bytes(16), "x@idp", 0)
    assert roster.announce(alice, (source(1), source(2))) == []
    assert roster.announce(bob, (source(2), source(3))) == [source(2)]
    assert [member.sources for member in roster.members] == [(source(1), source(2)), (source(3),)]
    roster.leave(alice)
    assert roster.announce(bob, (source(2), source(3))) == []


def test_announcements_have_a_bound():
    roster = ConferenceRoster()
    member = uuid4()
    roster.join(member, bytes(16), "x@idp", 0)
    for sources in (tuple(map(source, range(MAX_SOURCES + 1))), (source(1), source(1))):
        with pytest.raises(IllegalParameter):
            roster.announce(member, sources)
