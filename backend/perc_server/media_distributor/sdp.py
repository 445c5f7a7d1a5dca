"""Offers, read strictly (RFC 8866, RFC 3264, RFC 8829, RFC 9143).

An offer comes from anyone who has the link, so it has limits, and of its attributes only those are read that an answer
of this Media Distributor depends on. Everything is bundled on one ICE-lite transport; media is Opus and VP8. Simulcast,
RTX and transport-wide feedback are not negotiated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from perc_server.media_distributor.ice import Credentials
from perc_server.media_distributor.refusal import Code, Refusal

MAXIMUM_OFFER = 60_000
"""Octets of an offer: with its answer it has to fit one tunnel message of 65535."""

MAXIMUM_LINE = 16_384
"""Octets of a line: a=identity carries an assertion, which may be a certificate chain's length."""

MAXIMUM_MEDIA = 64
"""m-lines of an offer: 25 recvonly pairs, a few sources and the key channel."""

MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"

_RTP_PROFILE = "UDP/TLS/RTP/SAVPF"
_DATA_CHANNEL_PROFILE = "UDP/DTLS/SCTP"

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}", re.ASCII)
_LINE = re.compile(r"[a-z]=[^\r\0]*", re.ASCII)
_MEDIA = re.compile(r"(audio|video|application) (\d{1,5}) ([A-Z/]{1,32})((?: [A-Za-z0-9-]{1,32}){1,64})", re.ASCII)
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}", re.ASCII)
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}", re.ASCII)
_CODECS = {"audio": "opus/48000/2", "video": "vp8/90000"}

Attributes = dict[str, list[str]]


class Direction(StrEnum):
    """Directions, as seen by whoever writes them (RFC 8866, Section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the offerer sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)


@dataclass(frozen=True, slots=True)
class OfferedMedia:
    """One m-line, and what of it matters here."""

    kind: str
    """audio, video or application."""
    mid: str
    formats: str
    """Profile and formats as offered, for an m-line that is to be rejected."""
    acceptable: bool
    """Whether it can be accepted at all: it is not rejected already, and has a codec that is forwarded."""
    direction: Direction = Direction.INACTIVE
    payload_type: int = 0
    feedback: frozenset[str] = frozenset()
    mid_extension: int | None = None
    ssrc: int | None = None
    reduced_size_rtcp: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer."""

    ice: Credentials
    fingerprints: frozenset[str]
    media: tuple[OfferedMedia, ...]


def read_offer(sdp: str) -> Offer:
    """The offer; a `Refusal` that says what is wrong with it."""
    session, sections = _split(sdp)
    session_attributes = _attributes(session)
    bundle = _bundle(session_attributes)
    media = tuple(_read_media(section, bundle) for section in sections)
    if len({each.mid for each in media}) != len(media):
        raise _invalid("two m-lines with one mid")
    ssrcs = [each.ssrc for each in media if each.ssrc is not None]
    if len(set(ssrcs)) != len(ssrcs):
        raise _invalid("two m-lines with one SSRC")
    if not any(each.acceptable for each in media):
        raise _invalid("nothing that can be accepted")
    levels = [session_attributes, *(_attributes(section) for section in sections)]
    _check_setup(levels)
    return Offer(_ice(levels), _fingerprints(levels), media)


def _invalid(detail: str) -> Refusal:
    return Refusal(Code.INVALID_OFFER, detail)


