"""The codes of log lines. They are stable: scripts and alerts match them, never a message."""

from __future__ import annotations

from enum import StrEnum


class LogCode(StrEnum):
    """What a line is about; `docs/architecture.md` lists them."""

    # Every server.
    STARTED = "started"
    METRICS_LISTENING = "metrics-listening"
    IDENTITIES_SHOWN = "identities-shown"

    # Both HTTP servers.
    REQUEST_ANSWERED = "request-answered"
    REQUEST_REFUSED = "request-refused"
    REQUEST_ABANDONED = "request-abandoned"
    REQUEST_FAILED = "request-failed"

    # Call processing.
    CONTROL_CONNECTED = "control-connected"
    CONTROL_LOST = "control-lost"
    CONTROL_REQUEST_FAILED = "control-request-failed"
    CONFERENCE_STARTED = "conference-started"
    CONFERENCE_ENDED = "conference-ended"
    BRIDGE_OPENED = "bridge-opened"
    BRIDGE_REFUSED = "bridge-refused"
    BRIDGE_CLOSED = "bridge-closed"
    STREAM_OPENED = "stream-opened"
    STREAM_CLOSED = "stream-closed"

    # The Media Distributor, which shares control-… and conference-….
    CONTROL_REFUSED = "control-refused"
    CONTROL_REQUEST_REFUSED = "control-request-refused"
    CONFERENCE_FAILED = "conference-failed"
    ENDPOINT_ADMITTED = "endpoint-admitted"
    ENDPOINT_LEFT = "endpoint-left"
    ENDPOINT_KEYS_REFUSED = "endpoint-keys-refused"
    TUNNEL_OPENED = "tunnel-opened"
    TUNNEL_CLOSED = "tunnel-closed"
    KEY_LOG = "key-log"

    # The identity provider.
    SIGN_IN = "sign-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    REGISTERED = "registered"
    REGISTRATION_REFUSED = "registration-refused"
    PASSWORD_CHANGE_REFUSED = "password-change-refused"  # noqa: S105 - a code
    PASSKEY_REFUSED = "passkey-refused"
