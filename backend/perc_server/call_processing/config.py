"""What call processing is told at its start; it finds out nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perc_server.observability.listener import MetricsAddress


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """Where the Media Distributor's control port is, and the certificates that are pinned on it."""

    host: str
    port: int
    certificate: Path
    """Call processing's own certificate and key, PEM."""
    media_distributor_certificate: Path
    """The one certificate that the control port may present, PEM."""


@dataclass(frozen=True, slots=True)
class CallProcessingConfig:
    """One call processing server."""

    host: str
    port: int
    origin: str
    """The one web origin that it serves; requests that name another are refused."""
    control: ControlConfig
    tunnel_address: str
    """The address that the bridge dials; the port is the one the Media Distributor acknowledged."""
    identity_providers: tuple[str, ...]
    """Hosts (with port, if not 443) that the page offers for signing in."""
    assets: Path
    """The directory that `browser/build` made."""
    trust_anchors: Path | None = None
    """Trust anchors of this deployment, PEM, in addition to Mozilla's."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies, which say in X-Forwarded-For for whom they ask; without it, all who come through
    one would share its limits."""
    metrics: MetricsAddress | None = None
    """Where its metrics are shown; nowhere without it."""
