"""The trace of the Key Distributor: what it holds of a conference, and what it must never hold."""

from __future__ import annotations

import inspect
import json
from base64 import b64encode
from itertools import count
from pathlib import Path

import pytest

from perc.dtls.flights import MIN_INTERVAL
from perc.errors import AlertDescription, AlertReceived, IdentityRejected
from perc.key_distributor.admission_policy import AdmissionPolicy
from perc.key_distributor.admissions import WAITING_TIME
from perc.key_distributor.distributor import KeyDistributor
from perc.key_distributor.ekt_keys import EKT_TTL
from perc.key_distributor.rekey import RekeyPolicy
from perc.key_distributor.trace import NO_TRACE, Trace, TraceName
from perc.tunnel.messages import EndpointDisconnect, MediaKeys, SignAnswer
from tests.dtls.openssl import make_identity
from tests.key_distributor.peers import answer_sdp, offer_sdp, verdict
from tests.key_distributor.site import Endpoint, Recording, Site

REPOSITORY = Path(__file__).resolve().parents[2]
ALICE, BOB, CAROL = "alice@idp-a.localhost", "bob@idp-a.localhost", "carol@idp-a.localhost"
HOST_ONLY = AdmissionPolicy.of([ALICE], "ask")


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def site(recording: Recording) -> Site:
    return Site(RekeyPolicy.ON_MEMBERSHIP, guests=HOST_ONLY, recording=recording)


def names_of(recording: Recording) -> list[str]:
    """Return the names of the events so far, and forget the events."""
    names = [event.name.value[1] for event in recording.trace]
    recording.trace.clear()
    return names


def details_of(recording: Recording, name: TraceName) -> list[dict[str, object]]:
    return [dict(event.details) for event in recording.trace if event.name is name]


def admit(site: Site, endpoint: Endpoint) -> None:
    site.take(site.kd.admit(endpoint.id, site.now))
    site.settle()


OFFER = ["offer_received", "identity_validated", "assertion_requested", "answer_signed"]
HANDSHAKE = [
    "association_created",
    "certificate_accepted",
    "handshake_completed",
    "media_keys_sent",
    "key_channel_opened",
]


def test_a_tunnel_is_traced_from_its_beginning_to_its_end(recording: Recording, site: Site) -> None:
    opening = ["tunnel_connecting", "tunnel_authenticated"]
    assert names_of(recording) == ["trace_started", "policy_changed", *opening, "tunnel_opened"]
    site.join(ALICE)
    names_of(recording)
    site.cut()
    assert details_of(recording, TraceName.TUNNEL_LOST) == [{"associations": 1}]
    assert names_of(recording) == ["tunnel_lost"]
    site.reconnect()
    assert details_of(recording, TraceName.TUNNEL_RESUMED)[0]["associations"] == 1
    assert names_of(recording)[:3] == [*opening, "tunnel_resumed"]
    site.take(site.kd.close())
    assert names_of(recording) == ["association_closed", "ekt_key_destroyed", "roster_changed", "tunnel_closed"]


def test_the_first_member_is_traced_from_its_offer_to_its_key(recording: Recording, site: Site) -> None:
    names_of(recording)
    alice = site.join(ALICE)
    spi = alice.keys[0].spi
    assert details_of(recording, TraceName.EKT_KEY_GENERATED) == [{"spi": spi, "cause": "join"}]
    assert details_of(recording, TraceName.EKT_KEY_SENT) == [{"spi": spi, "ttl": EKT_TTL}]
    assert details_of(recording, TraceName.EKT_KEY_ACKNOWLEDGED) == [{"spi": spi}]
    of_alice = [event for event in recording.trace if event.association_id is not None]
    assert {event.association_id for event in of_alice} == {alice.id}
    keys = ["ekt_key_generated", "ekt_key_sent", "roster_sent", "roster_changed", "ekt_key_acknowledged"]
    assert names_of(recording) == [*OFFER, *HANDSHAKE, "admitted", *keys]


