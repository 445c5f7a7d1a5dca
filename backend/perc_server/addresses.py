"""Where a request comes from, as a key to count by; shared by both HTTP servers."""

from __future__ import annotations

import ipaddress
from contextlib import suppress

from starlette.requests import HTTPConnection


def network(connection: HTTPConnection) -> str:
    """The address of a request, or the /64 around an IPv6 address, which one host has for itself."""
    host = connection.client.host if connection.client else ""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address):
            # A proxy that listens on both may write an IPv4 address so; those are not all of one host.
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
    return host