def _split(sdp: str) -> tuple[list[str], list[list[str]]]:
    if len(sdp.encode(errors="surrogatepass")) > MAXIMUM_OFFER:
        raise Refusal(Code.TOO_LARGE, f"an offer of more than {MAXIMUM_OFFER} octets")
    if not sdp.isascii():
        raise _invalid("an offer that is not ASCII")
    lines = [line.removesuffix("\r") for line in sdp.removesuffix("\n").split("\n")]
    if any(len(line) > MAXIMUM_LINE or not _LINE.fullmatch(line) for line in lines):
        raise _invalid("a line that is not SDP")
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if lines[0] != "v=0" or not starts or len(starts) > MAXIMUM_MEDIA:
        raise _invalid("not a session description of 1 to 64 m-lines")
    session = lines[: starts[0]]
    if sum(line.startswith("o=") for line in lines) != 1 or not session[1:2] or not session[1].startswith("o="):
        raise _invalid("not exactly one o= line, in its place")
    return session, [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _attributes(lines: list[str]) -> Attributes:
    attributes: Attributes = defaultdict(list)
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            attributes[name].append(value)
    return attributes


def _bundle(session: Attributes) -> frozenset[str]:
    groups = [group.split() for group in session["group"]]
    bundles = [group[1:] for group in groups if group[:1] == ["BUNDLE"]]
    if len(bundles) != 1:
        raise _invalid("not exactly one BUNDLE group")
    return frozenset(bundles[0])


def _read_media(section: list[str], bundle: frozenset[str]) -> OfferedMedia:
    match = _MEDIA.fullmatch(section[0][2:])
    attributes = _attributes(section)
    mid = _single(attributes, "mid")
    if match is None or mid is None or not _TOKEN.fullmatch(mid):
        raise _invalid("an m-line that is not understood, or has no mid")
    kind, port, profile, formats = match[1], int(match[2]), match[3], match[4].split()
    # An m-line that is bundle-only has port 0 in offers (RFC 9143, Section 6).
    rejected = port == 0 and "bundle-only" not in attributes
    if not rejected and mid not in bundle:
        raise _invalid("an m-line that is not bundled")
    offered = OfferedMedia(kind, mid, f"{profile} {' '.join(formats)}", acceptable=False)
    if rejected:
        return offered
    if kind == "application":
        acceptable = profile == _DATA_CHANNEL_PROFILE and formats == ["webrtc-datachannel"]
        return OfferedMedia(kind, mid, offered.formats, acceptable)
    payload_type = _payload_type(kind, formats, attributes)
    if profile != _RTP_PROFILE or payload_type is None:
        return offered
    if "rtcp-mux" not in attributes:
        raise _invalid("an m-line without rtcp-mux")
    return _read_rtp_media(offered, payload_type, attributes)


def _read_rtp_media(offered: OfferedMedia, payload_type: int, attributes: Attributes) -> OfferedMedia:
    direction = _direction(attributes)
    return OfferedMedia(
        offered.kind,
        offered.mid,
        offered.formats,
        acceptable=True,
        direction=direction,
        payload_type=payload_type,
        feedback=_feedback(payload_type, attributes),
        mid_extension=_mid_extension(attributes),
        ssrc=_ssrc(attributes) if direction.sends else None,
        reduced_size_rtcp="rtcp-rsize" in attributes,
    )


def _single(attributes: Attributes, name: str) -> str | None:
    values = attributes.get(name, [])
    if len(values) > 1:
        raise _invalid(f"more than one a={name} in an m-line")
    return values[0] if values else None


def _payload_type(kind: str, formats: list[str], attributes: Attributes) -> int | None:
    for value in attributes["rtpmap"]:
        number, _, codec = value.partition(" ")
        # 64 to 95 would be taken for RTCP (RFC 5761, Section 4).
        usable = number in formats and re.fullmatch(r"[1-9]\d{0,2}", number, re.ASCII)
        if codec.lower() == _CODECS[kind] and usable and (int(number) < 64 or 96 <= int(number) <= 127):
            return int(number)
    return None


def _direction(attributes: Attributes) -> Direction:
    stated = [direction for direction in Direction if direction in attributes]
    if len(stated) > 1:
        raise _invalid("more than one direction in an m-line")
    return stated[0] if stated else Direction.SENDRECV


def _feedback(payload_type: int, attributes: Attributes) -> frozenset[str]:
    values = (value.partition(" ") for value in attributes["rtcp-fb"])
    return frozenset(kind for number, _, kind in values if number in ("*", str(payload_type)))


def _mid_extension(attributes: Attributes) -> int | None:
    for value in attributes["extmap"]:
        match = re.fullmatch(r"(\d{1,3})(?:/[a-z]+)? (\S+)(?: .*)?", value, re.ASCII)
        if match is None:
            raise _invalid("an a=extmap that is not understood")
        # 15 is reserved in one-byte headers, 0 is padding (RFC 8285, Section 4.2).
        if match[2] == MID_EXTENSION and 1 <= int(match[1]) <= 255 and int(match[1]) != 15:
            return int(match[1])
    return None


def _ssrc(attributes: Attributes) -> int | None:
    """The m-line's own SSRC: the first that is not the repair flow of another (RFC 5576, Section 4.2)."""
    groups = [value.split() for value in attributes["ssrc-group"]]
    repairs = {ssrc for group in groups if group[:1] == ["FID"] for ssrc in group[2:]}
    for value in attributes["ssrc"]:
        number = value.partition(" ")[0]
        if not re.fullmatch(r"\d{1,10}", number, re.ASCII) or not 0 < int(number) < 1 << 32:
            raise _invalid("an a=ssrc that is not an SSRC")
        if number not in repairs:
            return int(number)
    return None


def _ice(levels: list[Attributes]) -> Credentials:
    ufrags = {value for level in levels for value in level["ice-ufrag"]}
    passwords = {value for level in levels for value in level["ice-pwd"]}
    if len(ufrags) != 1 or len(passwords) != 1:
        raise _invalid("not one pair of ICE credentials")
    credentials = Credentials(ufrags.pop(), passwords.pop())
    if not _UFRAG.fullmatch(credentials.ufrag) or not _PASSWORD.fullmatch(credentials.password):
        raise _invalid("ICE credentials that are not allowed")
    return credentials


def _fingerprints(levels: list[Attributes]) -> frozenset[str]:
    # Whose they are is the Key Distributor's to check; here they only tell one certificate from another.
    fingerprints = frozenset(value.lower() for level in levels for value in level["fingerprint"])
    if not fingerprints:
        raise _invalid("no a=fingerprint")
    return fingerprints


def _check_setup(levels: list[Attributes]) -> None:
    if any(value not in ("actpass", "active") for level in levels for value in level["setup"]):
        raise _invalid("an endpoint that cannot be the DTLS client")
