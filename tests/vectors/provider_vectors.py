"""Published vectors, run through any CryptoProvider, and those of what is derived without one.

Standard library and perc only, so that the same module runs under pytest on CPython and inside Pyodide in a browser:
`await check_all(provider, import_private_key)`. Nothing here is an `assert`, which Pyodide may strip.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from perc.crypto.provider import CryptoProvider, KeyShare, NamedGroup, SignatureScheme
from perc.dtls.prf import Prf
from perc.errors import ApiMisuse, AuthenticationFailed, IllegalParameter
from perc.srtp.key_derivation import Label, derive_session_key
from perc.tls.key_schedule import KeySchedule, TrafficKeys, traffic_keys, verify_data

# A handle for `agree` from a group and a private key as PKCS #8: providers themselves only generate.
ImportPrivateKey = Callable[[NamedGroup, bytes], Awaitable[Any]]
Case = dict[str, Any]


class VectorFailed(Exception):
    """A provider's answer is not the published one."""


async def check_all(provider: CryptoProvider, import_private_key: ImportPrivateKey) -> dict[str, int]:
    """Run everything; how many cases of each kind there were."""
    return {
        "key_wrap_with_padding": await check_key_wrap(provider),
        "aes_gcm": await check_aes_gcm(provider),
        "aes_ctr": await check_aes_ctr(provider),
        "key_agreement": await check_key_agreement(provider, import_private_key),
        "signatures": await check_signatures(provider),
        "srtp_key_derivation": await check_srtp_key_derivation(provider),
        "tls12_prf": check_tls12_prf(),
        "tls13_key_schedule": check_tls13_key_schedule(),
        "round_trips": await check_round_trips(provider),
    }


async def check_key_wrap(provider: CryptoProvider) -> int:
    cases = load("key_wrap_with_padding")
    for case in cases:
        key = await provider.import_wrapping_key(octets(case, "key"))
        wrapped = octets(case, "wrapped")
        if case["plaintext"] is None:
            await expect_raise(AuthenticationFailed, provider.unwrap(key, wrapped), case)
            continue
        expect(await provider.wrap(key, octets(case, "plaintext")), wrapped, case)
        expect(await provider.unwrap(key, wrapped), octets(case, "plaintext"), case)
    return len(cases)


async def check_aes_gcm(provider: CryptoProvider) -> int:
    cases = load("aes_gcm")
    for case in cases:
        key = await provider.import_aead_key(octets(case, "key"))
        nonce, associated_data, sealed = (octets(case, name) for name in ("nonce", "associated_data", "sealed"))
        if case["plaintext"] is None:
            await expect_raise(AuthenticationFailed, provider.open(key, nonce, sealed, associated_data), case)
            continue
        plaintext = octets(case, "plaintext")
        expect(await provider.seal(key, nonce, plaintext, associated_data), sealed, case)
        expect(await provider.open(key, nonce, sealed, associated_data), plaintext, case)
    return len(cases)


async def check_aes_ctr(provider: CryptoProvider) -> int:
    cases = load("aes_ctr")
    for case in cases:
        keystream = octets(case, "keystream")
        found = await provider.aes_ctr_keystream(octets(case, "key"), octets(case, "counter"), len(keystream))
        expect(found, keystream, case)
    return len(cases)


async def check_key_agreement(provider: CryptoProvider, import_private_key: ImportPrivateKey) -> int:
    cases = load("key_agreement")
    for case in cases:
        group = NamedGroup[case["group"]]
        handle = await import_private_key(group, octets(case, "private_key"))
        agreement = provider.agree(KeyShare(group, b"", handle), octets(case, "peer_public_key"))
        if case["shared_secret"] is None:
            await expect_raise(IllegalParameter, agreement, case)
        else:
            expect(await agreement, octets(case, "shared_secret"), case)
    return len(cases)