def test_decisions_about_guests_are_traced(recording: Recording, site: Site) -> None:
    site.join(ALICE)
    site.wait(5)
    names_of(recording)
    bob = site.join(BOB)
    assert names_of(recording) == [*OFFER, *HANDSHAKE, "join_requested"]
    admit(site, bob)
    cause = details_of(recording, TraceName.EKT_KEY_GENERATED)[0]["cause"]
    assert (cause, names_of(recording)[0]) == ("join", "admitted")
    carol = site.join(CAROL)
    names_of(recording)
    site.take(site.kd.deny(carol.id, site.now))
    assert names_of(recording) == ["denied", "association_closed"]
    member = next(member for member in site.kd.roster if member.identity == BOB)
    site.take(site.kd.remove(member.id.hex(), site.now))
    site.wait(1)
    assert [event.association_id for event in recording.trace[:2]] == [bob.id, bob.id]
    assert details_of(recording, TraceName.EKT_KEY_GENERATED)[0]["cause"] == "leave"
    assert names_of(recording)[:2] == ["removed", "association_closed"]


def test_a_rekey_at_half_of_the_life_of_a_key_names_its_cause(recording: Recording, site: Site) -> None:
    site.join(ALICE)
    recording.trace.clear()
    site.wait(EKT_TTL / 2)
    (generated,) = [event for event in recording.trace if event.name is TraceName.EKT_KEY_GENERATED]
    assert generated.details["cause"] == "half-life"
    assert generated.at == EKT_TTL / 2, "the time since the trace was started"


def test_a_refused_identity_is_traced_by_code_and_not_in_the_words_of_its_provider(
    recording: Recording, site: Site
) -> None:
    endpoint = Endpoint()
    message = SignAnswer(offer_sdp(endpoint.fingerprint), answer_sdp(site.kd.fingerprint))
    site.sign(message, IdentityRejected("the provider's own words", "idp-token-invalid"))
    assert details_of(recording, TraceName.ANSWER_REFUSED) == [{"request": 1, "code": "identity-not-accepted"}]
    assert "own words" not in "".join(event.to_json() for event in recording.trace)


def test_an_unreadable_offer_is_traced_as_not_accepted(recording: Recording, site: Site) -> None:
    site.send(SignAnswer(b"v=0\r\n", answer_sdp(site.kd.fingerprint)))
    assert details_of(recording, TraceName.ANSWER_REFUSED) == [{"request": 1, "code": "offer-not-accepted"}]


def test_an_unknown_certificate_is_traced_with_the_alert(recording: Recording, site: Site) -> None:
    names_of(recording)
    site.shake_hands(Endpoint(make_identity()))
    (failed,) = details_of(recording, TraceName.HANDSHAKE_FAILED)
    assert failed == {"alert": "certificate_unknown", "sent_by": "key-distributor", "error": "CertificateError"}
    beginning = ["association_created", "certificate_refused", "handshake_failed"]
    assert names_of(recording) == [*beginning, "association_closed"]


def test_a_received_alert_is_traced_as_sent_by_the_peer(recording: Recording) -> None:
    error = AlertReceived("alert bad_certificate", AlertDescription.BAD_CERTIFICATE)
    Trace(recording.trace.append).emit_failure(TraceName.TUNNEL_FAILED, error)
    assert details_of(recording, TraceName.TUNNEL_FAILED) == [
        {"alert": "bad_certificate", "sent_by": "peer", "error": "AlertReceived"}
    ]


def test_a_media_distributor_that_closes_the_tunnel_is_traced(recording: Recording, site: Site) -> None:
    site.join(ALICE)
    names_of(recording)
    site.tls.shutdown()
    site.settle()
    assert names_of(recording)[:2] == ["tunnel_closed", "association_closed"]


def test_a_tunnel_that_breaks_the_protocol_is_traced_with_the_alert(recording: Recording, site: Site) -> None:
    names_of(recording)
    site.send_raw(bytes.fromhex("030000"))
    (failed,) = details_of(recording, TraceName.TUNNEL_FAILED)
    assert (failed["alert"], failed["sent_by"]) == ("decode_error", "key-distributor")
    assert names_of(recording)[0] == "tunnel_failed"


def test_an_association_id_that_was_used_before_is_traced_as_refused(recording: Recording, site: Site) -> None:
    alice = site.join(ALICE)
    site.send(EndpointDisconnect(alice.id))
    names_of(recording)
    again = Endpoint()
    again.id = alice.id
    site.shake_hands(again)
    assert [event.association_id for event in recording.trace] == [alice.id]
    assert details_of(recording, TraceName.ASSOCIATION_REFUSED) == [{"code": "id-used"}]


