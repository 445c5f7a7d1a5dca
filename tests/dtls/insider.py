"""Forge and read protected records of an association with the keys that both of its ends have.

The keys come from the server's key log and from the hellos on the path, which is how Wireshark gets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from perc.dtls.cipher_suites import CIPHER_SUITES
from perc.dtls.fragments import HandshakeType, read_fragments
from perc.dtls.hello import ServerHello, read_server_hello
from perc.dtls.prf import Prf
from perc.dtls.protection import RecordProtection
from perc.dtls.record_layer import CLEAR_EPOCH, PROTECTED_EPOCH
from perc.dtls.records import ContentType, Record, read_records, write_record
from perc.dtls.replay import WINDOW_SIZE
from perc.dtls.session import Session
from tests.driving import run
from tests.dtls.parties import PROVIDER

FIRST_NUMBER = WINDOW_SIZE // 2
"""Ahead of what the ends have sent, and so near that their next records are not left of the replay window."""


class Side:
    """Seals and opens the records of one direction."""

    def __init__(self, protection: RecordProtection) -> None:
        self._protection = protection
        self._numbers = count(FIRST_NUMBER)

    def seal(self, content_type: ContentType, plaintext: bytes) -> bytes:
        """Return a protected record that its receiver takes for a genuine one."""
        sequence = PROTECTED_EPOCH << 48 | next(self._numbers)
        return write_record(content_type, sequence, run(self._protection.seal(content_type, sequence, plaintext)))

    def open(self, record: Record) -> bytes:
        """Return the plaintext of a record that one end has sealed for the other."""
        sequence = record.epoch << 48 | record.sequence_number
        return run(self._protection.open(record.content_type, sequence, record.fragment))


class Insider:
    """Has the keys of both directions, from the `key_log` of the server and the `datagrams` of the handshake."""

    def __init__(self, key_log: Sequence[str], datagrams: Iterable[bytes]) -> None:
        (line,) = key_log
        label, client_random, master_secret = line.split(" ")
        assert label == "CLIENT_RANDOM"
        hello = _server_hello(datagrams)
        (suite,) = (suite for suite in CIPHER_SUITES if suite.code == hello.cipher_suite)
        prf = Prf(suite.digest, bytes.fromhex(master_secret))
        keys = run(Session(suite, bytes.fromhex(client_random), hello.random, prf).record_keys(PROVIDER))
        self.client, self.server = Side(keys.client_write), Side(keys.server_write)


def _server_hello(datagrams: Iterable[bytes]) -> ServerHello:
    """Return the first ServerHello, which is not fragmented."""
    for datagram in datagrams:
        for record in read_records(datagram):
            if record.epoch == CLEAR_EPOCH and record.content_type is ContentType.HANDSHAKE:
                for fragment in read_fragments(record.fragment):
                    if fragment.msg_type == HandshakeType.SERVER_HELLO:
                        return read_server_hello(fragment.content)
    raise AssertionError("there was no ServerHello on the path")
