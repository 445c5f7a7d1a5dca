"""The key schedule of TLS 1.3 (RFC 8446, Section 7) with SHA-256.

The label prefix is an argument, since DTLS 1.3 has the same schedule with another one (RFC 9147, Section 5.9).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from perc.wire import Writer

HASH_LENGTH = 32
KEY_LENGTH = 16
IV_LENGTH = 12
TLS13_PREFIX = b"tls13 "

_ZEROS = bytes(HASH_LENGTH)
_HASH_OF_NOTHING = hashlib.sha256().digest()


@dataclass(frozen=True, slots=True)
class TrafficKeys:
    """Key and IV of one direction for AES-128-GCM (Section 7.3)."""

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


def hkdf_extract(salt: bytes, input_keying_material: bytes) -> bytes:
    """HKDF-Extract with SHA-256 (RFC 5869, Section 2.2)."""
    return hmac.digest(salt, input_keying_material, "sha256")


def hkdf_expand_label(secret: bytes, label: bytes, context: bytes, length: int, prefix: bytes = TLS13_PREFIX) -> bytes:
    """HKDF-Expand-Label (Section 7.1): `length` octets."""
    info = Writer().uint16(length).opaque(prefix + label, 1).opaque(context, 1).finish()
    output = block = b""
    while len(output) < length:
        block = hmac.digest(secret, block + info + bytes([len(output) // HASH_LENGTH + 1]), "sha256")
        output += block
    return output[:length]


def traffic_keys(traffic_secret: bytes, prefix: bytes = TLS13_PREFIX) -> TrafficKeys:
    """The keys that protect records under a traffic secret."""
    key = hkdf_expand_label(traffic_secret, b"key", b"", KEY_LENGTH, prefix)
    return TrafficKeys(key, hkdf_expand_label(traffic_secret, b"iv", b"", IV_LENGTH, prefix))


def next_traffic_secret(traffic_secret: bytes, prefix: bytes = TLS13_PREFIX) -> bytes:
    """application_traffic_secret_N+1 (Section 7.2)."""
    return hkdf_expand_label(traffic_secret, b"traffic upd", b"", HASH_LENGTH, prefix)


def verify_data(traffic_secret: bytes, transcript_hash: bytes, prefix: bytes = TLS13_PREFIX) -> bytes:
    """What Finished carries (Section 4.4.4)."""
    finished_key = hkdf_expand_label(traffic_secret, b"finished", b"", HASH_LENGTH, prefix)
    return hmac.digest(finished_key, transcript_hash, "sha256")


class KeySchedule:
    """The three extracts of Section 7.1, one after the other; secrets are derived from the latest.

          0
          |
     PSK=0 -> HKDF-Extract = Early Secret
          |
    (EC)DHE -> HKDF-Extract = Handshake Secret    enter_handshake
          |
          0 -> HKDF-Extract = Master Secret       enter_application
    """

    def __init__(self, prefix: bytes = TLS13_PREFIX) -> None:
        self._prefix = prefix
        self._secret = hkdf_extract(_ZEROS, _ZEROS)

    def enter_handshake(self, shared_secret: bytes) -> None:
        """From the Early Secret to the Handshake Secret."""
        self._extract(shared_secret)

    def enter_application(self) -> None:
        """From the Handshake Secret to the Master Secret."""
        self._extract(_ZEROS)

    def derive_secret(self, label: bytes, transcript_hash: bytes) -> bytes:
        """Derive-Secret(current secret, label, messages), with the messages already hashed."""
        return hkdf_expand_label(self._secret, label, transcript_hash, HASH_LENGTH, self._prefix)

    def _extract(self, input_keying_material: bytes) -> None:
        self._secret = hkdf_extract(self.derive_secret(b"derived", _HASH_OF_NOTHING), input_keying_material)
