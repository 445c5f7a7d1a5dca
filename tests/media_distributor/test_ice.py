"""ICE-lite: who may claim an address."""

from __future__ import annotations

import pytest
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from perc_server.media_distributor.ice import (
    MAXIMUM_ADDRESSES,
    Address,
    CheckPassed,
    Credentials,
    IceLite,
    local_ufrag,
    read_request,
)

HOME: Address = ("192.0.2.1", 1000)
ELSEWHERE: Address = ("192.0.2.2", 2000)
REMOTE = Credentials("remote", "r" * 24)


def agent() -> IceLite:
    return IceLite(Credentials.generate(), REMOTE)


def request(ice: IceLite, *, nominate: bool = False, **attributes: object) -> stun.Message:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ice.local.ufrag}:{ice.remote.ufrag}"
    message.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    return message


def receive(
    ice: IceLite, message: stun.Message, address: Address = HOME, password: str | None = None
) -> tuple[stun.Message, CheckPassed | None]:
    message.add_message_integrity((password or ice.local.password).encode())
    parsed = read_request(bytes(message))
    assert parsed is not None
    response, passed = ice.receive(parsed, address)
    return stun.parse_message(response), passed


def test_a_good_check_is_answered_and_proves_the_address() -> None:
    ice = agent()
    message = request(ice, nominate=True)
    response, passed = receive(ice, message)
    assert passed == CheckPassed(HOME, nominated=True)
    assert response.message_class is stun.Class.RESPONSE
    assert response.transaction_id == message.transaction_id
    assert response.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert "FINGERPRINT" in response.attributes
    assert response.check_message_integrity(ice.local.password.encode())
    assert ice.selected == HOME


def test_nomination_moves_the_media() -> None:
    ice = agent()
    receive(ice, request(ice))
    assert ice.selected == HOME, "the first address serves until one is nominated"
    receive(ice, request(ice), ELSEWHERE)
    assert ice.selected == HOME
    receive(ice, request(ice, nominate=True), ELSEWHERE)
    assert ice.selected == ELSEWHERE


def test_bad_message_integrity() -> None:
    ice = agent()
    response, passed = receive(ice, request(ice, nominate=True), password="wrong" * 8)
    assert passed is None
    assert response.attributes["ERROR-CODE"][0] == 401
    assert ice.selected is None


def test_no_message_integrity() -> None:
    ice = agent()
    message = request(ice)
    message.add_fingerprint()
    parsed = read_request(bytes(message))
    assert parsed is not None
    response, passed = ice.receive(parsed, HOME)
    assert passed is None
    assert stun.parse_message(response).attributes["ERROR-CODE"][0] == 400


def test_another_remote_fragment() -> None:
    ice = agent()
    message = request(ice)
    message.attributes["USERNAME"] = f"{ice.local.ufrag}:other"
    assert receive(ice, message)[1] is None


def test_a_replayed_check_draws_nothing_to_another_address() -> None:
    ice = agent()
    message = request(ice, nominate=True)
    receive(ice, message)
    response, passed = receive(ice, message, ELSEWHERE)
    assert passed is None
    assert response.attributes["ERROR-CODE"][0] == 401
    assert ice.selected == HOME


def test_a_retransmission_is_answered_again() -> None:
    ice = agent()
    message = request(ice)
    assert receive(ice, message)[1] == receive(ice, message)[1]


def test_a_forged_check_does_not_spoil_the_transaction_id_of_a_good_one() -> None:
    ice = agent()
    message = request(ice)
    assert receive(ice, message, ELSEWHERE, password="wrong" * 8)[1] is None
    assert receive(ice, message)[1] is not None


def test_who_claims_to_be_controlled_hears_of_the_conflict() -> None:
    ice = agent()
    response, passed = receive(ice, request(ice, ICE_CONTROLLED=1))
    assert passed is None
    assert response.attributes["ERROR-CODE"][0] == 487


def test_addresses_are_bounded_and_the_selected_one_stays() -> None:
    ice = agent()
    receive(ice, request(ice, nominate=True))
    for port in range(2000, 2000 + 3 * MAXIMUM_ADDRESSES):
        receive(ice, request(ice), ("192.0.2.9", port))
    assert len(ice.addresses) == MAXIMUM_ADDRESSES
    assert HOME in ice.addresses
    assert ice.selected == HOME


