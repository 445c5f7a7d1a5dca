"""What an SDP says about keys and identity, read strictly (RFC 8866; RFC 8122; RFC 8842; RFC 8827, Section 5).

This is no SDP parser. It is a scan that must see every line a browser would act on, so everything on which two readers
could disagree is refused: control characters, lines that are no `x=`, and attributes that only look like the ones read
here. What it does not need it passes over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from perc.errors import DecodeError, IllegalParameter
from perc.x509.fingerprint import Fingerprint

MAX_SDP = 2**16
"""Octets of an SDP: what does not fit the tunnel's 16-bit length need not be read."""

MAX_FINGERPRINTS = 8
"""Different fingerprints in an SDP: a peer has one certificate, perhaps under two hashes, perhaps an old one."""

# Line separators that Python, JavaScript or C would see differently are all of them among these.
_CONTROL_CHARACTER = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")

_READ_HERE = frozenset({"fingerprint", "setup", "identity", "tls-id"})


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m-line: whether it was rejected (port 0), and the `a=setup` that holds for it."""

    rejected: bool
    setup: str | None


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """Everything in an SDP that binds it to a certificate or an identity; `fingerprints` has each of them once."""

    fingerprints: tuple[Fingerprint, ...]
    media: tuple[MediaSection, ...]
    setups: frozenset[str]
    identity: str | None
    tls_id: str | None


def read_sdp(octets: bytes) -> SessionDescription:
    """What stands in an SDP, at session and at media level alike; `DecodeError` for what is not read alike by all."""
    scan = _Scan()
    for line in _lines(octets):
        if line.startswith("m="):
            scan.begin_media(line)
        elif line.startswith("a="):
            scan.attribute(line[2:])
    return scan.result()


def insert_identity(octets: bytes, value: str) -> bytes:
    """The same SDP with `a=identity` at the end of its session level (RFC 8827, Section 5: session level only).

    `DecodeError` for a value that is more than this one line: it came from a page, and what it goes into is signed.
    """
    if read_sdp(octets).identity is not None:
        raise IllegalParameter("the SDP has an a=identity already")
    if not (value.isascii() and value.isprintable()):
        raise DecodeError("an a=identity that is no line of SDP")
    end_of_line = b"\r\n" if b"\r\n" in octets else b"\n"
    line = b"a=identity:" + value.encode() + end_of_line
    start_of_media = octets.find(b"\nm=") + 1
    if start_of_media == 0:
        return octets + line
    return octets[:start_of_media] + line + octets[start_of_media:]


def _lines(octets: bytes) -> list[str]:
    if len(octets) > MAX_SDP:
        raise DecodeError(f"an SDP of {len(octets)} octets, more than {MAX_SDP}")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise DecodeError("an SDP that is not UTF-8") from None
    if not text.endswith("\n"):
        raise DecodeError("an SDP whose last line does not end")
    lines = [line.removesuffix("\r") for line in text.split("\n")[:-1]]
    for line in lines:
        if len(line) < 2 or not "a" <= line[0] <= "z" or line[1] != "=":
            raise DecodeError("a line of an SDP that is no type=value")
        if _CONTROL_CHARACTER.search(line):
            raise DecodeError("a control character in an SDP")
    if lines[0] != "v=0":
        raise DecodeError("an SDP that does not begin with v=0")
    return lines


class _Scan:
    """The state of one reading."""

    def __init__(self) -> None:
        self._fingerprints: list[Fingerprint] = []
        self._setups: set[str] = set()
        self._session_setup: str | None = None
        self._media: list[tuple[bool, str | None]] = []
        self._identity: str | None = None
        self._tls_id: str | None = None

    def begin_media(self, line: str) -> None:
        fields = line.split(" ")
        if len(fields) < 4:
            raise DecodeError("an m-line with too few fields")
        self._media.append((fields[1] == "0", None))

    def attribute(self, attribute: str) -> None:
        name, _, value = attribute.partition(":")
        if name not in _READ_HERE:
            # RFC 8866, Section 6: attribute names are case-sensitive. Something that a lenient reader would still take
            # for one of ours must not pass unseen.
            if name.strip().lower() in _READ_HERE:
                raise DecodeError(f"an attribute that is almost {name.strip().lower()}")
            return
        if not value or value != value.strip():
            raise DecodeError(f"a={name} without a proper value")
        match name:
            case "fingerprint":
                self._add_fingerprint(value)
            case "setup":
                self._add_setup(value)
            case "identity":
                self._add_identity(value)
            case _:
                self._add_tls_id(value)

    def result(self) -> SessionDescription:
        media = tuple(MediaSection(rejected, setup or self._session_setup) for rejected, setup in self._media)
        return SessionDescription(
            tuple(self._fingerprints), media, frozenset(self._setups), self._identity, self._tls_id
        )

    def _add_fingerprint(self, value: str) -> None:
        fingerprint = Fingerprint.parse(value)
        if fingerprint in self._fingerprints:
            return
        if len(self._fingerprints) == MAX_FINGERPRINTS:
            raise DecodeError(f"more than {MAX_FINGERPRINTS} fingerprints in an SDP")
        self._fingerprints.append(fingerprint)

    def _add_setup(self, value: str) -> None:
        self._setups.add(value)
        if not self._media:
            self._session_setup = value
        else:
            self._media[-1] = (self._media[-1][0], value)

    def _add_identity(self, value: str) -> None:
        # RFC 8827, Section 5: a session-level attribute, and only one assertion can be the peer's.
        if self._media or self._identity is not None:
            raise DecodeError("an a=identity that is not the only one at session level")
        self._identity = value

    def _add_tls_id(self, value: str) -> None:
        # RFC 8842, Section 4: one value for each DTLS association, and a bundled session has one association.
        if self._tls_id not in {None, value}:
            raise DecodeError("different a=tls-id in an SDP")
        self._tls_id = value
