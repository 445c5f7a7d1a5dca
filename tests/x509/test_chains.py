"""Every chain of `changes.py`, judged by `validate_server` and by cryptography's verifier: they differ in no other.

Both are asked the same question: is this chain good for a TLS server of this name, at this time, under these anchors?
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from perc.crypto.pyca import PycaProvider
from perc.errors import CertificateError
from perc.x509.path import MAXIMUM_INTERMEDIATES, TrustAnchors, validate_server
from tests.driving import run
from tests.x509.authority import NOW
from tests.x509.chains import Chain, subject_of
from tests.x509.changes import CHANGES, chain_with

DIFFERENCES = {
    "ca: a key of P-521": (
        "WebCrypto has P-521 in some browsers only, and the Key Distributor is to judge alike in all; no handshake here"
        " offers it either"
    ),
    "ca: constrained with a minimum": (
        'RFC 5280, Section 4.2.1.10: whoever finds a minimum other than zero "MUST either process these fields or'
        ' reject the certificate"; cryptography overlooks it'
    ),
}
"""Where `validate_server` refuses what cryptography accepts, and why. There is nothing that only it accepts."""


def accepts(chain: Chain) -> bool:
    try:
        run(validate_server(PycaProvider(), chain.sent, TrustAnchors(chain.trusted), chain.name, NOW))
    except CertificateError:
        return False
    return True


def cryptography_accepts(chain: Chain) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            leaf = x509.load_der_x509_certificate(chain.sent[0])
            store = Store(list(_readable(chain.trusted)))
            policy = PolicyBuilder().store(store).time(NOW).max_chain_depth(MAXIMUM_INTERMEDIATES)
            policy.build_server_verifier(subject_of(chain)).verify(leaf, list(_readable(chain.sent[1:])))
    except (ValueError, x509.InvalidVersion, VerificationError):
        return False  # also for a name or a certificate that it does not read, and for no anchors at all
    return True


def _readable(ders: Iterable[bytes]) -> Iterator[x509.Certificate]:
    """What is no certificate can still stand beside those that are needed."""
    for der in ders:
        with suppress(ValueError, x509.InvalidVersion):
            yield x509.load_der_x509_certificate(der)


@pytest.mark.parametrize("labels", [(), *((label,) for label in CHANGES)], ids="".join)
def test_one_change(labels: tuple[str, ...]) -> None:
    chain = chain_with(*labels)
    expected = cryptography_accepts(chain)
    if set(labels) & DIFFERENCES.keys():
        assert expected, "a difference that has disappeared is to be taken off the list"
        expected = False
    assert accepts(chain) == expected


def differing(pairs: Iterable[tuple[str, ...]]) -> list[tuple[tuple[str, ...], bool]]:
    found = []
    for labels in pairs:
        chain = chain_with(*labels)
        ours = accepts(chain)
        if ours != cryptography_accepts(chain) and (ours or not set(labels) & DIFFERENCES.keys()):
            found.append((labels, ours))
    return found


def test_two_changes() -> None:
    """Of those that leave the chain good, each with each other; of the rest a choice that is the same in each run."""
    harmless = [label for label in CHANGES if cryptography_accepts(chain_with(label))]
    pairs = list(itertools.permutations(harmless, 2))
    everything = random.Random(5280).sample(list(itertools.permutations(CHANGES, 2)), 600)
    assert differing(random.Random(9525).sample(pairs, 600) + everything) == []
