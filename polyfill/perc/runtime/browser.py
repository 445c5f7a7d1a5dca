"""The runtime's host in a browser's dedicated Worker; with `crypto/webcrypto.py` the only door to JavaScript.

`worker.js` loads this module once the interpreter runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, create_proxy, to_js

from perc.crypto.webcrypto import WebCryptoProvider
from perc.key_distributor.distributor import KeyDistributor
from perc.runtime.clock import SleepCountingClock
from perc.runtime.debugging import debugging
from perc.runtime.errors import TunnelUnavailable
from perc.runtime.host import TunnelCallbacks
from perc.runtime.service import KeyDistributorService

# The bridge takes frames of at most 128 KiB; half of that is plenty and keeps its buffers small.
MAX_FRAME = 1 << 16

CLOSE_TIMEOUT = 2.0
"""Seconds for a bridge to answer a Close frame; one that does not has had the data for as long."""

_MILLISECONDS = 1000


class WebSocketTunnel:
    """A `Tunnel` through the bridge."""

    def __init__(self, url: str, callbacks: TunnelCallbacks) -> None:
        try:
            self._socket = js.WebSocket.new(url)
        except JsException as error:  # of another scheme, or mixed content
            raise TunnelUnavailable(f"the bridge cannot be used: {error.message}") from error
        self._socket.binaryType = "arraybuffer"
        self._proxies = {
            "open": create_proxy(lambda _event: callbacks.opened()),
            "message": create_proxy(lambda event: callbacks.received(bytes(event.data.to_bytes()))),
            "close": create_proxy(lambda _event: self._lost(callbacks)),
        }
        for name, proxy in self._proxies.items():
            self._socket.addEventListener(name, proxy)

    def send(self, data: bytes) -> None:
        """In frames that the bridge accepts."""
        for start in range(0, len(data), MAX_FRAME):
            self._socket.send(to_js(data[start : start + MAX_FRAME]))

    def close(self) -> None:
        """Begins the closing handshake."""
        self._forget()
        self._socket.close()

    async def closed(self) -> None:
        """A Close frame comes back behind everything that was sent (RFC 6455, Section 5.5.1)."""
        if self._socket.readyState == js.WebSocket.CLOSED:
            return
        answer = js.Promise.withResolvers()
        self._socket.addEventListener("close", answer.resolve)
        timer = js.setTimeout(answer.resolve, int(CLOSE_TIMEOUT * _MILLISECONDS))
        await answer.promise
        js.clearTimeout(timer)

    def _lost(self, callbacks: TunnelCallbacks) -> None:
        self._forget()
        callbacks.lost()

    def _forget(self) -> None:
        for name, proxy in self._proxies.items():
            self._socket.removeEventListener(name, proxy)
            proxy.destroy()
        self._proxies = {}


class WorkerHost:
    """A `Host` made of the Worker's global scope."""

    def __init__(self) -> None:
        self._bell = js.Promise.withResolvers()
        self._clock = SleepCountingClock(
            lambda: js.performance.now() / _MILLISECONDS, lambda: js.Date.now() / _MILLISECONDS
        )

    def post(self, message: Mapping[str, Any]) -> None:
        """By structured clone."""
        js.postMessage(to_js(message, dict_converter=js.Object.fromEntries))

    def open_tunnel(self, url: str, callbacks: TunnelCallbacks) -> WebSocketTunnel:
        """A browser has no TCP: the bridge of call processing copies octets."""
        return WebSocketTunnel(url, callbacks)

    def set_timer(self, delay: float, fired: Callable[[], None]) -> Callable[[], None]:
        """Never earlier than asked: setTimeout drops fractions of a millisecond."""
        pending = True

        def fire() -> None:
            nonlocal pending
            pending = False
            fired()

        callback = create_once_callable(fire)
        timer = js.setTimeout(callback, int(delay * _MILLISECONDS) + 1)

        def cancel() -> None:
            if pending:  # one that has fired is gone by itself
                js.clearTimeout(timer)
                callback.destroy()

        return cancel

    def monotonic(self) -> float:
        """The Worker's own clock, and what the computer slept."""
        return self._clock.read()

    def utc_now(self) -> datetime:
        """The user's clock."""
        return datetime.now(UTC)

    async def sleep(self) -> None:
        """A promise, since that is all that Pyodide's event loop needs."""
        await self._bell.promise
        self._bell = js.Promise.withResolvers()

    def wake(self) -> None:
        """Resolving a second time does nothing."""
        self._bell.resolve()


def create_service(debug: Collection[str] = ()) -> KeyDistributorService:
    """What worker.js drives: it calls `receive` for each message of the page, and awaits `run` once.

    `debug` names the records that are written for debugging (`debugging.py`).
    """
    host = WorkerHost()
    trace, key_log = debugging(debug, host)
    create = partial(KeyDistributor.create, WebCryptoProvider(), trace=trace, key_log=key_log)
    return KeyDistributorService(create, host)
