"""What a Media Distributor is told at its start; it finds out nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perc_server.observability.listener import MetricsAddress


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the Media Distributor waits for others, in seconds."""

    consent: float = 30.0
    """Without an ICE check an endpoint has left: "Consent expires after 30 seconds" (RFC 7675, Section 5.1)."""
    connect: float = 60.0
    """From an answer to the endpoint's first ICE check; a page may ask its user something first."""
    signature: float = 15.0
    """For a signed answer: the Key Distributor gives each of two identity providers 5 s; call processing waits 20 s."""
    tunnel: float = 60.0
    """From start-conference to the Key Distributor's tunnel."""
    tunnel_lost: float = 300.0
    """A conference outlives its tunnel for one default ekt_ttl: then endpoints have stopped sending anyway."""
    handshake: float = 10.0
    """For a TLS handshake, on the tunnel's port and on the control port."""


@dataclass(frozen=True, slots=True)
class MediaDistributorConfig:
    """One Media Distributor. Port 0 lets the system choose one."""

    tunnel_name: str
    """The host name that Key Distributors are told; the tunnel's certificate must carry it."""
    tunnel_certificate: Path
    """Certificate chain and key of the tunnel's TLS server, PEM."""
    control_certificate: Path
    """Certificate and key of the control port, PEM."""
    control_peer_certificate: Path
    """The one certificate that call processing may present, PEM."""
    control_host: str = "127.0.0.1"
    control_port: int = 0
    tunnel_host: str = "127.0.0.1"
    tunnel_port: int = 0
    media_host: str = "127.0.0.1"
    """The address that media is received on and that ICE candidates name."""
    media_ports: tuple[int, int] | None = None
    """First and last UDP port for conferences; None lets the system choose."""
    maximum_bitrate: int = 2_500_000
    """Bits per second that a sender of video is allowed at most; enough for 720p."""
    timeouts: Timeouts = Timeouts()
    metrics: MetricsAddress | None = None
    """Where its metrics are shown; nowhere without it."""
    key_log: Path | None = None
    """Where the tunnels' TLS secrets are written, for debugging; nowhere without it."""
