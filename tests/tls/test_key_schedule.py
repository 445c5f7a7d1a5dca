"""RFC 8448, Section 3: the trace of a simple 1-RTT handshake."""

from __future__ import annotations

import hashlib

import pytest

from perc.tls.handshake import HandshakeType, write_handshake
from perc.tls.key_schedule import (
    KeySchedule,
    TrafficKeys,
    hkdf_expand_label,
    next_traffic_secret,
    traffic_keys,
    verify_data,
)
from perc.tls.transcript import Transcript

SHARED_SECRET = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"
SERVER_HELLO_HASH = "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"
CERTIFICATE_VERIFY_HASH = "edb7725fa7a3473b031ec8ef65a2485493900138a2b91291407d7951a06110ed"
SERVER_FINISHED_HASH = "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13"
CLIENT_HANDSHAKE_SECRET = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
SERVER_HANDSHAKE_SECRET = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
CLIENT_SECRET = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
SERVER_SECRET = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"


def test_secrets_of_handshake_and_application() -> None:
    schedule = KeySchedule()
    schedule.enter_handshake(bytes.fromhex(SHARED_SECRET))
    hello = bytes.fromhex(SERVER_HELLO_HASH)
    assert schedule.derive_secret(b"c hs traffic", hello).hex() == CLIENT_HANDSHAKE_SECRET
    assert schedule.derive_secret(b"s hs traffic", hello).hex() == SERVER_HANDSHAKE_SECRET
    schedule.enter_application()
    finished = bytes.fromhex(SERVER_FINISHED_HASH)
    assert schedule.derive_secret(b"c ap traffic", finished).hex() == CLIENT_SECRET
    assert schedule.derive_secret(b"s ap traffic", finished).hex() == SERVER_SECRET


@pytest.mark.parametrize(
    ("secret", "key", "iv"),
    [
        (CLIENT_HANDSHAKE_SECRET, "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"),
        (SERVER_HANDSHAKE_SECRET, "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"),
        (CLIENT_SECRET, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"),
        (SERVER_SECRET, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"),
    ],
)
def test_traffic_keys(secret: str, key: str, iv: str) -> None:
    assert traffic_keys(bytes.fromhex(secret)) == TrafficKeys(bytes.fromhex(key), bytes.fromhex(iv))


@pytest.mark.parametrize(
    ("secret", "transcript_hash", "finished"),
    [
        (
            SERVER_HANDSHAKE_SECRET,
            CERTIFICATE_VERIFY_HASH,
            "9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718",
        ),
        (
            CLIENT_HANDSHAKE_SECRET,
            SERVER_FINISHED_HASH,
            "a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61",
        ),
    ],
)
def test_finished(secret: str, transcript_hash: str, finished: str) -> None:
    assert verify_data(bytes.fromhex(secret), bytes.fromhex(transcript_hash)).hex() == finished


def test_secrets_are_not_shown() -> None:
    assert "cf782b88" not in repr(traffic_keys(bytes.fromhex(SERVER_SECRET)))


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
