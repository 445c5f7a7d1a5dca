"""The messages of the key channel, as docs/key-channel.md gives them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import (
    MAX_MESSAGE_LENGTH,
    Announce,
    EktKeyAck,
    KeyChannelMessage,
    MediaKind,
    Member,
    Roster,
    Source,
    SourceOrigin,
    read_message,
    write_message,
)
from perc.errors import ApiMisuse, DecodeError, IllegalParameter, PeerError

YOU = bytes(range(16))
CAMERA = Source(0xDEADBEEF, MediaKind.VIDEO, SourceOrigin.PERSON)
ROSTER = Roster(7, YOU, (Member(YOU, "alice@idp-a.localhost", 1_800_000_000, 0x0102, (CAMERA,)),))

KNOWN: dict[str, tuple[KeyChannelMessage, str]] = {
    "ekt_key": (
        EktKey(bytes(16), bytes(12), 0x1234, 300),
        "1a 000025 0010" + "00" * 16 + "000c" + "00" * 12 + "1234 00012c",
    ),
    "roster": (
        ROSTER,
        "f0 000050 00000007 000102030405060708090a0b0c0d0e0f 000039 000102030405060708090a0b0c0d0e0f"
        "0015 616c696365406964702d612e6c6f63616c686f7374 000000006b49d200 0102 0006 deadbeef 01 00",
    ),
    "announce": (Announce((CAMERA,)), "f1 000008 0006 deadbeef 01 00"),
    "ekt_key_ack": (EktKeyAck(0x1234), "f2 000002 1234"),
}

sources = st.builds(Source, st.integers(0, 2**32 - 1), st.sampled_from(MediaKind), st.sampled_from(SourceOrigin))
member_ids = st.binary(min_size=16, max_size=16)
members = st.builds(
    Member,
    member_ids,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**16 - 1),
    st.lists(sources, max_size=3).map(tuple),
)
messages: st.SearchStrategy[KeyChannelMessage] = st.one_of(
    st.builds(
        EktKey,
        st.sampled_from([16, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
        st.binary(min_size=12, max_size=12),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**24 - 1),
    ),
    st.builds(Roster, st.integers(0, 2**32 - 1), member_ids, st.lists(members, max_size=3).map(tuple)),
    st.builds(Announce, st.lists(sources, max_size=5).map(tuple)),
    st.builds(EktKeyAck, st.integers(0, 2**16 - 1)),
)


@pytest.mark.parametrize("name", KNOWN)
def test_known_octets(name: str) -> None:
    message, octets = KNOWN[name]
    assert write_message(message).hex() == octets.replace(" ", "")
    assert read_message(bytes.fromhex(octets)) == message


@given(messages)
@settings(max_examples=50)
def test_what_is_written_reads_back(message: KeyChannelMessage) -> None:
    assert read_message(write_message(message)) == message


@given(messages, st.data())
@settings(max_examples=60)
def test_mutated_messages_raise_only_peer_errors(message: KeyChannelMessage, data: st.DataObject) -> None:
    octets = bytearray(write_message(message))
    position = data.draw(st.integers(0, len(octets) - 1))
    octets[position] ^= data.draw(st.integers(1, 255))
    with suppress(PeerError):
        read_message(bytes(octets))


@pytest.mark.parametrize("name", KNOWN)
def test_truncation_and_trailing_octets_are_decode_errors(name: str) -> None:
    octets = write_message(KNOWN[name][0])
    for cut in range(len(octets)):
        with pytest.raises(DecodeError):
            read_message(octets[:cut])
    with pytest.raises(DecodeError):
        read_message(octets + b"\0")


def test_an_unknown_type_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="not known"):
        read_message(bytes.fromhex("f3 000000"))


def test_an_unknown_kind_or_origin_of_a_source_is_an_illegal_parameter() -> None:
    for source in ("deadbeef 02 00", "deadbeef 00 02"):
        with pytest.raises(IllegalParameter):
            read_message(bytes.fromhex("f1 000008 0006" + source))


def test_an_identity_must_be_utf8_and_present() -> None:
    good = write_message(ROSTER)
    with pytest.raises(DecodeError, match="UTF-8"):
        read_message(good.replace(b"alice", b"\xff\xfe\xfd\xfc\xfb"))
    with pytest.raises(ApiMisuse):
        write_message(Roster(1, YOU, (Member(YOU, "", 0, 0, ()),)))


def test_a_message_is_at_most_64_kib() -> None:
    with pytest.raises(DecodeError):
        read_message(bytes(MAX_MESSAGE_LENGTH + 1))
    many = tuple(Member(YOU, "x" * 1024, 0, 0, ()) for _ in range(64))
    with pytest.raises(ApiMisuse):
        write_message(Roster(1, YOU, many))


def test_ids_of_the_wrong_length_are_the_callers_mistake() -> None:
    with pytest.raises(ApiMisuse):
        write_message(Roster(1, b"short", ()))
