"""A trace of what a Key Distributor does, for debugging: which handshake completed when, which key went to whom.

An event holds association ids, counts, SPIs, SSRCs and names of protocol values. It never holds a key, an SDP or an
assertion, and it holds an identity only if the caller asks for identities. In a file each event is a line of JSON
("JSON Lines"); `docs/architecture.md` lists the events with their members.

    with open("perc-trace.jsonl", "a") as file:
        trace = Trace(lambda event: print(event.to_json(), file=file, flush=True), time.monotonic)
        kd = await KeyDistributor.create(provider, now, trace=trace)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from perc.errors import AlertReceived, PeerError

TraceValue = int | str | tuple[str, ...] | None


class TraceName(Enum):
    """Every event of a trace, by its category and its name in the JSON."""

    TRACE_STARTED = "trace", "trace_started"

    TUNNEL_CONNECTING = "tunnel", "tunnel_connecting"
    TUNNEL_AUTHENTICATED = "tunnel", "tunnel_authenticated"
    TUNNEL_OPENED = "tunnel", "tunnel_opened"
    TUNNEL_RESUMED = "tunnel", "tunnel_resumed"
    TUNNEL_LOST = "tunnel", "tunnel_lost"
    TUNNEL_FAILED = "tunnel", "tunnel_failed"
    TUNNEL_CLOSED = "tunnel", "tunnel_closed"

    OFFER_RECEIVED = "admission", "offer_received"
    IDENTITY_VALIDATED = "admission", "identity_validated"
    ASSERTION_REQUESTED = "admission", "assertion_requested"
    ANSWER_SIGNED = "admission", "answer_signed"
    ANSWER_REFUSED = "admission", "answer_refused"
    OFFER_EXPIRED = "admission", "offer_expired"
    POLICY_CHANGED = "admission", "policy_changed"
    JOIN_REQUESTED = "admission", "join_requested"
    ADMITTED = "admission", "admitted"
    DENIED = "admission", "denied"
    REMOVED = "admission", "removed"
    REFUSED = "admission", "refused"

    ASSOCIATION_CREATED = "association", "association_created"
    ASSOCIATION_REFUSED = "association", "association_refused"
    ASSOCIATION_FAILED = "association", "association_failed"
    ASSOCIATION_CLOSED = "association", "association_closed"

    CERTIFICATE_ACCEPTED = "handshake", "certificate_accepted"
    CERTIFICATE_REFUSED = "handshake", "certificate_refused"
    HANDSHAKE_COMPLETED = "handshake", "handshake_completed"
    HANDSHAKE_FAILED = "handshake", "handshake_failed"
    KEY_CHANNEL_OPENED = "handshake", "key_channel_opened"

    MEDIA_KEYS_SENT = "key", "media_keys_sent"
    EKT_KEY_GENERATED = "key", "ekt_key_generated"
    EKT_KEY_SENT = "key", "ekt_key_sent"
    EKT_KEY_ACKNOWLEDGED = "key", "ekt_key_acknowledged"
    EKT_KEY_DESTROYED = "key", "ekt_key_destroyed"

    ROSTER_CHANGED = "roster", "roster_changed"
    ROSTER_SENT = "roster", "roster_sent"
    SOURCES_ANNOUNCED = "roster", "sources_announced"
    SOURCE_REFUSED = "roster", "source_refused"


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event; `at` is in seconds since the trace was started, `association_id` is None for an event of the whole."""

    at: float
    name: TraceName
    association_id: UUID | None
    details: Mapping[str, TraceValue]

    def to_json(self) -> str:
        """Return the event as one line of JSON, without a line break."""
        category, name = self.name.value
        members: dict[str, object] = {"at": round(self.at, 6), "category": category, "name": name}
        if self.association_id is not None:
            members["association"] = str(self.association_id)
        return json.dumps(members | {key: value for key, value in self.details.items() if value is not None})


class Trace:
    """Passes events to `sink`; a trace without one does nothing.

    `clock` is monotonic, in seconds. `identities` adds the verified identities of members, which are personal data.
    """

    def __init__(
        self,
        sink: Callable[[TraceEvent], None] | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        *,
        identities: bool = False,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._identities = identities
        self._started_at = clock()

    def emit(
        self,
        name: TraceName,
        association_id: UUID | None = None,
        *,
        identity: str | None = None,
        **details: TraceValue,
    ) -> None:
        """Pass an event on; `identity` is left out unless identities were asked for."""
        if self._sink is None:
            return
        if self._identities and identity is not None:
            details["identity"] = identity
        self._sink(TraceEvent(self._clock() - self._started_at, name, association_id, details))

    def emit_failure(self, name: TraceName, error: PeerError, association_id: UUID | None = None) -> None:
        """Pass on that a protocol failed: with which alert, which side sent it, and the class of the error."""
        sender = "peer" if isinstance(error, AlertReceived) else "key-distributor"
        self.emit(name, association_id, alert=error.alert.name.lower(), sent_by=sender, error=type(error).__name__)


NO_TRACE = Trace()
