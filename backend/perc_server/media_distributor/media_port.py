"""A conference's UDP port. The port alone says which conference, and so which Key Distributor, a datagram is for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from perc_server.media_distributor.counts import DatagramDrop, MediaDistributorCounts
from perc_server.media_distributor.demultiplex import MAXIMUM_DATAGRAM
from perc_server.media_distributor.ice import Address
from perc_server.media_distributor.refusal import Code, Refusal
from perc_server.media_distributor.seams import Tamper

_BATCH = 64
"""Datagrams that are read before other conferences get their turn."""

_BUFFER = 1 << 20
"""Octets that the system may hold for us, each way: a tenth of a second of ten video streams and more."""


class MediaPort:
    """A UDP socket that never waits: what cannot be sent at once is dropped, as on any full link."""

    def __init__(
        self,
        host: str,
        ports: tuple[int, int] | None,
        receive: Callable[[bytes, Address], None],
        tamper: Tamper | None = None,
        counts: MediaDistributorCounts | None = None,
    ) -> None:
        self._receive = receive
        self._tamper = tamper
        self._counts = counts or MediaDistributorCounts()
        self._socket = _bind(host, ports)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def address(self) -> Address:
        """Host and port."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, datagram: bytes, address: Address) -> None:
        """Send now, or drop."""
        if self._is_blocked(address):
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            # No buffer left, no route, an ICMP error of an earlier datagram: all are loss to those above.
            self._counts.datagrams_dropped[DatagramDrop.NOT_SENT] += 1

    def close(self) -> None:
        """Free the port."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_BATCH):
            if self._socket.fileno() < 0:  # closed while a datagram was handled
                return
            try:
                # One octet more, so that what is too large is seen to be.
                datagram, address = self._socket.recvfrom(MAXIMUM_DATAGRAM + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier datagram
            source = (address[0], address[1])
            if not self._is_blocked(source):
                self._receive(datagram, source)

    def _is_blocked(self, address: Address) -> bool:
        return self._tamper is not None and self._tamper.is_blocked(address)


def _bind(host: str, ports: tuple[int, int] | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(ports[0], ports[1] + 1) if ports else (0,):
        candidate = socket.socket(family, socket.SOCK_DGRAM)
        candidate.setblocking(False)
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        try:
            candidate.bind((host, port))
        except OSError:
            candidate.close()
        else:
            return candidate
    raise Refusal(Code.FULL, "no UDP port is left")
