"""The tunnels' TLS secrets in the NSS key log format, as SSLKEYLOGFILE has it, for Wireshark.

Whoever has the file and a capture of a tunnel can read hop-by-hop keys, offers and answers, but no end-to-end key: none
passes through the tunnel in the clear.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from OpenSSL import SSL


class KeyLog:
    """A file that only its owner can read, and that secrets are appended to."""

    def __init__(self, path: Path) -> None:
        # Not through a symbolic link, which somebody else may have put there.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise OSError(f"the key log {path} is not a regular file")
        os.fchmod(self._file, 0o600)

    def write(self, _connection: SSL.Connection, line: bytes) -> None:
        """Append one secret (see `SSL.Context.set_keylog_callback`)."""
        if self._file >= 0:
            os.write(self._file, line + b"\n")

    def close(self) -> None:
        """Close the file; what comes later is not written."""
        os.close(self._file)
        self._file = -1
