"""The key schedule: RFC 8448's trace of a simple 1-RTT handshake, and what a trace does not show."""

from __future__ import annotations

import hashlib

from perc.tls.handshake import HandshakeType, write_handshake
from perc.tls.key_schedule import (
    KeySchedule,
    hkdf_expand_label,
    next_traffic_secret,
    traffic_keys,
)
from perc.tls.transcript import Transcript
from tests.vectors.provider_vectors import check_tls13_key_schedule


def test_the_trace_of_a_handshake() -> None:
    assert check_tls13_key_schedule() == 4


def test_secrets_are_not_shown() -> None:
    keys = traffic_keys(bytes(32))
    assert repr(keys.key) not in repr(keys)
    assert repr(keys.iv) not in repr(keys)


def test_a_prefix_of_its_own_for_dtls() -> None:
    secret = bytes(32)
    assert traffic_keys(secret, b"dtls13") != traffic_keys(secret)
    assert next_traffic_secret(secret, b"dtls13") != next_traffic_secret(secret)
    assert KeySchedule(b"dtls13").derive_secret(b"x", b"") != KeySchedule().derive_secret(b"x", b"")


def test_long_outputs_continue_short_ones_blockwise() -> None:
    # HKDF-Expand counts its blocks; the length is part of the label, so that outputs of other lengths differ.
    long = hkdf_expand_label(bytes(32), b"label", b"", 70)
    assert len(long) == 70
    assert long[:32] != hkdf_expand_label(bytes(32), b"label", b"", 32)


def test_the_transcript_of_a_retry_starts_with_a_message_hash() -> None:
    hello, retry = write_handshake(HandshakeType.CLIENT_HELLO, b"hello"), b"retry"
    transcript = Transcript()
    transcript.add(hello)
    transcript.restart_for_retry()
    transcript.add(retry)
    synthetic = b"\xfe\x00\x00\x20" + hashlib.sha256(hello).digest()
    assert transcript.digest() == hashlib.sha256(synthetic + retry).digest()
