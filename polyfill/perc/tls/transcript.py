"""The transcript hash (RFC 8446, Section 4.4.1)."""

from __future__ import annotations

import hashlib

from perc.tls.handshake import HandshakeType, write_handshake


class Transcript:
    """SHA-256 over the handshake messages so far, headers included."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, message: bytes) -> None:
        """The next message, as sent or received."""
        self._hash.update(message)

    def digest(self) -> bytes:
        """Transcript-Hash of all messages so far."""
        return self._hash.digest()

    def restart_for_retry(self) -> None:
        """Put a synthetic message_hash in the place of the first ClientHello, when a HelloRetryRequest answers it."""
        message_hash = write_handshake(HandshakeType.MESSAGE_HASH, self.digest())
        self._hash = hashlib.sha256(message_hash)
