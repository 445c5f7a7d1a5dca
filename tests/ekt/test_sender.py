"""When a sender tells its key, and which key encrypts: the common vectors, and what they leave out."""

from __future__ import annotations

import pytest

from perc.ekt import sender as sender_module
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.ekt.outcome import SendingStopped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.sender import EktSender
from perc.srtp.ekt_field import FullEKTField
from tests.driving import run
from tests.ekt.stories import expected, sender_outcomes
from tests.ekt.transform_vectors import PROVIDER, cases

STORIES = cases("sender.json")
KEY = EktKey(bytes(16), bytes(12), 1, 300)


@pytest.mark.parametrize("name", STORIES)
def test_stories_of_the_common_vectors(name: str) -> None:
    story = STORIES[name]
    assert sender_outcomes(story)["outcomes"] == [expected(step) for step in story["steps"]]


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
    monkeypatch.setattr(sender_module, "EPOCH_LIMIT", 2)
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
    sets = EktParameterSets(PROVIDER)
    run(sets.install(KEY, 0.0))
    sender = EktSender(PROVIDER, sets, 7, MediaKind.VIDEO)
    told = run(sender.next_packet(0, 0.0)).field
    assert isinstance(told, FullEKTField)
    master_key = run(sets.outbound(0.0).unwrap(told.ciphertext)).master_key
    state = vars(sender)
    assert any("keys=SessionKeys" in repr(value) for value in state.values()), "the key is there"
    assert "octets" not in repr(state)
    assert repr(master_key) not in repr(state)
