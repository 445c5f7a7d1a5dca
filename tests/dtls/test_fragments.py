"""Fragments: any cover of a message in any order gives the message, once, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.dtls.fragments import (
    MAX_BUFFERED_MESSAGES,
    MAX_MESSAGE_LENGTH,
    Fragment,
    HandshakeMessage,
    HandshakeType,
    Reassembler,
    read_fragments,
    write_fragment,
    write_message,
)
from perc.errors import DecodeError, IllegalParameter

BODY = bytes(range(100))
MESSAGE = HandshakeMessage(HandshakeType.CERTIFICATE, 0, BODY)


def reassemble(fragments, epoch=0):
    reassembler = Reassembler()
    for fragment in fragments:
        reassembler.receive(epoch, fragment)
    messages = []
    while (message := reassembler.next_message()) is not None:
        messages.append(message)
    return messages


def test_a_message_as_a_single_fragment():
    octets = write_message(HandshakeMessage(1, 2, b"body"))
    assert octets == bytes.fromhex("01 000004 0002 000000 000004") + b"body"
    assert read_fragments(octets) == [Fragment(1, 4, 2, 0, b"body")]


def test_several_fragments_in_one_record():
    fragments = [MESSAGE.fragment(0, 40), MESSAGE.fragment(40, 60), HandshakeMessage(14, 1, b"").fragment(0, 0)]
    assert read_fragments(b"".join(map(write_fragment, fragments))) == fragments


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        write_message(MESSAGE)[:-1],
        write_message(MESSAGE) + b"\x00",
        bytes.fromhex("01 000004 0000 000001 000004") + b"body",  # reaches beyond its message
    ],
)
def test_malformed_fragments(octets):
    with pytest.raises(DecodeError):
        read_fragments(octets)


@given(st.lists(st.integers(0, 100), max_size=8), st.integers(0, 30), st.integers(0, 2**32))
def test_overlapping_fragments_in_any_order(cuts, overlap, seed):
    edges = sorted({0, 100, *cuts})
    fragments = [
        MESSAGE.fragment(max(0, start - overlap), end - max(0, start - overlap)) for start, end in pairwise(edges)
    ]
    Random(seed).shuffle(fragments)
    assert reassemble(fragments * 2) == [MESSAGE]


def test_a_message_with_a_hole_is_not_there():
    assert reassemble([MESSAGE.fragment(0, 50), MESSAGE.fragment(51, 49)]) == []


def test_messages_come_in_order():
    later = HandshakeMessage(HandshakeType.CLIENT_KEY_EXCHANGE, 1, b"")
    assert reassemble([later.fragment(0, 0), MESSAGE.fragment(0, 100)]) == [MESSAGE, later]


def test_a_fragment_that_contradicts_its_message_is_ignored():
    for liar in (replace(MESSAGE, msg_type=1, body=BODY[::-1]), replace(MESSAGE, body=BODY[::-1] + b"more")):
        assert reassemble([MESSAGE.fragment(0, 10), liar.fragment(0, 50), MESSAGE.fragment(10, 90)]) == [MESSAGE]


def test_a_protected_fragment_displaces_one_that_anybody_may_have_planted():
    reassembler = Reassembler()
    reassembler.receive(0, HandshakeMessage(HandshakeType.FINISHED, 0, bytes(12)).fragment(0, 6))
    genuine = HandshakeMessage(HandshakeType.FINISHED, 0, b"verify_data!")
    reassembler.receive(1, genuine.fragment(0, 12))
    reassembler.receive(0, HandshakeMessage(HandshakeType.FINISHED, 0, bytes(12)).fragment(0, 12))
    assert reassembler.next_message() == genuine


def test_bounds():
    reassembler = Reassembler()
    for message_seq in range(100):
        reassembler.receive(0, Fragment(11, MAX_MESSAGE_LENGTH, message_seq, 0, b"x"))
    assert reassembler.lengths_held == (MAX_MESSAGE_LENGTH,) * MAX_BUFFERED_MESSAGES
    with pytest.raises(IllegalParameter):
        reassembler.receive(0, Fragment(11, MAX_MESSAGE_LENGTH + 1, 0, 0, b"x"))


def test_old_messages_are_ignored():
    reassembler = Reassembler()
    reassembler.receive(0, MESSAGE.fragment(0, 100))
    assert reassembler.next_message() == MESSAGE
    reassembler.receive(0, MESSAGE.fragment(0, 100))
    assert reassembler.next_message() is None
    assert reassembler.next_message_seq == 1