def test_an_offer_for_which_nobody_comes_is_traced_when_it_expires(recording: Recording, site: Site) -> None:
    site.admit(Endpoint(), ALICE)
    names_of(recording)
    site.wait(WAITING_TIME)
    assert names_of(recording) == ["offer_expired"]


def test_a_disconnected_endpoint_is_traced_with_the_reason(recording: Recording, site: Site) -> None:
    alice = site.join(ALICE)
    site.send(EndpointDisconnect(alice.id))
    (closed,) = details_of(recording, TraceName.ASSOCIATION_CLOSED)
    assert closed == {"reason": "disconnected by the Media Distributor"}


def test_sources_are_traced_as_counts_and_a_conflict_by_its_ssrc(recording: Recording, site: Site) -> None:
    alice, bob = site.join(ALICE), site.join(BOB)
    admit(site, bob)
    for endpoint in (alice, bob):
        endpoint.announce(7)
        site.wait(1)
    assert details_of(recording, TraceName.SOURCES_ANNOUNCED) == [{"sources": 1}, {"sources": 1}]
    assert details_of(recording, TraceName.SOURCE_REFUSED) == [{"ssrc": 7}]


def conference_with_everything(recording: Recording) -> tuple[Site, list[Endpoint]]:
    site = Site(RekeyPolicy.ON_MEMBERSHIP, recording=recording)
    endpoints = [site.join(name) for name in (ALICE, BOB, CAROL)]
    for endpoint, ssrc in zip(endpoints, count(1), strict=False):
        endpoint.announce(ssrc)
        site.wait(MIN_INTERVAL)
    site.sign(
        SignAnswer(offer_sdp(Endpoint().fingerprint), answer_sdp(site.kd.fingerprint)),
        verdict(Endpoint().fingerprint, name="mallory@idp-a.localhost"),
    )
    site.cut()
    site.reconnect()
    site.wait(EKT_TTL)
    site.take(site.kd.close())
    return site, endpoints


def test_the_trace_holds_no_secret_and_no_identity(recording: Recording) -> None:
    site, endpoints = conference_with_everything(recording)
    secrets = [bytes.fromhex(line.split(" ")[2]) for line in recording.keys]
    for key in (key for endpoint in endpoints for key in endpoint.keys):
        secrets += [key.key, key.salt]
    for keys in site.heard(MediaKeys):
        secrets += [keys.client_write_key, keys.server_write_key, keys.client_write_salt, keys.server_write_salt]
    assert len(secrets) > 30
    text = "\n".join(event.to_json() for event in recording.trace).lower()
    for secret in secrets:
        assert secret.hex() not in text
        assert b64encode(secret).decode().lower().rstrip("=") not in text
    for word in ("alice", "bob", "carol", "mallory", "localhost", "v=0", "a=", "fingerprint"):
        assert word not in text


def test_identities_are_in_the_trace_if_they_are_asked_for() -> None:
    recording = Recording(identities=True)
    conference_with_everything(recording)
    admitted = details_of(recording, TraceName.ADMITTED)
    assert [details["identity"] for details in admitted] == [ALICE, BOB, CAROL]


def test_an_event_is_one_line_of_json(recording: Recording) -> None:
    conference_with_everything(recording)
    for event in recording.trace:
        line = event.to_json()
        assert "\n" not in line
        members = json.loads(line)
        category, name = event.name.value
        assert (members["category"], members["name"]) == (category, name)
        assert isinstance(members["at"], float)


def test_the_documentation_lists_every_event() -> None:
    documentation = (REPOSITORY / "docs" / "architecture.md").read_text()
    missing = [name.value[1] for name in TraceName if f"`{name.value[1]}`" not in documentation]
    assert missing == []


def test_a_trace_without_a_sink_reads_no_clock() -> None:
    times = count()
    trace = Trace(None, lambda: float(next(times)))
    trace.emit(TraceName.ADMITTED, identity=ALICE)
    assert next(times) == 1, "the clock was read once, when the trace was made"


def test_a_key_distributor_has_no_trace_and_no_key_log_by_default() -> None:
    parameters = inspect.signature(KeyDistributor.create).parameters
    assert parameters["trace"].default is NO_TRACE
    assert parameters["key_log"].default is None
