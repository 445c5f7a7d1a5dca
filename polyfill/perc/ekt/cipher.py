"""The EKT cipher, AES Key Wrap with Padding (RFC 8870, Section 4.4; RFC 5649), and the EKTPlaintext that it protects.

    EKTPlaintext = SRTPMasterKeyLength(1) SRTPMasterKey SSRC(4) ROC(4)

Of M octets the cipher makes 8 * ceil(M / 8) + 8; the text's "N = M + (M mod 8) + 8" holds for multiples of four only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perc.crypto.provider import CryptoProvider, WrappingKey
from perc.ekt.ekt_key import EktKey
from perc.ekt.outcome import SendingStopped, Stop
from perc.wire import Reader, Writer

MAX_USES = 1 << 48
"""T of AESKW128 and AESKW256: how many different FullEKTFields one EKTKey may make (RFC 8870, Section 4.4.1)."""
MAX_MASTER_KEY_LENGTH = 242


@dataclass(frozen=True, slots=True)
class EKTPlaintext:
    """A source's master key, and where its packets are."""

    master_key: bytes = field(repr=False)
    ssrc: int
    roc: int

    @classmethod
    def read(cls, data: bytes) -> EKTPlaintext:
        """The fields; `DecodeError` unless they fill `data` exactly."""
        reader = Reader(data)
        plaintext = cls(reader.opaque(1, 1, MAX_MASTER_KEY_LENGTH), reader.uint32(), reader.uint32())
        reader.expect_end()
        return plaintext

    def write(self) -> bytes:
        """The octets to wrap."""
        return Writer().opaque(self.master_key, 1, 1, MAX_MASTER_KEY_LENGTH).uint32(self.ssrc).uint32(self.roc).finish()


class EktParameterSet:
    """One EKTKey at work: its salt and SPI, its cipher, and until when it may be used (RFC 8870, Section 4.2)."""

    def __init__(self, provider: CryptoProvider, ekt_key: EktKey, key: WrappingKey, now: float) -> None:
        self.ekt_key = ekt_key
        self.arrived_at = now
        # "The ekt_key_value in this message MUST NOT be used for encrypting or decrypting information after the TTL
        # expires" (Section 5.2.2).
        self.expires_at = now + ekt_key.ttl
        self._provider = provider
        self._key = key
        self._uses = 0

    @classmethod
    async def create(cls, provider: CryptoProvider, ekt_key: EktKey, now: float) -> EktParameterSet:
        """The set of an EKTKey that arrives `now`."""
        return cls(provider, ekt_key, await provider.import_wrapping_key(ekt_key.key), now)

    @property
    def master_key_length(self) -> int:
        """Octets of every SRTP master key told under this set: AES-128 for AESKW128, AES-256 for AESKW256. "The
        confidentiality, integrity, and authentication of the EKT cipher MUST be at least as strong as the SRTP cipher"
        (Section 6), and a stronger one would protect no better than what it protects."""
        return self.ekt_key.cipher.key_length

    async def wrap(self, plaintext: EKTPlaintext) -> bytes:
        """An EKTCiphertext; callers keep it while nothing in it changes, which counts as one use."""
        # "An endpoint MUST NOT encrypt more than T different FullEKTField values using the same EKTKey" (Section 6).
        if self._uses >= MAX_USES:
            raise SendingStopped(Stop.EXHAUSTED)
        self._uses += 1
        return await self._provider.wrap(self._key, plaintext.write())

    async def unwrap(self, ciphertext: bytes) -> EKTPlaintext:
        """What `wrap` was given; `AuthenticationFailed`, or `DecodeError` if a member wrapped something else."""
        return EKTPlaintext.read(await self._provider.unwrap(self._key, ciphertext))
