"""What the runtime asks of its surroundings: `browser.py` has them from a Worker, tests from a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Tunnel(Protocol):
    """A connection to the Media Distributor's tunnel port that carries octets."""

    def send(self, data: bytes) -> None:
        """Sends all of `data`, in order."""
        ...

    def close(self) -> None:
        """Ends the connection; no callback is called any more."""
        ...

    async def closed(self) -> None:
        """After `close`: suspends until the other side has what was sent, or has not said so in good time."""
        ...


@dataclass(frozen=True, slots=True)
class TunnelCallbacks:
    """Called by a `Tunnel`, never from inside a call into it."""

    opened: Callable[[], None]
    received: Callable[[bytes], None]
    lost: Callable[[], None]


class Host(Protocol):
    """The page, the network and time."""

    def post(self, message: Mapping[str, Any]) -> None:
        """Sends a message of plain values to the page."""
        ...

    def open_tunnel(self, url: str, callbacks: TunnelCallbacks) -> Tunnel:
        """Begins to connect; `TunnelUnavailable` for a URL that can lead nowhere."""
        ...

    def set_timer(self, delay: float, fired: Callable[[], None]) -> Callable[[], None]:
        """Calls `fired` once after `delay` seconds; the result cancels it."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def utc_now(self) -> datetime:
        """The time of day, for certificates."""
        ...

    async def sleep(self) -> None:
        """Suspends the one who calls it until `wake`; returns at once if that was called since the last sleep."""
        ...

    def wake(self) -> None:
        """Ends the sleep."""
        ...
