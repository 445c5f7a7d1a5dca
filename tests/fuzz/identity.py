"""What comes from a page, an identity provider or a Media Distributor as text: SDP, a=identity, contents, names."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from contextlib import suppress

from perc.errors import IdentityRejected, PeerError
from perc.identity.assertion import IdentityAssertion, check_provider, read_identity, write_identity
from perc.identity.contents import Purpose, check_contents, write_contents
from perc.identity.sdp import MAX_FINGERPRINTS, insert_identity, read_sdp
from perc.identity.verdict import MAX_IDENTITY_NAME, check_name
from perc.key_distributor.offer import check_answer, read_offer
from perc.x509.fingerprint import Fingerprint
from tests.fuzz.target import Target, reads

_CONFERENCE = "https://perc.example/perc/room"
_FINGERPRINT = Fingerprint("sha-256", b"F" * 32)
_ASSERTION = IdentityAssertion("idp.example:8443", "default", "token")
_VALUE = write_identity(_ASSERTION)


def text(data: bytes) -> str:
    """Any string that JavaScript can have: lone surrogates, too."""
    return data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def sdp(data: bytes) -> None:
    description = reads(read_sdp, data)
    reads(read_offer, data)
    reads(lambda octets: check_answer(octets, _FINGERPRINT), data)
    if description is None:
        return
    assert len(description.fingerprints) <= MAX_FINGERPRINTS
    assert all(str(each.value.hex(":")).encode() in data.lower() for each in description.fingerprints)
    if description.identity is None:
        with suppress(PeerError):  # it may be too long already
            again = read_sdp(insert_identity(data, _VALUE))
            assert (again.identity, again.fingerprints) == (_VALUE, description.fingerprints)


def sdp_seeds() -> Iterable[bytes]:
    session = ("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=fingerprint:{_FINGERPRINT}")
    media = ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=setup:passive", "a=tls-id:abcdefghijklmnopqrstu")
    rejected = ("m=video 0 UDP/TLS/RTP/SAVPF 96", "a=setup:passive", f"a=fingerprint:{_FINGERPRINT}")
    for lines in ((*session, *media, *rejected), (*session, f"a=identity:{_VALUE}", "a=setup:actpass", *media)):
        yield "".join(f"{line}\r\n" for line in lines).encode()


def identities(data: bytes) -> None:
    """The JSON, and around it what may stand there: base64 would keep the fuzzer from it."""
    json, _, rest = data.partition(b"\xff")
    value = base64.b64encode(json).decode() + text(rest)
    found = reads(lambda _: read_identity(value), b"")
    if found is not None:
        check_provider(found.domain, found.protocol)
        assert read_identity(write_identity(found)) == found
        octets = b"v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\n"
        with suppress(PeerError):
            assert read_sdp(insert_identity(octets, value)).fingerprints == ()


def identity_seeds() -> Iterable[bytes]:
    json = base64.b64decode(_VALUE)
    yield json
    yield json + b"\xff extension=1"
    yield json.replace(b"token", b"\\ud800")
    yield b"\xff" + _VALUE.encode()


def verdicts(data: bytes) -> None:
    name, _, contents = text(data).partition("\n")
    with suppress(IdentityRejected):
        checked = check_name(name, _ASSERTION)
        assert checked.endswith("@idp.example")
        assert checked.isprintable()
        assert len(checked.encode()) <= MAX_IDENTITY_NAME
    for purpose in (Purpose(_CONFERENCE), Purpose(_CONFERENCE, "hash")):
        with suppress(IdentityRejected):
            check_contents(contents, [_FINGERPRINT], purpose)
            assert _CONFERENCE in contents or "\\" in contents


def verdict_seeds() -> Iterable[bytes]:
    for purpose in (Purpose(_CONFERENCE), Purpose(_CONFERENCE, "hash")):
        yield b"alice@idp.example\n" + write_contents([_FINGERPRINT], purpose).encode()
    yield b"ali\xed\xa0\x80ce@idp.example\n{}"


TARGETS = (
    Target("identity-sdp", sdp, sdp_seeds),
    Target("identity-value", identities, identity_seeds),
    Target("identity-verdict", verdicts, verdict_seeds),
)
