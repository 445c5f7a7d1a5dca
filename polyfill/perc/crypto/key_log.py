"""Lines of a key log in the SSLKEYLOGFILE format (RFC 9850), with which Wireshark decrypts a recorded connection.

A key log defeats the protection of every connection in it ("intended for use in systems where TLS only protects test
data"), so that there is none unless the caller of a machine passes one. The caller does the I/O:

    with open("perc-keys.log", "a") as file:
        kd = await KeyDistributor.create(provider, now, key_log=lambda line: print(line, file=file, flush=True))
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

KeyLog = Callable[[str], None]
"""Takes one line, without a line break."""


class KeyLogLabel(Enum):
    """The secrets that are logged: one of TLS 1.2 and DTLS 1.2, four of TLS 1.3 (RFC 9850, Section 2)."""

    CLIENT_RANDOM = auto()
    CLIENT_HANDSHAKE_TRAFFIC_SECRET = auto()
    SERVER_HANDSHAKE_TRAFFIC_SECRET = auto()
    CLIENT_TRAFFIC_SECRET_0 = auto()
    SERVER_TRAFFIC_SECRET_0 = auto()


def log_secret(key_log: KeyLog | None, label: KeyLogLabel, client_random: bytes, secret: bytes) -> None:
    """Log one secret of the connection that begins with `client_random`; do nothing without a key log."""
    if key_log is not None:
        key_log(f"{label.name} {client_random.hex()} {secret.hex()}")
