"""The secrets of a session and what is derived from them (RFC 5246, Section 6.3; RFC 7627; RFC 5705; RFC 5764)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from perc.crypto.key_log import KeyLog, KeyLogLabel, log_secret
from perc.crypto.provider import CryptoProvider
from perc.dtls.cipher_suites import CipherSuite
from perc.dtls.events import SrtpKeysExported
from perc.dtls.prf import Prf
from perc.dtls.protection import IMPLICIT_NONCE_LENGTH, RecordProtection
from perc.errors import DecryptError
from perc.srtp.profiles import SRTPProtectionProfile

MASTER_SECRET_LENGTH = 48
VERIFY_DATA_LENGTH = 12

CLIENT_FINISHED = b"client finished"
SERVER_FINISHED = b"server finished"


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """The record protection of both directions."""

    client_write: RecordProtection
    server_write: RecordProtection


@dataclass(frozen=True, slots=True)
class Session:
    """A master secret, as the function that derives from it, with all that its derivations need."""

    suite: CipherSuite
    client_random: bytes
    server_random: bytes
    prf: Prf = field(repr=False)

    @classmethod
    def derive(
        cls,
        suite: CipherSuite,
        randoms: tuple[bytes, bytes],
        premaster_secret: bytes,
        session_hash: bytes,
        key_log: KeyLog | None = None,
    ) -> Session:
        """The session of an extended master secret (RFC 7627, Section 4); no other kind exists here.

        `randoms` are the client's and the server's, `session_hash` covers the messages up to ClientKeyExchange.
        `key_log` gets the master secret, which is not kept anywhere else.
        """
        premaster = Prf(suite.digest, premaster_secret)
        master_secret = premaster.expand(b"extended master secret", session_hash, MASTER_SECRET_LENGTH)
        log_secret(key_log, KeyLogLabel.CLIENT_RANDOM, randoms[0], master_secret)
        return cls(suite, *randoms, Prf(suite.digest, master_secret))

    async def record_keys(self, provider: CryptoProvider) -> RecordKeys:
        """The keys of epoch 1."""
        key_length = self.suite.key_length
        block_length = 2 * (key_length + IMPLICIT_NONCE_LENGTH)
        block = self.prf.expand(b"key expansion", self.server_random + self.client_random, block_length)
        client_key, server_key, client_salt, server_salt = _split(block, key_length, IMPLICIT_NONCE_LENGTH)
        return RecordKeys(
            client_write=RecordProtection(provider, await provider.import_aead_key(client_key), client_salt),
            server_write=RecordProtection(provider, await provider.import_aead_key(server_key), server_salt),
        )

    def verify_data(self, label: bytes, transcript_hash: bytes) -> bytes:
        """The content of a Finished message (RFC 5246, Section 7.4.9)."""
        return self.prf.expand(label, transcript_hash, VERIFY_DATA_LENGTH)

    def check_verify_data(self, label: bytes, transcript_hash: bytes, received: bytes) -> None:
        """`DecryptError` unless `received` is the content that the peer's Finished must have."""
        if not hmac.compare_digest(self.verify_data(label, transcript_hash), received):
            raise DecryptError("Finished does not verify")

    def export(self, label: bytes, length: int) -> bytes:
        """Keying material without a context (RFC 5705, Section 4)."""
        return self.prf.expand(label, self.client_random + self.server_random, length)

    def export_srtp_keys(self, profile: SRTPProtectionProfile) -> SrtpKeysExported:
        """The SRTP master keys and salts (RFC 5764, Section 4.2)."""
        key_length, salt_length = profile.key_length, profile.salt_length
        material = self.export(b"EXTRACTOR-dtls_srtp", 2 * (key_length + salt_length))
        return SrtpKeysExported(profile, *_split(material, key_length, salt_length))


def _split(material: bytes, key_length: int, salt_length: int) -> tuple[bytes, bytes, bytes, bytes]:
    """The client's and the server's key, the client's and the server's salt: the one order that there is."""
    keys, salts = material[: 2 * key_length], material[2 * key_length :]
    return keys[:key_length], keys[key_length:], salts[:salt_length], salts[salt_length:]
