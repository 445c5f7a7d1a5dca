"""Payloads of browsers and the receiver rules: the common vectors, read and written by perc."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.ekt.browser_payload import Frame, protect_payload, unprotect_payload, write_payload
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import PacketDropped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import EktReceiver
from perc.ekt.sender import EktSender
from perc.errors import DecodeError
from perc.srtp.ekt_field import EKTField, ExtensionEKTField, FullEKTField, ShortEKTField, split_ekt_field
from perc.srtp.key_derivation import SALT_LENGTH, Label, SessionKeys, derive_rtp_keys, derive_session_key
from perc.srtp.packet_index import IndexCounter, ReplayWindow
from perc.srtp.payload_format import OPUS, VP8
from tests.driving import run
from tests.ekt.stories import expected, receiver_outcomes, replay_state
from tests.ekt.transform_vectors import PROVIDER, cases, ekt_key, payload_format

PAYLOADS, FIELDS, STORIES = cases("payloads.json"), cases("fields.json"), cases("receiver.json")
KEY = EktKey(bytes(16), bytes(12), 1, 300)


def session_keys(case: dict[str, Any]) -> SessionKeys:
    return run(derive_rtp_keys(PROVIDER, bytes.fromhex(case["masterKey"]), bytes.fromhex(case["ektKey"]["salt"])))


@pytest.mark.parametrize("name", PAYLOADS)
def test_written_payloads(name: str) -> None:
    case = PAYLOADS[name]
    master_key, salt = bytes.fromhex(case["masterKey"]), bytes.fromhex(case["ektKey"]["salt"])
    session_key = run(derive_session_key(PROVIDER, master_key, salt, Label.RTP_ENCRYPTION, len(master_key)))
    session_salt = run(derive_session_key(PROVIDER, master_key, salt, Label.RTP_SALT, SALT_LENGTH))
    assert (session_key.hex(), session_salt.hex()) == (case["sessionKey"], case["sessionSalt"])
    keys = session_keys(case)
    assert keys.rtp_nonce(case["ssrc"], *divmod(case["index"], 65536)).hex() == case["nonce"]
    frame = Frame(
        *(case["payloadType"], case["timestamp"], case["ssrc"], bytes.fromhex(case["media"])),
        key_frame=case["keyFrame"],
    )
    payload = run(write_payload(PROVIDER, keys, payload_format(case), frame, case["index"]))
    assert payload.hex() == case["protected"]
    assert (payload + ShortEKTField().write()).hex() == case["withShortEKTField"]


@pytest.mark.parametrize("name", PAYLOADS)
def test_read_payloads(name: str) -> None:
    case = PAYLOADS[name]
    sets = EktParameterSets(PROVIDER)
    run(sets.install(ekt_key(case["ektKey"]), 0.0))
    receiver = EktReceiver(PROVIDER, sets, case["ssrc"], replay_state(case["kind"]))
    frame = Frame(0, case["timestamp"], case["ssrc"], bytes.fromhex(case["withFullEKTField"]))
    assert run(unprotect_payload(receiver, payload_format(case), frame, 0.0)).hex() == case["media"]


@pytest.mark.parametrize("name", FIELDS)
def test_fields(name: str) -> None:
    case = FIELDS[name]
    payload = bytes.fromhex(case["payload"])
    if "malformed" in case:
        with pytest.raises(DecodeError):
            split_ekt_field(payload)
        return
    rest, ekt_field = split_ekt_field(payload)
    assert rest.hex() == case["rest"]
    assert described(ekt_field) == case["field"]


def described(ekt_field: EKTField) -> dict[str, Any]:
    match ekt_field:
        case FullEKTField(ciphertext, spi, epoch):
            return {"type": "full", "ciphertext": ciphertext.hex(), "spi": spi, "epoch": epoch}
        case ExtensionEKTField():
            return {"type": "unknown"}
        case ShortEKTField():
            return {"type": "short"}


@pytest.mark.parametrize("name", STORIES)
def test_receiver_stories(name: str) -> None:
    story = STORIES[name]
    played = receiver_outcomes(story)
    assert played["outcomes"] == [expected(step) for step in story["steps"]]
    assert played["putAside"] == story["putAside"]


class Pair:
    """A sender and a receiver with one EKTKey."""

    def __init__(self, kind: MediaKind) -> None:
        self.format = OPUS if kind is MediaKind.AUDIO else VP8
        self.sets = EktParameterSets(PROVIDER)
        run(self.sets.install(KEY, 0.0))
        self.sender = EktSender(PROVIDER, self.sets, 7, kind)
        self.receiver = EktReceiver(PROVIDER, self.sets, 7, replay_state(kind.name.lower()))
        self.indices = IndexCounter(lambda length: b"\xff" * length)

    def send(self, media: bytes, now: float, *, key_frame: bool = False) -> bytes:
        frame = Frame(111, 5, 7, media, key_frame=key_frame)
        return run(protect_payload(PROVIDER, self.sender, self.format, frame, self.indices.take(), now))

    def receive(self, payload: bytes, now: float) -> bytes:
        return run(unprotect_payload(self.receiver, self.format, Frame(111, 5, 7, payload), now))


@pytest.mark.parametrize("kind", MediaKind)
def test_a_call_of_some_length_with_rekeys_loses_nothing(kind: MediaKind) -> None:
    pair = Pair(kind)
    for number in range(400):
        now = number * 0.02
        if number % 90 == 89:
            run(pair.sets.install(EktKey(bytes([number % 256]) * 16, bytes(12), number, 300), now))
        media = b"media %d" % number
        assert pair.receive(pair.send(media, now, key_frame=number % 50 == 0), now) == media


@given(st.data())
@settings(max_examples=60)
def test_mutated_payloads_are_dropped_or_the_same_media(data: st.DataObject) -> None:
    pair = Pair(data.draw(st.sampled_from(MediaKind)))
    payload = bytearray(pair.send(b"media", 0.0))
    pair.receive(pair.send(b"key", 0.0), 0.0)
    for _ in range(data.draw(st.integers(1, 2))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PacketDropped):
        assert pair.receive(bytes(payload[: data.draw(st.integers(0, len(payload)))]), 0.0) == b"media"


def test_outside_the_rules_of_a_source_nothing_is_opened() -> None:
    pair = Pair(MediaKind.AUDIO)
    payload = pair.send(b"media", 0.0)
    other = EktReceiver(PROVIDER, pair.sets, 8, ReplayWindow())
    with pytest.raises(PacketDropped, match="no-key"):
        run(unprotect_payload(other, OPUS, Frame(111, 5, 8, payload), 0.0))
