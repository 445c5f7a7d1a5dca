"""Answers: what this Media Distributor takes from an offer, and the SDP that says so (RFC 3264, RFC 8829, RFC 9143).

ICE-lite, one transport, the Key Distributor's fingerprint. A sending m-line becomes a source, a receiving one a slot:
an m-line in which a source of somebody else can be forwarded later, told apart by its MID.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from perc.srtp.packet import HeaderExtension
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.ice import Address, Credentials
from perc_server.media_distributor.rtp import mid_extension
from perc_server.media_distributor.sdp import MID_EXTENSION, Direction, Offer, OfferedMedia

MAXIMUM_MESSAGE = 65_536
"""Octets of a message on the key channel."""

_CLOCK_RATES = {"audio": 48_000, "video": 90_000}
_RTPMAPS = {"audio": "opus/48000/2", "video": "VP8/90000"}
_OPUS_PARAMETERS = "minptime=10;useinbandfec=1"
_VIDEO_FEEDBACK = ("nack pli", "goog-remb")
"""Key frames are asked for, and bit rates told. No plain nack: nothing is cached for retransmission."""


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that an endpoint sends."""

    ssrc: int
    kind: str
    mid: str
    payload_type: int

    @property
    def clock_rate(self) -> int:
        """RTP timestamp units per second."""
        return _CLOCK_RATES[self.kind]


@dataclass(frozen=True, slots=True)
class Slot:
    """An m-line of a receiver, to be filled with a source."""

    mid: str
    kind: str
    pair: int
    """Audio and video slots of one pair are one MediaStream, and so played in synchrony."""
    payload_type: int
    extension: HeaderExtension
    """The header extension that takes a packet to the m-line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and what it means once the Key Distributor has signed it."""

    sdp: str
    origin: str
    """The value of its o= line, by which the signed answer is known."""
    sources: tuple[Source, ...]
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Transport:
    """What is the same in all answers to one endpoint."""

    address: Address
    ice: Credentials
    fingerprint: Fingerprint
    """The Key Distributor's: the DTLS association ends there."""


def write_answer(offer: Offer, transport: Transport) -> Answer:
    """The answer to an offer."""
    slots = tuple(_slots(offer))
    pairs = {slot.mid: slot.pair for slot in slots}
    # Each answer has an origin of its own, so that its signature is known by it whatever the order of their coming.
    origin = f"- {secrets.randbits(63)} 1 IN {_address_type(transport.address[0])} {transport.address[0]}"
    lines = [*_session(origin, offer, transport)]
    candidate_due = True
    for media in offer.media:
        lines += _media(media, transport.address, pairs)
        if media.acceptable and candidate_due:
            # Bundled m-lines share the transport of the first one (RFC 9143, Section 7.3).
            lines += _candidate(transport.address)
            candidate_due = False
    return Answer("\r\n".join(lines) + "\r\n", origin, tuple(_sources(offer)), slots)


def _sources(offer: Offer) -> Iterator[Source]:
    for media in offer.media:
        if media.acceptable and media.ssrc is not None:
            yield Source(media.ssrc, media.kind, media.mid, media.payload_type)


def _slots(offer: Offer) -> Iterator[Slot]:
    pairs: Counter[str] = Counter()
    for media in offer.media:
        # Without the MID extension a packet could not be taken to its m-line.
        if media.acceptable and media.direction is Direction.RECVONLY and media.mid_extension is not None:
            extension = mid_extension(media.mid_extension, media.mid)
            yield Slot(media.mid, media.kind, pairs[media.kind], media.payload_type, extension)
            pairs[media.kind] += 1


def _address_type(host: str) -> str:
    return f"IP{ipaddress.ip_address(host).version}"


def _session(origin: str, offer: Offer, transport: Transport) -> Iterator[str]:
    host = transport.address[0]
    yield "v=0"
    yield f"o={origin}"
    yield "s=-"
    yield f"c=IN {_address_type(host)} {host}"
    yield "t=0 0"
    yield "a=group:BUNDLE " + " ".join(media.mid for media in offer.media if media.acceptable)
    yield "a=ice-lite"
    yield f"a=ice-ufrag:{transport.ice.ufrag}"
    yield f"a=ice-pwd:{transport.ice.password}"
    yield f"a=fingerprint:{transport.fingerprint}"


def _candidate(address: Address) -> Iterator[str]:
    host, port = address
    # Type preference 126, local preference 65535, component 1 (RFC 8445, Section 5.1.2.1).
    yield f"a=candidate:1 1 udp {(126 << 24) + (65535 << 8) + 255} {host} {port} typ host"
    yield "a=end-of-candidates"


def _media(media: OfferedMedia, address: Address, pairs: dict[str, int]) -> Iterator[str]:
    if not media.acceptable:
        yield f"m={media.kind} 0 {media.formats}"
        yield from (f"a=mid:{media.mid}", "a=setup:passive", "a=inactive")
        return
    profile = media.formats.partition(" ")[0]
    is_channel = media.kind == "application"
    yield f"m={media.kind} {address[1]} {profile} {'webrtc-datachannel' if is_channel else media.payload_type}"
    yield f"a=mid:{media.mid}"
    yield "a=setup:passive"
    if is_channel:
        yield from ("a=sctp-port:5000", f"a=max-message-size:{MAXIMUM_MESSAGE}")
    else:
        yield from _rtp_media(media, pairs.get(media.mid))


def _rtp_media(media: OfferedMedia, pair: int | None) -> Iterator[str]:
    yield f"a={_direction(media, pair)}"
    yield "a=rtcp-mux"
    if media.reduced_size_rtcp:
        yield "a=rtcp-rsize"
    if media.mid_extension is not None:
        yield f"a=extmap:{media.mid_extension} {MID_EXTENSION}"
    yield f"a=rtpmap:{media.payload_type} {_RTPMAPS[media.kind]}"
    if media.kind == "audio":
        yield f"a=fmtp:{media.payload_type} {_OPUS_PARAMETERS}"
    else:
        for feedback in _VIDEO_FEEDBACK:
            if feedback in media.feedback:
                yield f"a=rtcp-fb:{media.payload_type} {feedback}"
    if pair is not None:
        yield f"a=msid:slot-{pair} {media.mid}"


def _direction(media: OfferedMedia, pair: int | None) -> Direction:
    if pair is not None:
        return Direction.SENDONLY
    # One m-line carries one source: of a sendrecv m-line the sending half is taken.
    return Direction.RECVONLY if media.direction.sends else Direction.INACTIVE
