"""The `o=` line by which an answer is told from others (RFC 8866, Section 5.2).

The tunnel has no transaction ids, so a sign_answer and its ack or reject are matched by the answer itself: the Media
Distributor gives each answer an `o=` line of its own.
"""

from __future__ import annotations

from perc.errors import DecodeError

MAX_ORIGIN = 255
"""Octets of an origin: sign_answer_reject has one octet for its length."""


def origin_of(sdp: bytes) -> str:
    """The value of the one `o=` line; `DecodeError` if there is none, more than one, or one that is too long."""
    values = [line[2:] for line in sdp.split(b"\n") if line.startswith(b"o=")]
    if len(values) != 1:
        raise DecodeError(f"{len(values)} o= lines in an SDP, where one is expected")
    value = values[0].removesuffix(b"\r")
    if not 0 < len(value) <= MAX_ORIGIN:
        raise DecodeError(f"an o= line of {len(value)} octets")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("an o= line that is not ASCII") from None
