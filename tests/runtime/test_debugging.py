"""A Key Distributor writes for debugging only what its page asked for, as messages to the page."""

from __future__ import annotations

import json

from perc.crypto.pyca import PycaProvider
from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.trace import NO_TRACE, TraceName
from perc.runtime.debugging import debugging
from tests.driving import run
from tests.runtime.scripted import NOW, ScriptedHost


def test_nothing_is_written_unless_it_is_asked_for() -> None:
    host = ScriptedHost()
    assert debugging([], host) == (NO_TRACE, None)
    assert debugging(["another word"], host) == (NO_TRACE, None)
    assert host.posted == []


def test_a_trace_event_is_posted_as_a_line_with_the_time_since_the_start() -> None:
    host = ScriptedHost()
    trace, key_log = debugging(["trace"], host)
    assert key_log is None
    run(KeyDistributor.create(PycaProvider(), NOW, trace=trace))
    host.clock += 1.5
    trace.emit(TraceName.ROSTER_CHANGED, version=1)
    assert [message["debug"] for message in host.posted] == ["trace", "trace"]
    started, changed = (json.loads(message["line"]) for message in host.posted)
    assert (started["name"], started["at"], started["utc"]) == ("trace_started", 0, "2026-01-01T00:00:00.000+00:00")
    assert (changed["name"], changed["at"], changed["version"]) == ("roster_changed", 1.5, 1)


def test_a_line_of_the_key_log_is_posted_as_it_is() -> None:
    host = ScriptedHost()
    trace, key_log = debugging(["key-log"], host)
    assert trace is NO_TRACE
    assert key_log is not None
    key_log("CLIENT_RANDOM 00 11")
    assert host.posted == [{"debug": "key-log", "line": "CLIENT_RANDOM 00 11"}]
