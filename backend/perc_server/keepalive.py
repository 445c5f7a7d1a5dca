"""TCP connections that may be quiet for long: either end finds out when the other, or the network between, is gone."""

from __future__ import annotations

import asyncio
import socket

IDLE = 30
"""Seconds of silence before the other end is asked whether it is there."""

INTERVAL = 10
"""Seconds between questions."""

PROBES = 3
"""Questions without an answer, after which the connection is lost."""

LOST = IDLE + INTERVAL * PROBES
"""Seconds: a network that is mended sooner costs no connection, and what depends on one does not wait for long."""

# Not every system has all of them; without, its own times hold.
_OPTIONS = {
    "TCP_KEEPIDLE": IDLE,
    "TCP_KEEPINTVL": INTERVAL,
    "TCP_KEEPCNT": PROBES,
    # While something that was sent is not acknowledged nobody asks; it would be sent again for a quarter of an hour.
    "TCP_USER_TIMEOUT": LOST * 1000,
}


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Loses the connection when the other end has not been heard of for `LOST` seconds."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS.items():
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
