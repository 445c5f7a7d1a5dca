"""The endpoint's two state machines, in Python and in the transform Worker, tell random stories alike."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from perc.ekt.outcome import Drop, PutAside
from tests.ekt.stories import receiver_outcomes, sender_outcomes
from tests.vectors.random_stories import receiver_story, sender_story

REPLAY = Path(__file__).parent / "media_pages" / "replay_stories.js"
STORIES = 100

Json = dict[str, Any]


def in_javascript(stories: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """What the Worker's modules make of the stories, on Node."""
    result = subprocess.run(["node", str(REPLAY)], input=json.dumps(stories).encode(), capture_output=True, check=True)
    outcomes: dict[str, list[Json]] = json.loads(result.stdout)
    return outcomes


def kinds_of(outcomes: Iterable[Json]) -> Counter[str]:
    """How often what happened: the first key of an outcome, and why."""
    return Counter(
        str(value) if name in {"drop", "stop"} else name for outcome in outcomes for name, value in outcome.items()
    )


@pytest.fixture(scope="module")
def stories() -> dict[str, list[Json]]:
    return {"receiver": list(map(receiver_story, range(STORIES))), "sender": list(map(sender_story, range(STORIES)))}


@pytest.fixture(scope="module")
def in_python(stories: dict[str, list[Json]]) -> dict[str, list[Json]]:
    return {
        "receiver": list(map(receiver_outcomes, stories["receiver"])),
        "sender": list(map(sender_outcomes, stories["sender"])),
    }


@pytest.mark.parametrize("machine", ["receiver", "sender"])
def test_random_stories_end_alike(
    machine: str, stories: dict[str, list[Json]], in_python: dict[str, list[Json]]
) -> None:
    theirs = in_javascript({"receiver": [], "sender": [], machine: stories[machine]})[machine]
    for seed, (played, expected) in enumerate(zip(theirs, in_python[machine], strict=True)):
        assert played == expected, f"seed {seed}"


def test_the_stories_meet_every_rule(in_python: dict[str, list[Json]]) -> None:
    received = kinds_of(outcome for each in in_python["receiver"] for outcome in each["outcomes"])
    assert received["media"] > 10 * STORIES
    assert {"installed", "refused", *(drop.value for drop in Drop)} <= set(received)
    aside = {reason for each in in_python["receiver"] for reason in each["putAside"]}
    assert aside == {reason.value for reason in PutAside}
    sent = kinds_of(outcome for each in in_python["sender"] for outcome in each["outcomes"])
    assert {"no-key", "expired", "fullEKTField", "restarted"} <= set(sent)
