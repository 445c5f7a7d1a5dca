from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perc.errors import DecodeError, IllegalParameter
from perc.identity.sdp import MAX_FINGERPRINTS, MAX_SDP, MediaSection, insert_identity, read_sdp
from perc.x509.fingerprint import Fingerprint
from tests.identity.sdps import MINE, OTHER, media, session


def test_what_binds_an_sdp():
    sdp = session("a=identity:abc", "a=tls-id:1234") + media() + media(setup="active", port=0)
    description = read_sdp(sdp.encode())
    assert description.fingerprints == (MINE,)
    assert description.identity == "abc"
    assert description.tls_id == "1234"
    assert description.media == (MediaSection(False, "passive"), MediaSection(True, "active"))
    assert description.setups == {"passive", "active"}


def test_a_second_fingerprint_is_seen_wherever_it_stands():
    at_session_level = session(f"a=fingerprint:{OTHER}") + media()
    at_media_level = session() + media() + media(f"a=fingerprint:{OTHER}")
    for sdp in (at_session_level, at_media_level):
        assert read_sdp(sdp.encode()).fingerprints == (MINE, OTHER)


def test_setup_is_inherited_from_the_session():
    description = read_sdp((session("a=setup:passive") + media(setup=None) + media(setup="active")).encode())
    assert [section.setup for section in description.media] == ["passive", "active"]


def test_lines_may_end_without_carriage_return():
    sdp = (session() + media()).replace("\r\n", "\n")
    assert read_sdp(sdp.encode()) == read_sdp((session() + media()).encode())


@pytest.mark.parametrize(
    "line",
    [
        f"a=Fingerprint:{OTHER}",
        f"a= fingerprint:{OTHER}",
        f"a=fingerprint :{OTHER}",
        f"a=fingerprint: {OTHER}",
        f"a=fingerprint:{OTHER} ",
        "a=fingerprint",
        "a=fingerprint:sha-256 AB",
        "a=fingerprint:md5 00:11",
        f" a=fingerprint:{OTHER}",
        f"A=fingerprint:{OTHER}",
        f"a=x\ra=fingerprint:{OTHER}",
        f"a=x\x0ba=fingerprint:{OTHER}",
        f"a=x\x00a=fingerprint:{OTHER}",
        f"a=x\x85a=fingerprint:{OTHER}",
        f"a=x\u2028a=fingerprint:{OTHER}",
        "a=setup:",
        "a=setup: passive",
        "a=setup:passive ",
        "a=tls-id:1\u00a0",
        "a=SETUP:active",
        "m=audio 9",
        "rubbish",
        "",
        "x",
    ],
)
def test_what_another_reader_could_see_differently_is_refused(line: str):
    with pytest.raises(DecodeError):
        read_sdp((session() + media(line)).encode())


def test_an_identity_stands_alone_at_session_level():
    for sdp in (session("a=identity:a", "a=identity:b"), session() + media("a=identity:a")):
        with pytest.raises(DecodeError):
            read_sdp(sdp.encode())


def test_different_tls_ids_are_refused():
    with pytest.raises(DecodeError):
        read_sdp((session("a=tls-id:1") + media("a=tls-id:2")).encode())
    assert read_sdp((session("a=tls-id:1") + media("a=tls-id:1")).encode()).tls_id == "1"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"v=0",
        b"v=1\r\n",
        b"s=-\r\nv=0\r\n",
        b"v=0\r\na=\xff\r\n",
        b"v=0\r\na=" + b"x" * MAX_SDP + b"\r\n",
        session(
            *(f"a=fingerprint:{Fingerprint('sha-256', bytes([n]) * 32)}" for n in range(MAX_FINGERPRINTS))
        ).encode(),
    ],
    ids=["empty", "no line end", "version", "order", "not UTF-8", "long", "fingerprints"],
)
def test_oversize_and_malformed_sdp_is_refused(octets: bytes):
    with pytest.raises(DecodeError):
        read_sdp(octets)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_identity_is_inserted_at_session_level(end: str):
    sdp = (session() + media() + media()).replace("\r\n", end).encode()
    signed = insert_identity(sdp, "abc")
    assert read_sdp(signed).identity == "abc"
    assert signed.replace(f"a=identity:abc{end}".encode(), b"") == sdp
    assert read_sdp(insert_identity(session().encode(), "abc")).identity == "abc"


def test_identity_is_not_inserted_twice():
    with pytest.raises(IllegalParameter):
        insert_identity(session("a=identity:abc").encode(), "def")


@given(st.binary(max_size=200), st.integers(0, 400))
@settings(max_examples=100)
def test_mutated_sdp_raises_only_decode_errors(insertion: bytes, position: int):
    sdp = (session("a=identity:abc") + media()).encode()
    with suppress(DecodeError):
        read_sdp(sdp[:position] + insertion + sdp[position:])


def test_what_is_accepted_shows_no_fingerprint_to_a_lenient_reader_only():
    """Every line that the loosest of readers would take for a fingerprint is one that the strict scan reported."""
    for separator in ("\r", "\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\t", "\xa0"):
        sdp = session() + media(f"a=note:x{separator}a=fingerprint:{OTHER}")
        with suppress(DecodeError):
            found = read_sdp(sdp.encode()).fingerprints
            lenient = [line for line in sdp.splitlines() if line.strip().lower().startswith("a=fingerprint")]
            assert len(found) == len(lenient), repr(separator)
