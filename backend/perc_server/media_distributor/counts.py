"""What the Media Distributor counts, by reasons from closed sets, and the metrics that show it.

The packet path pays one increment of an integer for a packet, and one of a `Counter` for one that it drops.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from perc_server.media_distributor.refusal import Code
from perc_server.observability.metrics import Metrics


class DatagramDrop(StrEnum):
    """Why a datagram got no further than a conference's port or the tunnel."""

    NO_PROTOCOL = "no-protocol"
    UNKNOWN_ADDRESS = "unknown-address"
    OVER_RATE = "over-rate"
    OVER_RATE_DTLS = "over-rate-dtls"
    TUNNEL_DOWN = "tunnel-down"
    """DTLS for the Key Distributor, older than what is kept for the next tunnel."""
    TUNNEL_SLOW = "tunnel-slow"
    NO_PATH = "no-path"
    """For an endpoint whose address is not known."""
    NOT_SENT = "not-sent"
    """The system did not take it: no buffer, no route."""


class CheckRefusal(StrEnum):
    """Why an ICE check proved nothing."""

    MALFORMED = "malformed"
    UNKNOWN_UFRAG = "unknown-ufrag"
    OTHER_ENDPOINTS_ADDRESS = "other-endpoints-address"
    NO_INTEGRITY = "no-integrity"
    NOT_AUTHENTIC = "not-authentic"
    REPLAYED = "replayed"
    ROLE_CONFLICT = "role-conflict"
    OLD_CREDENTIALS = "old-credentials"


class PacketDrop(StrEnum):
    """Why a packet of SRTP or SRTCP was not used, or not forwarded to one receiver."""

    UNKNOWN_SOURCE = "unknown-source"
    NOT_AUTHENTIC = "not-authentic"
    """Or a replay, or older than the replay window: libsrtp does not tell them apart by a code."""
    MALFORMED = "malformed"
    PADDING = "padding"
    PAYLOAD_TYPE = "payload-type"
    TOO_LATE = "too-late"
    NO_EKT_FIELD = "no-ekt-field"
    """The payload lacks the OHB or EKTField that the receiver's hop needs."""
    NOT_PROTECTED = "not-protected"
    TOO_MANY_SOURCES = "too-many-sources"
    """One source is not forwarded on a hop that has carried its maximum of SSRCs."""
    RTCP_NO_HOP = "rtcp-no-hop"
    RTCP_TOO_MANY_SENDERS = "rtcp-too-many-senders"
    RTCP_NOT_AUTHENTIC = "rtcp-not-authentic"
    RTCP_MALFORMED = "rtcp-malformed"


class TunnelEnd(StrEnum):
    """Why a connection to the tunnel port ended."""

    KEY_DISTRIBUTOR = "key-distributor"
    CONFERENCE_ENDED = "conference-ended"
    REPLACED = "replaced"
    LOST = "lost"
    CLOSED = "closed"
    TLS_FAILED = "tls-failed"
    HANDSHAKE_TIMEOUT = "handshake-timeout"
    NOT_EXPECTED = "not-expected"
    TOO_MANY = "too-many"
    TOO_SLOW = "too-slow"
    VERSION = "unsupported-version"
    PROTOCOL = "protocol-error"

    @property
    def is_fault(self) -> bool:
        """Whether a Key Distributor that was let in broke the protocol."""
        return self in (TunnelEnd.TOO_SLOW, TunnelEnd.VERSION, TunnelEnd.PROTOCOL)


class ControlEnd(StrEnum):
    """Why a connection to the control port ended."""

    CLOSED = "closed"
    FAILED = "failed"
    REPLACED = "replaced"
    TOO_SLOW = "too-slow"
    CERTIFICATE = "certificate"


class ConferenceEnd(StrEnum):
    """Why a conference ended."""

    REQUESTED = "requested"
    KEY_DISTRIBUTOR_GONE = "key-distributor-gone"
    CONTROL_LOST = "control-lost"
    ERROR = "error"


class EndpointEnd(StrEnum):
    """Why an endpoint is gone."""

    LEFT = "left"
    KEY_DISTRIBUTOR = "key-distributor"
    CONSENT_EXPIRED = "consent-expired"
    NEVER_CONNECTED = "never-connected"
    BAD_KEYS = "bad-keys"
    CONFERENCE_ENDED = "conference-ended"


