from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import ApiMisuse, DecodeError, PeerError
from perc.srtp.profiles import SRTPProtectionProfile as Profile
from perc.tunnel.messages import (
    MAX_BODY,
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
from perc.tunnel.stream import MessageReader

ASSOCIATION = UUID("00112233-4455-4677-8899-aabbccddeeff")

uuids = st.uuids()
octets = st.binary(min_size=1, max_size=255)
messages = st.one_of(
    st.builds(SupportedProfiles, st.lists(st.integers(0, 0xFFFF), max_size=20).map(tuple)),
    st.builds(UnsupportedVersion, st.integers(0, 255)),
    st.builds(MediaKeys, uuids, st.sampled_from(Profile), octets, octets, octets, octets, st.binary(max_size=255)),
    st.builds(TunneledDtls, uuids, st.binary(max_size=2000)),
    st.builds(EndpointDisconnect, uuids),
    st.builds(SignAnswer, octets, octets),
    st.builds(SignAnswerAck, octets),
    st.builds(SignAnswerReject, st.text(min_size=1, max_size=60), st.text(max_size=200)),
)


def read_one(data: bytes) -> Message:
    reader = MessageReader()
    reader.receive_data(data)
    message = reader.next_message()
    assert message is not None
    assert reader.next_message() is None
    return message


def read_all(data: bytes) -> None:
    reader = MessageReader()
    reader.receive_data(data)
    while reader.next_message() is not None:
        pass


def test_the_example_of_rfc_9185_section_7():
    message = SupportedProfiles((0x0009, 0x000A))
    assert write_message(message) == bytes.fromhex("0100070000040009000A")
    assert read_one(bytes.fromhex("0100070000040009000A")) == message


def test_media_keys_layout():
    keys = MediaKeys(ASSOCIATION, Profile.AEAD_AES_128_GCM, b"ck", b"sk", b"cs", b"ss", b"m")
    assert write_message(keys) == (
        b"\x03\x00\x20" + ASSOCIATION.bytes + b"\x00\x07" + b"\x01m" + b"\x02ck" + b"\x02sk" + b"\x02cs" + b"\x02ss"
    )


def test_sign_answer_layout():
    assert write_message(SignAnswer(b"ab", b"c")) == b"\x06\x00\x09" + b"\x00\x00\x02ab" + b"\x00\x00\x01c"
    assert write_message(SignAnswerAck(b"c")) == b"\x07\x00\x04" + b"\x00\x00\x01c"
    assert write_message(SignAnswerReject("o", "why")) == b"\x08\x00\x07" + b"\x01o" + b"\x00\x03why"


@given(messages)
@settings(max_examples=80)
def test_what_is_written_is_read(message: Message):
    assert read_one(write_message(message)) == message


@given(st.lists(messages, max_size=4), st.integers(1, 40))
@settings(max_examples=40)
def test_the_stream_may_be_cut_anywhere(sent: list[Message], size: int):
    stream = b"".join(map(write_message, sent))
    reader = MessageReader()
    received = []
    for start in range(0, len(stream), size):
        reader.receive_data(stream[start : start + size])
        while (message := reader.next_message()) is not None:
            received.append(message)
    assert received == sent


@given(messages, st.data())
@settings(max_examples=80)
def test_mutated_messages_raise_only_peer_errors(message: Message, data: st.DataObject):
    wire = bytearray(write_message(message))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(PeerError):
        read_all(bytes(wire))


@pytest.mark.parametrize(
    "wire",
    [
        "000000",  # reserved type
        "01000100",  # no list of profiles
        "0100060000030009 00",  # half a profile
        "0100080000040009000a00",  # a trailing octet
        "020000",  # no version
        "050010" + "00" * 15 + "ff00",  # reads a full UUID; the stray octet is a reserved type
        "05000f" + "00" * 15,  # a UUID of 15 octets
        "050011" + "00" * 17,  # and of 17
        "040014" + "00" * 16 + "0003aabb",  # DTLS longer than the body
        "03001e" + "00" * 16 + "0001 00 0101 0101 0101 0101 0000 00",  # AES_CM_SHA1_80
        "03001a" + "00" * 16 + "0007 00 00 0101 0101 0101",  # an empty key
        "060007" + "000000" + "00000163",  # an empty offer
        "070003" + "000000",  # an empty answer
        "080003" + "000000",  # an empty origin
        "080004" + "01ff0000",  # an origin that is not UTF-8
        "081006" + "016f1003" + "61" * 0x1002,  # reason beyond its bound
    ],
)
def test_malformed_messages_are_refused(wire: str):
    with pytest.raises(DecodeError):
        read_all(bytes.fromhex(wire))


def test_unknown_types_are_skipped():
    assert read_one(b"\xc8\x00\x02zz" + write_message(EndpointDisconnect(ASSOCIATION))) == EndpointDisconnect(
        ASSOCIATION
    )


def test_another_version_is_read_without_its_body():
    assert read_one(bytes.fromhex("01000401ffffff")) == SupportedProfiles((), 1)
    assert read_one(bytes.fromhex("020003ff1234")) == UnsupportedVersion(255)


def test_an_offer_and_answer_that_do_not_fit_are_refused_with_their_size():
    fitting = SignAnswer(b"o" * 60_000, b"a" * (MAX_BODY - 60_006))
    assert len(write_message(fitting)) == MAX_BODY + 3
    with pytest.raises(MessageTooLarge, match="65536 octets"):
        write_message(SignAnswer(fitting.offer, fitting.answer + b"a"))
    with pytest.raises(MessageTooLarge):
        write_message(TunneledDtls(ASSOCIATION, b"d" * (MAX_BODY - 17)))


def test_values_out_of_range_are_the_callers_mistake():
    for message in (SignAnswerAck(b""), SignAnswerReject("o" * 256, ""), SignAnswerReject("o", "r" * 4096)):
        with pytest.raises(ApiMisuse):
            write_message(message)


def test_keys_do_not_show_in_repr():
    assert "secret" not in repr(MediaKeys(ASSOCIATION, Profile.AEAD_AES_128_GCM, *[b"secret"] * 4))
