"""EKT: the field's framing, ekt_key and its extensions, plaintext and ciphertext, the messages of the key channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from perc.ekt.cipher import EktParameterSet, EKTPlaintext
from perc.ekt.ekt_key import (
    EktKey,
    read_ekt_ciphers,
    read_selected_ekt_cipher,
    write_ekt_ciphers,
    write_selected_ekt_cipher,
)
from perc.ekt.key_channel import (
    Announce,
    EktKeyAck,
    MediaKind,
    Member,
    Roster,
    Source,
    SourceOrigin,
    read_message,
    write_message,
)
from perc.errors import AuthenticationFailed
from perc.srtp.ekt_field import ExtensionEKTField, FullEKTField, ShortEKTField, split_ekt_field
from tests.driving import run
from tests.fuzz.target import Target, reads
from tests.repeatable import RepeatableProvider

KEY = EktKey(bytes(range(16)), bytes(range(12)), 7, 300)
_SOURCES = (Source(1, MediaKind.AUDIO, SourceOrigin.PERSON), Source(2, MediaKind.VIDEO, SourceOrigin.SCREEN))


def fields(data: bytes) -> None:
    found = reads(split_ekt_field, data)
    if found is not None:
        body, ekt_field = found
        assert body + ekt_field.write() == data


def field_seeds() -> Iterable[bytes]:
    for each in (FullEKTField(bytes(40), 7, 0), ShortEKTField(), ExtensionEKTField(3, b"later")):
        yield b"packet" + each.write()


_READERS: tuple[tuple[Callable[[bytes], Any], Callable[[Any], bytes]], ...] = (
    (EktKey.read, EktKey.write),
    (EKTPlaintext.read, EKTPlaintext.write),
    (read_selected_ekt_cipher, write_selected_ekt_cipher),
    (read_ekt_ciphers, lambda ciphers: write_ekt_ciphers(ciphers) if ciphers else b"\x01\x00"),
)


def wrapped(plaintext: bytes) -> bytes:
    """Any octets, as a member wraps them who has the EKTKey."""
    provider = RepeatableProvider()
    return run(provider.wrap(run(provider.import_wrapping_key(KEY.key)), plaintext))


def keys(data: bytes) -> None:
    which = (data or b"\0")[0] % (len(_READERS) + 2)
    if which < len(_READERS):
        reads(_READERS[which][0], data[1:], _READERS[which][1])
        return
    parameters = run(EktParameterSet.create(RepeatableProvider(), KEY, 0.0))
    # A stranger has no ciphertext that unwraps, a member has any.
    ciphertext = data[1:]
    if which > len(_READERS) and ciphertext:
        ciphertext = wrapped(ciphertext)
    with suppress(AuthenticationFailed):
        reads(lambda octets: run(parameters.unwrap(octets)), ciphertext)


def key_seeds() -> Iterable[bytes]:
    plaintext = EKTPlaintext(bytes(16), 1, 2).write()
    yield b"\x00" + KEY.write()
    yield b"\x01" + plaintext
    yield b"\x02\x01"
    yield b"\x03\x02\x01\x02"
    parameters = run(EktParameterSet.create(RepeatableProvider(), KEY, 0.0))
    yield b"\x04" + run(parameters.wrap(EKTPlaintext(bytes(16), 1, 2)))
    yield b"\x05" + plaintext


def key_channel(data: bytes) -> None:
    reads(read_message, data, write_message)


def key_channel_seeds() -> Iterable[bytes]:
    member = Member(bytes(16), "alice@idp-a.localhost", 1_700_000_000, 7, _SOURCES)
    for message in (KEY, Roster(1, bytes(16), (member, member)), Announce(_SOURCES), EktKeyAck(7)):
        yield write_message(message)


TARGETS = (
    Target("ekt-field", fields, field_seeds),
    Target("ekt-keys", keys, key_seeds),
    Target("key-channel", key_channel, key_channel_seeds),
)
