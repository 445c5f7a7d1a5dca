"""The Key Distributor's events as the plain values that the page gets; `messages.js` of the browser declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perc.ekt.key_channel import Member, Source, SourceOrigin
from perc.key_distributor import events
from perc.runtime.errors import describe

_MILLISECONDS = 1000
# A camera stands for its microphone, too; the media Worker has the same names.
_ORIGINS = {SourceOrigin.PERSON: "camera", SourceOrigin.SCREEN: "screen"}
Writer = Callable[[Any], dict[str, Any]]


def write_event(event: events.Event) -> dict[str, Any]:
    """`{event: name, …}`: no None, no bytes, numbers that a double can hold."""
    name, writer = _WRITERS[type(event)]
    return {"event": name} | writer(event)


def _request(event: Any) -> dict[str, Any]:
    return {"requestId": event.request_id}


def _association(event: Any) -> dict[str, Any]:
    return {"associationId": str(event.association_id)}


def _sign_answer(event: events.SignAnswerReceived) -> dict[str, Any]:
    return _request(event) | {"fingerprints": [str(fingerprint) for fingerprint in event.fingerprints]}


def _validation(event: events.ValidationRequested) -> dict[str, Any]:
    return _request(event) | {"domain": event.domain, "protocol": event.protocol, "assertion": event.assertion}


def _peer(event: events.PeerValidated) -> dict[str, Any]:
    return _request(event) | {"identity": event.identity, "idp": event.domain}


def _fingerprint(event: events.FingerprintFailed) -> dict[str, Any]:
    expected = [str(fingerprint) for fingerprint in event.expected]
    return _association(event) | {"presented": str(event.presented), "expected": expected}


def _join_request(event: events.JoinRequested) -> dict[str, Any]:
    verified_at = event.verified_at * _MILLISECONDS
    return _association(event) | {"identity": event.identity, "idp": event.domain, "verifiedAt": verified_at}


def _keyed(event: events.EndpointKeyed) -> dict[str, Any]:
    return _association(event) | {"identity": event.identity, "fingerprint": str(event.fingerprint)}


def _left(event: events.EndpointLeft) -> dict[str, Any]:
    identity = {} if event.identity is None else {"identity": event.identity}
    return _association(event) | {"reason": event.reason} | identity


def _member(member: Member) -> dict[str, Any]:
    return {
        "id": member.id.hex(),
        "identity": member.identity,
        "verifiedAt": member.verified_at * _MILLISECONDS,
        "spi": member.spi,
        "sources": [_source(source) for source in member.sources],
    }


def _source(source: Source) -> dict[str, Any]:
    return {"ssrc": source.ssrc, "kind": source.kind.name.lower(), "origin": _ORIGINS[source.source]}


_WRITERS: dict[type, tuple[str, Writer]] = {
    events.Connected: ("connected", lambda event: {"profiles": list(event.profiles)}),
    events.ConnectionFailed: ("disconnected", lambda event: {"error": describe(event.error)}),
    events.ConnectionClosed: ("disconnected", lambda _event: {}),
    events.SignAnswerReceived: ("sign-answer", _sign_answer),
    events.ValidationRequested: ("validation-requested", _validation),
    events.PeerValidated: ("peer-validated", _peer),
    events.AssertionRequested: (
        "assertion-requested",
        lambda event: _request(event) | {"contents": event.contents},
    ),
    events.AnswerSigned: ("answer-signed", _request),
    events.AnswerRefused: ("answer-refused", lambda event: _request(event) | {"reason": event.reason}),
    events.FingerprintFailed: ("fingerprint-failed", _fingerprint),
    events.JoinRequested: ("join-requested", _join_request),
    events.EndpointKeyed: ("endpoint-keyed", _keyed),
    events.EndpointLeft: ("endpoint-left", _left),
    events.SourceRefused: ("source-refused", lambda event: _association(event) | {"ssrc": event.ssrc}),
    events.RosterChanged: (
        "roster-changed",
        lambda event: {"members": [_member(member) for member in event.members], "spi": event.spi or 0},
    ),
}
