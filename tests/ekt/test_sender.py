"""When a sender tells its key, and which key encrypts: the common vectors, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from perc.ekt import sender as sender_module
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import SendingStopped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.sender import EktSender
from perc.srtp.ekt_field import FullEKTField, ShortEKTField
from tests.driving import run
from tests.ekt.transform_vectors import KINDS, PROVIDER, cases, ekt_key

STORIES = cases("sender.json")
KEY = EktKey(bytes(16), bytes(12), 1, 300)


@pytest.mark.parametrize("name", STORIES)
def test_stories_of_the_common_vectors(name: str) -> None:
    story = STORIES[name]
    sets = EktParameterSets(PROVIDER)
    sender = EktSender(PROVIDER, sets, story["ssrc"], KINDS[story["kind"]])
    salts: list[bytes] = []
    for step in story["steps"]:
        if "install" in step:
            run(sets.install(ekt_key(step["install"]), step["at"]))
        elif "restart" in step:
            sender.restart()
        else:
            send(sender, step, salts)


def send(sender: EktSender, step: dict[str, Any], salts: list[bytes]) -> None:
    """`salts` tell master keys apart, in the order in which they were told: each has its own session salt."""
    expected = step["expect"]
    if "stop" in expected:
        with pytest.raises(SendingStopped, match=expected["stop"]):
            run(sender.next_packet(0, step["at"], key_frame=step["send"]["keyFrame"]))
        return
    packet = run(sender.next_packet(0, step["at"], key_frame=step["send"]["keyFrame"]))
    for master_key in (sender._active, sender._announced):
        if master_key is not None and master_key.keys.salt not in salts:
            salts.append(master_key.keys.salt)
    assert salts.index(packet.keys.salt) == expected["masterKey"], step
    if expected["fullEKTField"] is None:
        assert packet.field == ShortEKTField(), step
    else:
        assert isinstance(packet.field, FullEKTField), step
        assert {"spi": packet.field.spi, "epoch": packet.field.epoch} == expected["fullEKTField"], step


def started(kind: MediaKind = MediaKind.VIDEO) -> EktSender:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(KEY, 0.0))
    return EktSender(PROVIDER, sets, 7, kind)


def test_a_ciphertext_is_made_once_per_roc() -> None:
    sender = started()
    first, again, next_roc = (run(sender.next_packet(roc, 0.0, key_frame=True)).field for roc in (0, 0, 1))
    assert isinstance(first, FullEKTField)
    assert isinstance(next_roc, FullEKTField)
    assert first is not next_roc
    assert first == again
    assert first.epoch == next_roc.epoch
    assert first.ciphertext != next_roc.ciphertext


def test_epochs_end_before_they_would_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_EPOCH_LIMIT", 2)
    sender = started()
    for _ in range(2):
        run(sender.next_packet(0, 0.0))
        sender.restart()
    with pytest.raises(SendingStopped, match="exhausted"):
        run(sender.next_packet(0, 0.0))


def test_every_source_has_its_own_master_key() -> None:
    sets = EktParameterSets(PROVIDER)
    run(sets.install(KEY, 0.0))
    salts = {run(EktSender(PROVIDER, sets, ssrc, MediaKind.AUDIO).next_packet(0, 0.0)).keys.salt for ssrc in range(5)}
    assert len(salts) == 5


def test_master_keys_do_not_show() -> None:
    sender = started()
    run(sender.next_packet(0, 0.0))
    assert "octets" not in repr(sender._active)
