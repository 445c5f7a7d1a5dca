"""Reassembly: any order, any mix, the same messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from perc.sctp.chunks import Data
from perc.sctp.reassembly import Reassembly

messages = st.lists(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=5), min_size=1, max_size=6)


def fragments_of(contents: list[list[bytes]]) -> list[Data]:
    """All fragments, with TSNs that wrap."""
    fragments: list[Data] = []
    for ssn, parts in enumerate(contents):
        for position, part in enumerate(parts):
            tsn = (0xFFFFFFFA + len(fragments)) % 2**32
            ends = position == 0, position == len(parts) - 1
            fragments.append(Data(tsn, 0, ssn, 53, part, *ends))
    return fragments


@given(messages, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_any_order_makes_the_same_messages(contents: list[list[bytes]], chance: object) -> None:
    fragments = fragments_of(contents)
    chance.shuffle(fragments)  # type: ignore[attr-defined]
    reassembly, completed = Reassembly(), {}
    for fragment in fragments:
        whole = reassembly.add(fragment)
        if whole:
            completed[whole[0].stream_sequence_number] = [part.fragment for part in whole]
    assert completed == dict(enumerate(contents))
    assert reassembly.cost == 0
    assert (reassembly.fragments_held, reassembly.runs_held) == (0, 0)
