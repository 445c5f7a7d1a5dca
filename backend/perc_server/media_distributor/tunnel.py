"""One Key Distributor's tunnel: TCP, TLS, and the Media Distributor's end of RFC 9185."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from OpenSSL import SSL

from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.end import TunnelFailed
from perc.tunnel.media_distributor_end import MediaDistributorEnd
from perc.tunnel.messages import Message, TunneledDtls, UnsupportedVersion
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.counts import DatagramDrop, MediaDistributorCounts, TunnelEnd
from perc_server.media_distributor.tls_server import TlsFailed, TlsServer
from perc_server.observability.codes import LogCode
from perc_server.observability.identifying import Kind, identifying
from perc_server.observability.logs import Log

PROFILES = tuple(sorted(SRTPProtectionProfile, reverse=True))
"""The double profiles first; AEAD_AES_256_GCM and AEAD_AES_128_GCM are for browsers."""

MAXIMUM_UNSENT = 4 << 20
"""Octets that a Key Distributor may leave unread before its tunnel is closed; DTLS is dropped at a quarter of it."""

log = Log(__name__)


class TunnelUser(Protocol):
    """The conference at the end of a tunnel."""

    def tunnel_opened(self, tunnel: Tunnel) -> None:
        """A tunnel of the conference's Key Distributor is up."""

    def tunnel_received(self, message: Message) -> None:
        """A message of the Key Distributor."""

    def tunnel_closed(self, tunnel: Tunnel, *, in_order: bool) -> None:
        """The tunnel is gone; `in_order` if the Key Distributor said so, and nobody on the way can say it instead."""


class TunnelUsers(Protocol):
    """Everyone who waits for a tunnel."""

    def expecting(self, fingerprint: Fingerprint) -> TunnelUser | None:
        """Whose Key Distributor has a certificate with this fingerprint."""


class Tunnel(asyncio.Protocol):
    """A TCP connection that may become a tunnel, and ends when it does not do so in time.

    Without a `handshake_timeout` it ends at once: there are too many.
    """

    def __init__(
        self,
        context: SSL.Context,
        users: TunnelUsers,
        handshake_timeout: float | None,
        ended: Callable[[Tunnel], None],
        counts: MediaDistributorCounts,
    ) -> None:
        self._tls = TlsServer(context)
        self._end = MediaDistributorEnd(PROFILES)
        self._users = users
        self._user: TunnelUser | None = None
        self._handshake_timeout = handshake_timeout
        self._ended = ended
        self._counts = counts
        self._log = log.of("tunnel")
        self._why: TunnelEnd | None = None
        """Why this side ends the connection, where it does."""
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a tunnel is a stream")
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._deadline = asyncio.get_running_loop().call_later(self._handshake_timeout or 0.0, self._expire)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            plaintext = self._tls.receive_data(data)
            is_established = self._user is not None or self._establish()
        except TlsFailed as error:
            self._log.debug(LogCode.TUNNEL_CLOSED, "TLS failed: %s", identifying(Kind.DETAIL, error))
            self._flush()
            self._disconnect(TunnelEnd.TLS_FAILED)
            return
        if is_established:
            for event in self._end.receive_data(plaintext):
                self._handle(event)
        self._flush()
        if self._tls.is_closed:
            self._disconnect(TunnelEnd.KEY_DISTRIBUTOR)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._disconnect(TunnelEnd.LOST)
        self._ended(self)

    def send(self, message: Message) -> None:
        """Send a message; DTLS is dropped while the Key Distributor is slow to read, as a full link would."""
        unsent = self._transport.get_write_buffer_size() if self._transport else MAXIMUM_UNSENT
        if unsent >= MAXIMUM_UNSENT // 4 and isinstance(message, TunneledDtls):
            self._counts.datagrams_dropped[DatagramDrop.TUNNEL_SLOW] += 1
            return
        self._end.send(message)
        self._flush()
        if unsent >= MAXIMUM_UNSENT:
            self._why = self._why or TunnelEnd.TOO_SLOW
            self.abort()

    def forget(self, origin: str) -> None:
        """Wait no longer for the signed answer with this `o=` line."""
        self._end.forget(origin)

    def abort(self) -> None:
        """Reset the TCP connection; the Key Distributor learns only that it is lost."""
        if self._transport is not None:
            self._transport.abort()

    def close(self, reason: TunnelEnd = TunnelEnd.CLOSED) -> None:
        """End the tunnel in order."""
        self._flush()
        self._tls.close()
        self._flush()
        self._disconnect(reason)

    def _expire(self) -> None:
        self._why = TunnelEnd.TOO_MANY if self._handshake_timeout is None else TunnelEnd.HANDSHAKE_TIMEOUT
        self.abort()

    def _establish(self) -> bool:
        fingerprint = self._tls.client
        if fingerprint is None:
            return False
        # The conference may have ended while the handshake went on.
        self._user = self._users.expecting(fingerprint)
        if self._user is None:
            self._why = TunnelEnd.NOT_EXPECTED
            raise TlsFailed("no conference expects this Key Distributor any more")
        if self._deadline is not None:
            self._deadline.cancel()
        self._counts.tunnels_opened += 1
        self._log.info(LogCode.TUNNEL_OPENED, "a Key Distributor opened its tunnel")
        self._user.tunnel_opened(self)
        return True

    def _handle(self, event: Message | TunnelFailed) -> None:
        if isinstance(event, TunnelFailed | UnsupportedVersion):
            self.close(TunnelEnd.PROTOCOL if isinstance(event, TunnelFailed) else TunnelEnd.VERSION)
        elif self._user is not None:
            self._user.tunnel_received(event)

    def _flush(self) -> None:
        if self._transport is None:
            return
        if self._user is not None:
            self._tls.send(self._end.data_to_send())
        if data := self._tls.data_to_send():
            self._transport.write(data)

    def _disconnect(self, reason: TunnelEnd) -> None:
        user, self._user = self._user, None
        transport, self._transport = self._transport, None
        if self._deadline is not None:
            self._deadline.cancel()
        if transport is not None:
            transport.close()
            self._note_end(self._why or reason)
        if user is not None:
            user.tunnel_closed(self, in_order=reason is TunnelEnd.KEY_DISTRIBUTOR)

    def _note_end(self, reason: TunnelEnd) -> None:
        self._counts.tunnels_ended[reason] += 1
        write = self._log.warning if reason.is_fault else self._log.info
        write(LogCode.TUNNEL_CLOSED, "%s", reason)
