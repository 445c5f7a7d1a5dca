"""What meets the Key Distributor in tests: offers, answers and verdicts as honest peers make them."""

from __future__ import annotations

from itertools import count

from perc.identity.assertion import IdentityAssertion, write_identity
from perc.identity.contents import Purpose, write_contents
from perc.identity.verdict import Verdict
from perc.key_distributor.offer import Offer, read_offer
from perc.tunnel.messages import SignAnswer
from perc.x509.fingerprint import Fingerprint

CONFERENCE = "http://localhost:8000/perc/room"
OFFERING = Purpose(CONFERENCE)
KD = Fingerprint("sha-256", b"K" * 32)
ALICE = Fingerprint("sha-256", b"A" * 32)
BOB = Fingerprint("sha-256", b"B" * 32)

_numbers = count(1)


def identity_value(token: str = "token", domain: str = "idp-a.localhost:8001") -> str:
    return write_identity(IdentityAssertion(domain, "default", token))


def offer_sdp(*fingerprints: Fingerprint, token: str = "token", lines: tuple[str, ...] = ()) -> bytes:
    return sdp(*(f"a=fingerprint:{each}" for each in fingerprints), f"a=identity:{identity_value(token)}", *lines)


def answer_sdp(fingerprint: Fingerprint = KD, lines: tuple[str, ...] = (), media: tuple[str, ...] = ()) -> bytes:
    session = (f"a=fingerprint:{fingerprint}", *lines)
    return sdp(*session, media=("a=setup:passive", *media))


def sdp(*session: str, media: tuple[str, ...] = ("a=setup:actpass",)) -> bytes:
    """Each with an o= line of its own."""
    head = ("v=0", f"o=- {next(_numbers)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0")
    return "".join(f"{line}\r\n" for line in (*head, *session, "m=audio 9 UDP/TLS/RTP/SAVPF 111", *media)).encode()


def offer(*fingerprints: Fingerprint, token: str = "token", lines: tuple[str, ...] = ()) -> Offer:
    return read_offer(offer_sdp(*fingerprints, token=token, lines=lines))


def sign_answer(*fingerprints: Fingerprint, token: str = "token") -> SignAnswer:
    return SignAnswer(offer_sdp(*fingerprints, token=token), answer_sdp())


def verdict(*fingerprints: Fingerprint, name: str = "alice@idp-a.localhost", purpose: Purpose = OFFERING) -> Verdict:
    return Verdict(name, write_contents(fingerprints, purpose))
