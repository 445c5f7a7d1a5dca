"""SDP of a peer, as small as it can be."""

from __future__ import annotations

from perc.x509.fingerprint import Fingerprint

MINE = Fingerprint("sha-256", bytes(range(32)))
OTHER = Fingerprint("sha-256", bytes(32))


def session(*lines: str, fingerprint: Fingerprint = MINE) -> str:
    """The session level."""
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=fingerprint:{fingerprint}", *lines]
    return "".join(line + "\r\n" for line in head)


def media(*lines: str, setup: str | None = "passive", port: int = 9) -> str:
    """One m-line and its attributes."""
    head = [f"m=audio {port} UDP/TLS/RTP/SAVPF 111", *([f"a=setup:{setup}"] if setup else []), *lines]
    return "".join(line + "\r\n" for line in head)