async def check_signatures(provider: CryptoProvider) -> int:
    cases = load("signatures")
    for case in cases:
        scheme = SignatureScheme[case["scheme"]]
        public_key, signature, message = (octets(case, name) for name in ("public_key", "signature", "message"))
        expect(await provider.verify(public_key, scheme, signature, message), case["verifies"], case)
    return len(cases)


async def check_srtp_key_derivation(provider: CryptoProvider) -> int:
    cases = load("srtp_key_derivation")
    for case in cases:
        key, salt, expected = (octets(case, name) for name in ("master_key", "master_salt", "key"))
        found = await derive_session_key(provider, key, salt, Label[case["label"]], len(expected))
        expect(found, expected, case)
    return len(cases)


def check_tls12_prf() -> int:
    cases = load("tls12_prf")
    for case in cases:
        secret, seed, expected = (octets(case, name) for name in ("secret", "seed", "output"))
        prf = Prf(getattr(hashlib, case["hash"]), secret)
        expect(prf.expand(case["label"].encode(), seed, len(expected)), expected, case)
    return len(cases)


def check_tls13_key_schedule() -> int:
    cases = load("tls13_key_schedule")
    for case in cases:
        schedule = KeySchedule()
        schedule.enter_handshake(octets(case, "shared_secret"))
        if case["stage"] == "application":
            schedule.enter_application()
        secret = schedule.derive_secret(case["label"].encode(), octets(case, "transcript_hash"))
        expect(secret, octets(case, "secret"), case)
        expect(traffic_keys(secret), TrafficKeys(octets(case, "key"), octets(case, "iv")), case)
        if case["verify_data"] is not None:
            expect(verify_data(secret, octets(case, "finished_hash")), octets(case, "verify_data"), case)
    return len(cases)


async def check_round_trips(provider: CryptoProvider) -> int:
    """What a provider makes, it accepts itself; and what it must refuse to be asked."""
    key = await provider.generate_signing_key()
    scheme = SignatureScheme.ECDSA_SECP256R1_SHA256
    signature = await provider.sign(key, b"message")
    expect(await provider.verify(key.public_key, scheme, signature, b"message"), True, {"sign": "message"})
    expect(await provider.verify(key.public_key, scheme, signature, b"Message"), False, {"sign": "Message"})
    for group in NamedGroup:
        ours, theirs = await provider.generate_key_share(group), await provider.generate_key_share(group)
        secret = await provider.agree(ours, theirs.public_key)
        expect(secret, await provider.agree(theirs, ours.public_key), {"group": group.name})
    for refused in (provider.import_aead_key(bytes(24)), provider.import_wrapping_key(bytes(8))):
        await expect_raise(ApiMisuse, refused, {"key": "of a wrong length"})
    wrapping_key = await provider.import_wrapping_key(bytes(16))
    await expect_raise(ApiMisuse, provider.wrap(wrapping_key, b""), {"wrap": "nothing"})
    for length in (0, 8, 15, 17, 23):
        await expect_raise(AuthenticationFailed, provider.unwrap(wrapping_key, bytes(length)), {"unwrap": length})
    aead_key = await provider.import_aead_key(bytes(16))
    await expect_raise(AuthenticationFailed, provider.open(aead_key, bytes(12), bytes(15), b""), {"open": 15})
    expect(len(provider.random_bytes(48)), 48, {"random": 48})
    return 3 + len(NamedGroup) + 9


def load(name: str) -> list[Case]:
    document = json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))
    cases: list[Case] = document["cases"]
    return cases


def octets(case: Case, name: str) -> bytes:
    return bytes.fromhex(case[name])


def expect(found: object, expected: object, case: Case) -> None:
    if found != expected:
        raise VectorFailed(f"{found!r} instead of {expected!r} for {case}")


async def expect_raise(error: type[Exception], operation: Awaitable[object], case: Case) -> None:
    try:
        result = await operation
    except error:
        return
    raise VectorFailed(f"{result!r} instead of {error.__name__} for {case}")
