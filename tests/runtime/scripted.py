"""A host without a browser and a distributor without cryptography: what the service does with them is written down."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from perc.errors import NotPresent
from perc.key_distributor.events import Event
from perc.runtime.host import TunnelCallbacks
from perc.x509.fingerprint import Fingerprint

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedTunnel:
    """Remembers what was sent; the test calls the callbacks."""

    def __init__(self, url: str, callbacks: TunnelCallbacks) -> None:
        self.url = url
        self.callbacks = callbacks
        self.sent: list[bytes] = []
        self.is_closed = False
        self.holds_data = False

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    async def closed(self) -> None:
        assert self.is_closed
        while self.holds_data:
            await _Sleep()


class _Sleep:
    def __await__(self) -> Generator[None]:
        yield


class ScriptedHost:
    """Time stands still until the test changes `clock`."""

    def __init__(self) -> None:
        self.posted: list[Mapping[str, Any]] = []
        self.tunnels: list[ScriptedTunnel] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.clock = 100.0

    def post(self, message: Mapping[str, Any]) -> None:
        self.posted.append(message)

    def open_tunnel(self, url: str, callbacks: TunnelCallbacks) -> ScriptedTunnel:
        self.tunnels.append(ScriptedTunnel(url, callbacks))
        return self.tunnels[-1]

    def set_timer(self, delay: float, fired: Callable[[], None]) -> Callable[[], None]:
        def fire() -> None:
            self.timers.remove(timer)
            fired()

        timer = (delay, fire)
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def monotonic(self) -> float:
        return self.clock

    def utc_now(self) -> datetime:
        return NOW

    async def sleep(self) -> None:
        await _Sleep()

    def wake(self) -> None:
        """The test resumes the service itself."""


@dataclass
class ScriptedDistributor:
    """Returns the events that the test has put in; keeps the calls that were made."""

    fingerprint: Fingerprint = Fingerprint("sha-256", bytes(range(32)))  # noqa: RUF009 - frozen
    certificate: Any = field(default_factory=lambda: SimpleNamespace(not_after=NOW))
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    happening: list[Event] = field(default_factory=list)
    outgoing: bytes = b""
    timeout: float | None = None

    async def open(self, *arguments: Any) -> list[Event]:
        return self._called("open", *arguments)

    async def receive_data(self, *arguments: Any) -> list[Event]:
        return self._called("receive_data", *arguments)

    async def handle_timeout(self, now: float) -> list[Event]:
        self.timeout = None
        return self._called("handle_timeout", now)

    async def validated(self, *arguments: Any) -> list[Event]:
        return self._called("validated", *arguments)

    async def asserted(self, *arguments: Any) -> list[Event]:
        return self._called("asserted", *arguments)

    async def set_admission_policy(self, *arguments: Any) -> list[Event]:
        return self._called("set_admission_policy", *arguments)

    async def admit(self, *arguments: Any) -> list[Event]:
        return self._called("admit", *arguments)

    async def deny(self, *arguments: Any) -> list[Event]:
        return self._called("deny", *arguments)

    async def remove(self, *arguments: Any) -> list[Event]:
        raise NotPresent("gone")

    async def close(self) -> list[Event]:
        self.outgoing = b"close_notify"
        return self._called("close")

    async def connection_lost(self, now: float) -> list[Event]:
        return self._called("connection_lost", now)

    def next_timeout(self) -> float | None:
        return self.timeout

    def data_to_send(self) -> bytes:
        data, self.outgoing = self.outgoing, b""
        return data

    def _called(self, *call: Any) -> list[Event]:
        self.calls.append(call)
        happened, self.happening = self.happening, []
        return happened
