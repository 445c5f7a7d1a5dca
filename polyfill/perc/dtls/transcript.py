"""The handshake messages so far, as signatures and hashes cover them (RFC 6347, Section 4.2.6).

"In order to remove sensitivity to fragmentation, the Finished MAC MUST be computed as if each handshake message had
been sent as a single fragment", its DTLS header included.
"""

from __future__ import annotations

from perc.dtls.cipher_suites import Digest
from perc.dtls.fragments import HandshakeMessage, HandshakeType, write_message

MAX_MESSAGE_SEQ = 0xFFFF


class Transcript:
    """Collects messages of both sides, and numbers those of this side."""

    def __init__(self, first_message_seq: int = 0) -> None:
        self._messages = bytearray()
        self._next_message_seq = first_message_seq

    def number(self, msg_type: HandshakeType, body: bytes) -> HandshakeMessage:
        """The next message of this side, outside the transcript."""
        message = HandshakeMessage(msg_type, self._next_message_seq, body)
        self._next_message_seq += 1
        return message

    @property
    def is_exhausted(self) -> bool:
        """Whether there is no number for another message of this side."""
        return self._next_message_seq > MAX_MESSAGE_SEQ

    def send(self, msg_type: HandshakeType, body: bytes) -> HandshakeMessage:
        """The next message of this side, added to the transcript."""
        message = self.number(msg_type, body)
        self.add(message)
        return message

    def add(self, message: HandshakeMessage) -> None:
        """A message enters the transcript."""
        self._messages += write_message(message)

    def restart(self) -> None:
        """Forget the messages, but not the numbers."""
        self._messages.clear()

    @property
    def content(self) -> bytes:
        """All messages: what CertificateVerify signs."""
        return bytes(self._messages)

    def hash(self, digest: Digest) -> bytes:
        """The hash of all messages."""
        return digest(self._messages).digest()