@dataclass(slots=True)
class MediaDistributorCounts:
    """Since the start of one Media Distributor, over all its conferences."""

    datagrams_received: int = 0
    datagrams_dropped: Counter[DatagramDrop] = field(default_factory=Counter)
    checks_passed: int = 0
    checks_refused: Counter[CheckRefusal] = field(default_factory=Counter)
    packets_forwarded: int = 0
    """Each copy to each receiver."""
    packets_dropped: Counter[PacketDrop] = field(default_factory=Counter)
    tunnels_opened: int = 0
    tunnels_ended: Counter[TunnelEnd] = field(default_factory=Counter)
    associations_unknown: int = 0
    keys_refused: int = 0
    control_connected: int = 0
    control_ended: Counter[ControlEnd] = field(default_factory=Counter)
    requests_refused: Counter[Code] = field(default_factory=Counter)
    offers_answered: int = 0
    offers_refused: Counter[Code] = field(default_factory=Counter)
    conferences_started: int = 0
    conferences_ended: Counter[ConferenceEnd] = field(default_factory=Counter)
    endpoints_admitted: int = 0
    endpoints_ended: Counter[EndpointEnd] = field(default_factory=Counter)

    def show(self, metrics: Metrics) -> None:
        """Add the metric families."""
        self._show_media(metrics)
        self._show_tunnels(metrics)
        self._show_control(metrics)
        self._show_conferences(metrics)

    def _show_media(self, metrics: Metrics) -> None:
        metrics.total(
            "perc_md_datagrams_received_total", "Datagrams on conferences' ports.", lambda: self.datagrams_received
        )
        metrics.totals(
            "perc_md_datagrams_dropped_total",
            "Datagrams dropped before or behind the packet path.",
            "reason",
            self.datagrams_dropped,
            DatagramDrop,
        )
        metrics.total("perc_md_ice_checks_passed_total", "ICE checks answered.", lambda: self.checks_passed)
        metrics.totals(
            "perc_md_ice_checks_refused_total", "ICE checks refused.", "reason", self.checks_refused, CheckRefusal
        )
        metrics.total(
            "perc_md_packets_forwarded_total", "SRTP packets sent, per receiver.", lambda: self.packets_forwarded
        )
        metrics.totals(
            "perc_md_packets_dropped_total",
            "SRTP and SRTCP packets dropped, per receiver where only one lacks it.",
            "reason",
            self.packets_dropped,
            PacketDrop,
        )

    def _show_tunnels(self, metrics: Metrics) -> None:
        metrics.total("perc_md_tunnels_opened_total", "Tunnels opened.", lambda: self.tunnels_opened)
        metrics.totals(
            "perc_md_tunnels_ended_total",
            "Connections to the tunnel port ended, also those that became no tunnel.",
            "reason",
            self.tunnels_ended,
            TunnelEnd,
        )
        metrics.total(
            "perc_md_associations_unknown_total",
            "Tunnel messages for an association that is not, or no longer, known.",
            lambda: self.associations_unknown,
        )
        metrics.total(
            "perc_md_media_keys_refused_total", "media_keys that were unusable or repeated.", lambda: self.keys_refused
        )

    def _show_control(self, metrics: Metrics) -> None:
        metrics.total(
            "perc_md_control_connections_total", "Control connections accepted.", lambda: self.control_connected
        )
        metrics.totals(
            "perc_md_control_connections_ended_total",
            "Control connections ended or refused.",
            "reason",
            self.control_ended,
            ControlEnd,
        )
        metrics.totals(
            "perc_md_requests_refused_total", "Control requests refused.", "code", self.requests_refused, Code
        )
        metrics.total("perc_md_offers_answered_total", "Offers answered.", lambda: self.offers_answered)
        metrics.totals("perc_md_offers_refused_total", "Offers refused.", "code", self.offers_refused, Code)

    def _show_conferences(self, metrics: Metrics) -> None:
        metrics.total("perc_md_conferences_started_total", "Conferences started.", lambda: self.conferences_started)
        metrics.totals(
            "perc_md_conferences_ended_total", "Conferences ended.", "reason", self.conferences_ended, ConferenceEnd
        )
        metrics.total("perc_md_endpoints_admitted_total", "Endpoints admitted.", lambda: self.endpoints_admitted)
        metrics.totals("perc_md_endpoints_ended_total", "Endpoints gone.", "reason", self.endpoints_ended, EndpointEnd)