def restarted() -> tuple[IceLite, IceLite]:
    """An agent at HOME that has been restarted, and one with the credentials from before, to make requests with."""
    ice = agent()
    receive(ice, request(ice, nominate=True))
    before = IceLite(ice.local, ice.remote)
    ice.restart(Credentials.generate(), Credentials("remote2", "s" * 24))
    return ice, before


def test_media_goes_on_until_a_restart_has_found_a_new_path() -> None:
    ice, _ = restarted()
    assert ice.selected == HOME
    receive(ice, request(ice), ELSEWHERE)
    assert (ice.selected, ice.addresses) == (HOME, (HOME, ELSEWHERE))
    receive(ice, request(ice, nominate=True), ELSEWHERE)
    assert (ice.selected, ice.addresses) == (ELSEWHERE, (ELSEWHERE,))


def test_a_restart_on_the_same_path_keeps_it() -> None:
    ice, _ = restarted()
    receive(ice, request(ice, nominate=True))
    assert (ice.selected, ice.addresses) == (HOME, (HOME,))


def test_old_credentials_keep_the_old_path_alive_until_there_is_a_new_one() -> None:
    ice, before = restarted()
    assert set(ice.ufrags) == {ice.local.ufrag, before.local.ufrag}
    response, passed = receive(ice, request(before), password=before.local.password)
    assert passed == CheckPassed(HOME, nominated=False)
    assert response.check_message_integrity(before.local.password.encode())
    receive(ice, request(ice, nominate=True), ELSEWHERE)
    assert receive(ice, request(before), password=before.local.password)[1] is None
    assert ice.ufrags == (ice.local.ufrag,)


def test_old_credentials_do_not_move_the_path() -> None:
    ice, before = restarted()
    stolen = request(before, nominate=True)
    assert receive(ice, stolen, ELSEWHERE, password=before.local.password)[1] is None
    receive(ice, request(ice), ELSEWHERE)
    receive(ice, request(before, nominate=True), ELSEWHERE, password=before.local.password)
    assert ice.selected == HOME
    receive(ice, request(ice, nominate=True))
    assert ice.addresses == (HOME, ELSEWHERE) or ice.addresses == (ELSEWHERE, HOME)
    assert ice.selected == HOME


def test_half_old_and_half_new_credentials_are_none() -> None:
    ice, before = restarted()
    assert receive(ice, request(ice, nominate=True), password=before.local.password)[1] is None
    assert receive(ice, request(before), password=ice.local.password)[1] is None


def test_restarts_in_a_row_keep_the_path_that_is_in_use_alive() -> None:
    ice, before = restarted()
    between = IceLite(ice.local, ice.remote)
    ice.restart(Credentials.generate(), Credentials("remote3", "t" * 24))
    assert receive(ice, request(before), password=before.local.password)[1] is not None
    assert receive(ice, request(between), password=between.local.password)[1] is None


def test_credentials_have_enough_randomness_and_hide_the_password() -> None:
    credentials = Credentials.generate()
    assert len(credentials.ufrag) >= 4
    assert len(credentials.password) >= 22
    assert credentials.password not in repr(credentials)


def test_only_binding_requests_with_a_fingerprint_are_read() -> None:
    ice = agent()
    without = request(ice)
    without.add_message_integrity(b"x")
    del without.attributes["FINGERPRINT"]
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    response.add_fingerprint()
    allocate = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
    allocate.add_fingerprint()
    assert [read_request(bytes(message)) for message in (without, response, allocate)] == [None] * 3


def test_a_refusal_is_not_larger_than_what_it_answers() -> None:
    ice = agent()
    message = request(ice)
    message.add_message_integrity(b"wrong")
    parsed = read_request(bytes(message))
    assert parsed is not None
    assert local_ufrag(parsed) == ice.local.ufrag
    assert len(ice.receive(parsed, HOME)[0]) <= len(bytes(message))


@settings(max_examples=100)
@given(st.binary(max_size=64), st.integers(0, 100))
def test_damaged_requests_raise_nothing(noise: bytes, position: int) -> None:
    ice = agent()
    message = request(ice)
    message.add_message_integrity(ice.local.password.encode())
    octets = bytes(message)
    assert read_request(noise) is None
    read_request(octets[:position] + noise + octets[position + len(noise) :])


@pytest.mark.parametrize("user_name", [None, "", "no-colon"])
def test_user_names_that_name_nobody(user_name: str | None) -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    if user_name is not None:
        message.attributes["USERNAME"] = user_name
    message.add_fingerprint()
    parsed = read_request(bytes(message))
    assert parsed is not None
    assert local_ufrag(parsed) in (None, "", "no-colon")
