"""The tunnel's port: every connection is a stranger until it has shown an announced certificate."""

from __future__ import annotations

import asyncio

from perc_server.media_distributor.config import MediaDistributorConfig
from perc_server.media_distributor.counts import MediaDistributorCounts
from perc_server.media_distributor.key_log import KeyLog
from perc_server.media_distributor.seams import Tamper
from perc_server.media_distributor.tls_server import server_context
from perc_server.media_distributor.tunnel import Tunnel, TunnelUsers
from perc_server.observability.codes import LogCode
from perc_server.observability.logs import Log

MAXIMUM_CONNECTIONS = 512
"""Connections at once: one for each conference, and as many that are still shaking hands."""


class TunnelListener:
    """Between `open` and `close`."""

    def __init__(
        self,
        config: MediaDistributorConfig,
        users: TunnelUsers,
        tamper: Tamper | None = None,
        counts: MediaDistributorCounts | None = None,
    ) -> None:
        self._config = config
        self._tamper = tamper
        self._users = users
        self._counts = counts or MediaDistributorCounts()
        self._key_log = None if config.key_log is None else KeyLog(config.key_log)
        self._context = server_context(
            config.tunnel_certificate, lambda client: users.expecting(client) is not None, self._key_log
        )
        self._tunnels: set[Tunnel] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; the port."""
        if self._key_log is not None:
            Log(__name__).warning(
                LogCode.KEY_LOG,
                "the secrets of all tunnels are written to a file (--key-log): whoever reads it and the network "
                "has the hop-by-hop keys, offers and answers of every conference",
            )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, self._config.tunnel_host, self._config.tunnel_port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Listen no more; all tunnels end."""
        if self._server is not None:
            self._server.close()
        for tunnel in tuple(self._tunnels):
            tunnel.close()
        if self._key_log is not None:
            self._key_log.close()

    def _accept(self) -> Tunnel:
        is_full = len(self._tunnels) >= MAXIMUM_CONNECTIONS
        context = self._context if self._tamper is None else self._tamper.tunnel_context(self._context)
        timeout = None if is_full else self._config.timeouts.handshake
        tunnel = Tunnel(context, self._users, timeout, self._tunnels.discard, self._counts)
        self._tunnels.add(tunnel)
        return tunnel
