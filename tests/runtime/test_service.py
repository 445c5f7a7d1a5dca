"""The service's one queue, told as stories: a scripted host, a scripted distributor, no browser."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from perc.ekt.key_channel import MediaKind, Member, Source, SourceOrigin
from perc.errors import ApiMisuse, CertificateError, IdentityRejected
from perc.identity.assertion import IdentityAssertion, write_identity
from perc.identity.verdict import Verdict
from perc.key_distributor import events
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.runtime.service import CONNECT_TIMEOUT, MAX_OCTETS_WAITING, KeyDistributorService
from tests.runtime.scripted import NOW, ScriptedDistributor, ScriptedHost

CONNECT = {
    "id": 1,
    "operation": "connect",
    "url": "wss://perc.example/perc/tunnel?md=md.example:4433",
    "mdHost": "md.example",
    "trustAnchors": "",
    "conference": "https://perc.example/perc/room",
}


class Story:
    """A running service; `go` lets it do all it can."""

    def __init__(self) -> None:
        self.host = ScriptedHost()
        self.distributor = ScriptedDistributor()
        self.service = KeyDistributorService(self._create, self.host)  # type: ignore[arg-type]
        self._running: Coroutine[Any, Any, None] = self.service.run()
        self.ended = False
        self.go()

    async def _create(self, _now: datetime) -> ScriptedDistributor:
        return self.distributor

    def go(self) -> None:
        try:
            self._running.send(None)
        except StopIteration:
            self.ended = True

    def ask(self, **message: Any) -> Any:
        """What the page gets for a message, besides events."""
        self.service.receive(message)
        self.go()
        answers = [answer for answer in self.host.posted if answer.get("id") == message["id"]]
        return answers[-1] if answers else None

    def connect(self) -> None:
        """Up to the point where the tunnel carries octets."""
        self.ask(**CONNECT)
        self.host.tunnels[-1].callbacks.opened()
        self.go()

    def receive(self, *happening: events.Event) -> None:
        """Octets come in from the Media Distributor, in which all this happens."""
        self.distributor.happening = list(happening)
        self.host.tunnels[-1].callbacks.received(b"octets")
        self.go()

    def posted(self, event: str) -> list[Any]:
        return [message for message in self.host.posted if message.get("event") == event]


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_page_first_hears_of_the_certificate(story: Story) -> None:
    value = ":".join(f"{octet:02x}" for octet in range(32))
    certificate = {"expires": NOW.timestamp() * 1000, "fingerprints": [{"algorithm": "sha-256", "value": value}]}
    assert story.host.posted == [{"event": "created", "certificate": certificate}]


def test_connect_is_answered_when_the_media_distributor_has_said_its_profiles(story: Story) -> None:
    story.distributor.outgoing = b"ClientHello"
    story.connect()
    assert story.host.tunnels[0].url == CONNECT["url"]
    assert story.distributor.calls[0][0::3] == ("open", "https://perc.example/perc/room")
    assert story.host.tunnels[0].sent == [b"ClientHello"]
    assert story.host.posted[-1]["event"] == "created"
    story.receive(events.Connected((7,)))
    # The event comes first: when connect() resolves, the page knows the state.
    assert story.host.posted[-2:] == [{"event": "connected", "profiles": [7]}, {"id": 1, "result": None}]
    assert story.host.timers == []


def test_nothing_is_sent_before_the_tunnel_is_open(story: Story) -> None:
    story.distributor.outgoing = b"ClientHello"
    story.ask(**CONNECT)
    assert story.host.tunnels[0].sent == []


def test_a_refused_certificate_is_told_to_both_sides(story: Story) -> None:
    story.connect()
    story.distributor.outgoing = b"alert"
    story.receive(events.ConnectionFailed(CertificateError("it is for another name")))
    assert story.host.posted[-1]["error"]["name"] == "SecurityError"
    assert story.host.tunnels[0].sent == [b"alert"]
    assert story.host.tunnels[0].is_closed


def test_a_bridge_that_refuses_is_a_network_error_and_connect_may_be_tried_again(story: Story) -> None:
    story.ask(**CONNECT)
    story.host.tunnels[0].callbacks.lost()
    story.go()
    assert story.host.posted[-1]["error"]["name"] == "NetworkError"
    assert story.distributor.calls == []
    story.connect()
    assert len(story.host.tunnels) == 2


def test_a_silent_media_distributor_is_given_up(story: Story) -> None:
    story.connect()
    ((delay, fired),) = story.host.timers
    assert delay == CONNECT_TIMEOUT
    fired()
    story.go()
    assert story.host.posted[-1]["error"]["name"] == "TimeoutError"
    assert story.distributor.calls[-1] == ("connection_lost", 100.0)


def test_connecting_twice_is_the_pages_mistake(story: Story) -> None:
    story.connect()
    assert story.ask(**CONNECT | {"id": 2})["error"]["name"] == "InvalidStateError"
    assert not story.host.tunnels[0].is_closed


def test_after_a_lost_tunnel_another_may_be_made_until_it_is_too_late(story: Story) -> None:
    story.connect()
    story.receive(events.Connected((7,)))
    story.distributor.happening = [events.ConnectionClosed()]
    story.distributor.timeout = 400.0
    story.host.tunnels[0].callbacks.lost()
    story.go()
    assert story.distributor.calls[-1] == ("connection_lost", 100.0)
    assert story.host.posted[-1] == {"event": "disconnected"}
    assert [delay for delay, _ in story.host.timers] == [300.0]
    story.connect()
    story.receive(events.Connected((7,)))
    assert story.host.posted[-1] == {"id": 1, "result": None}


def test_a_verdict_reaches_the_distributor_as_it_is(story: Story) -> None:
    story.connect()
    answer = story.ask(id=2, operation="validated", requestId=5, identity="bob@idp.example", contents="{}")
    assert story.distributor.calls[-1] == ("validated", 5, Verdict("bob@idp.example", "{}"), 100.0)
    assert answer == {"id": 2, "result": None}


def test_an_identity_provider_that_failed_is_a_rejection(story: Story) -> None:
    story.connect()
    error = {"message": "too late", "errorDetail": "idp-timeout"}
    story.ask(id=2, operation="validated", requestId=5, error=error)
    _, _, rejection, _ = story.distributor.calls[-1]
    assert isinstance(rejection, IdentityRejected)
    assert (str(rejection), rejection.error_detail) == ("too late", "idp-timeout")


def test_an_assertion_becomes_an_identity_attribute(story: Story) -> None:
    story.connect()
    assertion = {"domain": "idp.example", "protocol": "default", "assertion": "signed"}
    story.ask(id=2, operation="asserted", requestId=5, **assertion)
    assert story.distributor.calls[-1][2] == write_identity(IdentityAssertion(**assertion))


def test_an_assertion_of_an_impossible_provider_is_refused(story: Story) -> None:
    story.connect()
    answer = story.ask(id=2, operation="asserted", requestId=5, domain="a/b", protocol="default", assertion="x")
    assert answer["error"]["name"] == "InvalidStateError"


def test_an_unknown_operation_is_refused(story: Story) -> None:
    assert story.ask(id=2, operation="run")["error"]["name"] == "InvalidStateError"


def test_the_alarm_is_set_for_the_distributors_timeout_and_for_one_only(story: Story) -> None:
    story.connect()
    story.receive(events.Connected((7,)))
    story.distributor.timeout = 103.0
    story.receive()
    story.receive()
    ((delay, fired),) = story.host.timers
    assert delay == 3.0
    story.host.clock = 103.0
    fired()
    story.go()
    assert story.distributor.calls[-1] == ("handle_timeout", 103.0)
    assert story.host.timers == []


def test_inputs_that_come_together_are_worked_on_in_order(story: Story) -> None:
    story.connect()
    received = story.host.tunnels[0].callbacks.received
    for data in (b"1", b"2", b"3"):
        received(data)
    story.go()
    assert [call[1] for call in story.distributor.calls if call[0] == "receive_data"] == [b"1", b"2", b"3"]


def test_what_an_ended_tunnel_left_behind_is_not_for_the_next_one(story: Story) -> None:
    story.connect()
    ended = story.host.tunnels[0].callbacks
    ended.lost()
    ended.received(b"late")
    story.go()
    story.connect()
    ended.received(b"later still")
    story.go()
    assert "receive_data" not in [call[0] for call in story.distributor.calls]


def test_an_alarm_that_goes_off_while_something_else_is_done_leaves_no_second_one(story: Story) -> None:
    story.connect()
    story.receive(events.Connected((7,)))
    story.distributor.timeout = 101.0
    story.receive()
    for _ in range(5):
        story.host.clock += 1.0
        ((_, fired),) = story.host.timers
        story.host.tunnels[0].callbacks.received(b"octets")  # come first, and are dealt with first
        fired()
        story.distributor.timeout = story.host.clock + 1.0
        story.go()
        story.distributor.timeout = story.host.clock + 1.0
        story.receive()


def test_a_connect_that_the_distributor_refuses_costs_no_more_than_itself(story: Story) -> None:
    async def refuse(*_: object) -> list[events.Event]:
        raise ApiMisuse("the endpoints are with another Media Distributor")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story.distributor, "open", refuse)
        story.connect()
    assert story.host.posted[-1] == {
        "id": 1,
        "error": {"name": "InvalidStateError", "message": "the endpoints are with another Media Distributor"},
    }
    assert story.host.tunnels[0].is_closed
    assert not story.ended
    story.connect()
    story.receive(events.Connected((7,)))
    assert story.host.posted[-1] == {"id": 1, "result": None}


def test_a_flood_ends_the_tunnel_before_it_fills_the_memory(story: Story) -> None:
    story.connect()
    story.receive(events.Connected((7,)))
    (tunnel,) = story.host.tunnels
    for _ in range(MAX_OCTETS_WAITING // 65536):
        tunnel.callbacks.received(bytes(65536))
    story.go()
    assert not tunnel.is_closed
    known = len(story.distributor.calls)
    for _ in range(MAX_OCTETS_WAITING // 65536 + 1):
        tunnel.callbacks.received(bytes(65536))
    story.go()
    assert tunnel.is_closed
    assert [call[0] for call in story.distributor.calls[known:]] == ["connection_lost"]
    story.connect()
    story.receive(events.Connected((7,)))
    assert story.distributor.calls[-1][0] == "receive_data"


def test_closing_says_goodbye_and_ends(story: Story) -> None:
    story.connect()
    assert story.ask(id=2, operation="close") == {"id": 2, "result": None}
    assert story.host.tunnels[0].sent == [b"close_notify"]
    assert story.host.tunnels[0].is_closed
    assert story.ended


def test_the_page_is_not_told_of_the_end_before_the_goodbye_has_left(story: Story) -> None:
    story.connect()
    (tunnel,) = story.host.tunnels
    tunnel.holds_data = True
    assert story.ask(id=2, operation="close") is None
    assert tunnel.is_closed
    assert not story.ended
    tunnel.holds_data = False
    story.go()
    assert story.host.posted[-1] == {"id": 2, "result": None}
    assert story.ended


def test_an_unforeseen_error_ends_everything_and_tells_no_value(story: Story) -> None:
    story.connect()

    async def fail(*_: object) -> list[events.Event]:
        raise KeyError("a secret")

    story.distributor.receive_data = fail  # type: ignore[method-assign]
    story.receive()
    assert story.ended
    (failure,) = story.posted("failed")
    assert "KeyError" in failure["error"]["message"]
    assert "secret" not in failure["error"]["message"]
    assert story.host.tunnels[0].is_closed


def test_the_roster_crosses_as_plain_values(story: Story) -> None:
    story.connect()
    source = Source(7, MediaKind.VIDEO, SourceOrigin.PERSON)
    story.receive(events.RosterChanged((Member(bytes(16), "bob@idp.example", 1_700_000_000, 1, (source,)),), 2))
    assert story.posted("roster-changed") == [
        {
            "event": "roster-changed",
            "members": [
                {
                    "id": "00" * 16,
                    "identity": "bob@idp.example",
                    "verifiedAt": 1_700_000_000_000,
                    "spi": 1,
                    "sources": [{"ssrc": 7, "kind": "video", "origin": "camera"}],
                }
            ],
            "spi": 2,
        }
    ]


GUEST = UUID(int=5)


def test_a_join_request_crosses_as_plain_values(story: Story) -> None:
    story.connect()
    story.receive(events.JoinRequested(GUEST, "bob@idp.example", "idp.example:8443", 1_700_000_000))
    assert story.posted("join-requested") == [
        {
            "event": "join-requested",
            "associationId": str(GUEST),
            "identity": "bob@idp.example",
            "idp": "idp.example:8443",
            "verifiedAt": 1_700_000_000_000,
        }
    ]


@pytest.mark.parametrize("operation", ["admit", "deny"])
def test_the_page_decides(story: Story, operation: str) -> None:
    assert story.ask(id=2, operation=operation, associationId=str(GUEST)) == {"id": 2, "result": None}
    assert story.distributor.calls == [(operation, GUEST, story.host.clock)]


def test_the_page_sets_a_policy(story: Story) -> None:
    values = {"admit": ["bob@idp.example", "@IDP.example"], "others": "refuse"}
    assert story.ask(id=2, operation="setAdmissionPolicy", **values) == {"id": 2, "result": None}
    policy = AdmissionPolicy.of(values["admit"], "refuse")
    assert story.distributor.calls == [("set_admission_policy", policy, story.host.clock)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NotFoundError", {"operation": "admit", "associationId": "nobody"}),
        ("NotFoundError", {"operation": "remove", "memberId": "00"}),
        ("InvalidStateError", {"operation": "setAdmissionPolicy", "admit": ["bob"], "others": "ask"}),
        ("InvalidStateError", {"operation": "setAdmissionPolicy", "admit": [], "others": "perhaps"}),
    ],
)
def test_a_decision_that_means_nothing(story: Story, name: str, message: dict[str, Any]) -> None:
    assert story.ask(id=2, **message)["error"]["name"] == name
    assert story.distributor.calls == []
    assert not story.ended
