"""What a TLS client is given, and what it tells (RFC 8446)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from perc.crypto.key_log import KeyLog
from perc.crypto.provider import SigningKey
from perc.errors import PeerError
from perc.x509.certificate import Certificate
from perc.x509.path import TrustAnchors


@dataclass(frozen=True, slots=True)
class TlsClientConfig:
    """Whom to connect to and who is connecting.

    `server_name` is a DNS name or an IP address, `certificate` and `signing_key` authenticate the client, `now` is the
    time at which the server's certificates must be valid. `key_log` gets the connection's secrets, for debugging only.
    """

    server_name: str
    trust_anchors: TrustAnchors = field(repr=False)
    certificate: Certificate = field(repr=False)
    signing_key: SigningKey = field(repr=False)
    now: datetime
    key_log: KeyLog | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HandshakeCompleted:
    """The server is who it should be and application data can flow.

    What it thinks of the client's certificate is not known yet: it may still refuse it with an alert.
    """

    server_certificate: Certificate


@dataclass(frozen=True, slots=True)
class ApplicationDataReceived:
    """Octets of the application, in order."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The connection is over, and not as it should be; an alert to the other side is queued if it does not know."""

    error: PeerError


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The other side has closed the connection with close_notify."""


Event = HandshakeCompleted | ApplicationDataReceived | ConnectionFailed | ConnectionClosed
