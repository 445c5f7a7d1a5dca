"""Protection of records in one direction (RFC 8446, Sections 5.2 and 5.3) with AES-128-GCM."""

from __future__ import annotations

from perc.crypto.provider import GCM_TAG_LENGTH, AeadKey, CryptoProvider
from perc.errors import AlertDescription, AuthenticationFailed, BadRecordMac, PeerError, UnexpectedMessage
from perc.tls.key_schedule import IV_LENGTH, next_traffic_secret, traffic_keys
from perc.wire import Writer

MAXIMUM_PLAINTEXT = 1 << 14
# "For AES-GCM, up to 2^24.5 full-size records ... may be encrypted on a given connection" (Section 5.5).
RECORDS_PER_KEY = 1 << 24

_APPLICATION_DATA = 23
_LEGACY_VERSION = 0x0303


class RecordProtection:
    """One traffic secret in use: its AEAD key, its IV and the number of the next record."""

    def __init__(self, provider: CryptoProvider, secret: bytes, key: AeadKey, iv: bytes) -> None:
        self._provider = provider
        self._secret = secret
        self._key = key
        self._iv = int.from_bytes(iv, "big")
        self._sequence_number = 0

    @classmethod
    async def create(cls, provider: CryptoProvider, secret: bytes) -> RecordProtection:
        """Protection under a traffic secret, from record 0."""
        keys = traffic_keys(secret)
        return cls(provider, secret, await provider.import_aead_key(keys.key), keys.iv)

    async def next_generation(self) -> RecordProtection:
        """Protection under the secret that a KeyUpdate leads to (Section 7.2)."""
        return await self.create(self._provider, next_traffic_secret(self._secret))

    @property
    def is_worn(self) -> bool:
        """Whether the key has protected all the records that it safely can."""
        return self._sequence_number >= RECORDS_PER_KEY

    async def seal(self, content_type: int, fragment: bytes) -> bytes:
        """A whole protected record."""
        length = len(fragment) + 1 + GCM_TAG_LENGTH
        header = Writer().uint8(_APPLICATION_DATA).uint16(_LEGACY_VERSION).uint16(length).finish()
        inner = fragment + bytes([content_type])
        return header + await self._provider.seal(self._key, self._next_nonce(), inner, header)

    async def open(self, header: bytes, ciphertext: bytes) -> tuple[int, bytes]:
        """Content type and fragment of a protected record."""
        try:
            inner = await self._provider.open(self._key, self._next_nonce(), ciphertext, header)
        except AuthenticationFailed as error:
            raise BadRecordMac("a record does not authenticate") from error
        # "the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets" (Section 5.4), padding included.
        if len(inner) > MAXIMUM_PLAINTEXT + 1:
            raise PeerError("a record with too much in it", AlertDescription.RECORD_OVERFLOW)
        content = inner.rstrip(b"\x00")
        # "If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate the
        # connection with an "unexpected_message" alert" (Section 5.4).
        if not content:
            raise UnexpectedMessage("a record of nothing but padding")
        return content[-1], content[:-1]

    def _next_nonce(self) -> bytes:
        # Taken before the first await: a number is used once even if calls overlap.
        nonce = (self._iv ^ self._sequence_number).to_bytes(IV_LENGTH, "big")
        self._sequence_number += 1
        return nonce
