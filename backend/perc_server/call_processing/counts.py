"""What call processing counts, by reasons from closed sets, and the metrics that show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from perc_server.observability.metrics import Metrics
from perc_server.request_log import RequestCounts


class LimitKind(StrEnum):
    """What one address had too many of."""

    STARTS = "starts"
    OFFERS = "offers"
    PENDING_OFFERS = "pending-offers"
    STREAMS = "event-streams"


class ConferenceEnd(StrEnum):
    """Why a conference ended."""

    OWNER = "owner"
    RESTARTED = "restarted"
    START_FAILED = "start-failed"
    MEDIA_DISTRIBUTOR = "media-distributor"
    CONTROL_LOST = "control-lost"


class ControlLoss(StrEnum):
    """Why there is no control connection any more, or not yet."""

    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    FAILED = "failed"
    SILENT = "silent"
    MALFORMED = "malformed"


class ControlOutcome(StrEnum):
    """What became of a request to the Media Distributor."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"


class BridgeRefusal(StrEnum):
    """Why a page got no tunnel."""

    FOREIGN_ORIGIN = "foreign-origin"
    NO_SUCH_TUNNEL = "no-such-tunnel"
    TOO_MANY = "too-many"
    UNREACHABLE = "unreachable"


class BridgeEnd(StrEnum):
    """Why a tunnel through the bridge ended."""

    PAGE = "page"
    MEDIA_DISTRIBUTOR = "media-distributor"
    IDLE = "idle"
    TOO_LARGE = "too-large"
    TOO_MUCH = "too-much"


class StreamEnd(StrEnum):
    """Why an event stream ended."""

    PAGE = "page"
    CUT_OFF = "cut-off"


@dataclass(slots=True)
class CallProcessingCounts:
    """Since the start of one server."""

    requests: RequestCounts = field(default_factory=RequestCounts)
    limits: Counter[LimitKind] = field(default_factory=Counter)
    conferences_started: int = 0
    conferences_ended: Counter[ConferenceEnd] = field(default_factory=Counter)
    offers_answered: int = 0
    control_up: int = 0
    control_lost: Counter[ControlLoss] = field(default_factory=Counter)
    control_requests: Counter[ControlOutcome] = field(default_factory=Counter)
    bridges: int = 0
    """Open now."""
    bridges_refused: Counter[BridgeRefusal] = field(default_factory=Counter)
    bridges_ended: Counter[BridgeEnd] = field(default_factory=Counter)
    bridged_octets: int = 0
    streams: int = 0
    """Open now."""
    streams_ended: Counter[StreamEnd] = field(default_factory=Counter)

    def show(self, metrics: Metrics) -> None:
        """Add the metric families."""
        self.requests.show(metrics, "perc_cp")
        metrics.totals(
            "perc_cp_limits_reached_total", "Requests over a limit of their address.", "limit", self.limits, LimitKind
        )
        metrics.total("perc_cp_conferences_started_total", "Conferences started.", lambda: self.conferences_started)
        metrics.totals(
            "perc_cp_conferences_ended_total", "Conferences ended.", "reason", self.conferences_ended, ConferenceEnd
        )
        metrics.total("perc_cp_offers_answered_total", "Offers answered.", lambda: self.offers_answered)
        self._show_control(metrics)
        self._show_connections(metrics)

    def _show_control(self, metrics: Metrics) -> None:
        metrics.gauge("perc_cp_control_up", "Whether the control connection is up.", lambda: self.control_up)
        metrics.totals(
            "perc_cp_control_lost_total",
            "Control connections lost, or not made.",
            "reason",
            self.control_lost,
            ControlLoss,
        )
        metrics.totals(
            "perc_cp_control_requests_total",
            "Requests to the Media Distributor.",
            "outcome",
            self.control_requests,
            ControlOutcome,
        )

    def _show_connections(self, metrics: Metrics) -> None:
        metrics.gauge("perc_cp_bridges", "Tunnels that the bridge carries.", lambda: self.bridges)
        metrics.totals(
            "perc_cp_bridges_refused_total", "Tunnels refused.", "reason", self.bridges_refused, BridgeRefusal
        )
        metrics.totals("perc_cp_bridges_ended_total", "Tunnels ended.", "reason", self.bridges_ended, BridgeEnd)
        metrics.total("perc_cp_bridged_octets_total", "Octets in both directions.", lambda: self.bridged_octets)
        metrics.gauge("perc_cp_event_streams", "Event streams open.", lambda: self.streams)
        metrics.totals(
            "perc_cp_event_streams_ended_total", "Event streams ended.", "reason", self.streams_ended, StreamEnd
        )
