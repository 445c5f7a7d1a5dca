"""Chains as they occur, good ones and forged ones, and the alert that each is answered with.

`test_chains.py` compares every verdict with another verifier's, over many more chains.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from perc.crypto.pyca import PycaProvider
from perc.errors import AlertDescription, ApiMisuse, CertificateError
from perc.x509.certificate import Certificate
from perc.x509.der import encode_oid
from perc.x509.path import TrustAnchors, validate_server
from tests.driving import run
from tests.x509.authority import (
    CA_USAGE,
    NOW,
    Authority,
    Issued,
    alternative_names,
    ca_extensions,
    key_usage,
    server_extensions,
)

PROVIDER = PycaProvider()
RSA_KEY = rsa.generate_private_key(65537, 2048)
SMALL_RSA_KEY = rsa.generate_private_key(65537, 1024)
P384_KEY = ec.generate_private_key(ec.SECP384R1())
P521_KEY = ec.generate_private_key(ec.SECP521R1())
NAME = "md.example"
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
SHA1_WITH_RSA = "1.2.840.113549.1.1.5"

ROOT = Authority.root("Root")
OTHER_ROOT = Authority.root("Other Root")
FALSE_ROOT = Authority.root("Root")
INTERMEDIATE = ROOT.issue_ca("Intermediate")
LOW = INTERMEDIATE.issue_ca("Low", path_length=0)
SERVER = INTERMEDIATE.issue_server(NAME)

BAD = AlertDescription.BAD_CERTIFICATE
UNSUPPORTED = AlertDescription.UNSUPPORTED_CERTIFICATE
EXPIRED = AlertDescription.CERTIFICATE_EXPIRED
UNKNOWN_CA = AlertDescription.UNKNOWN_CA
UNKNOWN = AlertDescription.CERTIFICATE_UNKNOWN


@dataclass
class Case:
    """A chain and the verdict on it: None or the alert."""

    name: str
    chain: list[Issued]
    alert: AlertDescription | None = None
    anchors: tuple[Authority, ...] = (ROOT,)
    server_name: str = NAME
    raw: Callable[[bytes], bytes] = lambda der: der

    @property
    def ders(self) -> list[bytes]:
        first, *others = self.chain
        return [self.raw(first.der), *(other.der for other in others)]


def chain_of(length: int) -> list[Issued]:
    authorities = [ROOT]
    for number in range(length):
        authorities.append(authorities[-1].issue_ca(f"CA {number}"))
    return [authorities[-1].issue_server(NAME), *reversed(authorities[1:])]


def server(extensions: list[tuple[x509.ExtensionType, bool]]) -> list[Issued]:
    return [ROOT.issue("server", extensions)]


def below(extensions: list[tuple[x509.ExtensionType, bool]]) -> list[Issued]:
    issued = ROOT.issue("Odd CA", extensions)
    return [Authority(issued.certificate, issued.private_key).issue_server(NAME), issued]


def with_sha1(der: bytes) -> bytes:
    """The same certificate, truly signed by RSA_KEY with SHA-1, which cryptography no longer does."""
    claimed = Certificate.parse(der.replace(encode_oid(SHA256_WITH_RSA), encode_oid(SHA1_WITH_RSA)))
    signature = RSA_KEY.sign(claimed.to_be_signed, padding.PKCS1v15(), hashes.SHA1())
    return claimed.der.replace(claimed.signature, signature)


def tampered(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])


CROSS_SIGNED = OTHER_ROOT.issue_ca("Intermediate", key=INTERMEDIATE.private_key)
RSA_ROOT = Authority.root("RSA Root", key=RSA_KEY)
P384_ROOT = Authority.root("P-384 Root", key=P384_KEY)
SMALL_ROOT = Authority.root("Small Root", key=SMALL_RSA_KEY)
P521_ROOT = Authority.root("P-521 Root", key=P521_KEY)
SERVER_AS_CA = Authority(SERVER.certificate, SERVER.private_key)
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
SHORT_SALT = padding.PSS(padding.MGF1(hashes.SHA256()), 20)
GOOD = server_extensions(NAME)
ANY_PURPOSE = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
CLIENT_PURPOSE = ExtendedKeyUsageOID.CLIENT_AUTH
CLIENT_ONLY = (x509.ExtendedKeyUsage([CLIENT_PURPOSE]), False)
FOR_ANYTHING = (x509.ExtendedKeyUsage([ANY_PURPOSE]), False)
A_CA = ca_extensions()[0]
MAY_SIGN_DATA = (key_usage(digital_signature=True), True)
MAY_ENCIPHER = (key_usage(key_encipherment=True), True)
LOWER = LOW.issue_ca("Lower")
CONSTRAINT = (x509.NameConstraints([x509.DNSName("example")], None), True)
FORBIDDING = (x509.NameConstraints([x509.DNSName("example.org")], None), True)
UNHEARD = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)

CASES = [
    Case("issued by the anchor", [ROOT.issue_server(NAME)]),
    Case("one intermediate", [SERVER, INTERMEDIATE]),
    Case("two intermediates", [LOW.issue_server(NAME), LOW, INTERMEDIATE]),
    Case("in another order", [LOW.issue_server(NAME), INTERMEDIATE, LOW]),
    Case("with the root itself", [SERVER, INTERMEDIATE, ROOT]),
    Case("with a certificate too many", [SERVER, OTHER_ROOT, INTERMEDIATE, SERVER]),
    Case("five intermediates", chain_of(5)),
    Case("an anchor among others", [SERVER, INTERMEDIATE], anchors=(OTHER_ROOT, FALSE_ROOT, ROOT)),
    Case("cross-signed, the other way first", [SERVER, CROSS_SIGNED, INTERMEDIATE]),
    Case("cross-signed, to the other root", [SERVER, INTERMEDIATE, CROSS_SIGNED], anchors=(OTHER_ROOT,)),
    Case("an intermediate as anchor", [SERVER], anchors=(INTERMEDIATE,)),
    Case("RSA PKCS #1", [RSA_ROOT.issue_server(NAME)], anchors=(RSA_ROOT,)),
    Case("RSA PKCS #1 with SHA-512", [RSA_ROOT.issue_server(NAME, digest=hashes.SHA512())], anchors=(RSA_ROOT,)),
    Case("RSA-PSS", [RSA_ROOT.issue_server(NAME, rsa_padding=PSS)], anchors=(RSA_ROOT,)),
    Case("P-384", [P384_ROOT.issue_server(NAME)], anchors=(P384_ROOT,)),
    Case("SHA-256 under P-384", [P384_ROOT.issue_server(NAME, digest=hashes.SHA256())], anchors=(P384_ROOT,)),
    Case("a server with an RSA key", [ROOT.issue_server(NAME, key=RSA_KEY)]),
    Case("an address", [ROOT.issue_server("127.0.0.1")], server_name="127.0.0.1"),
    Case("a wildcard", [ROOT.issue_server("*.md.example")], server_name="a.md.example"),
    Case("no extended key usage", server([GOOD[0], GOOD[1], GOOD[3]])),
    Case("no key usage", server([GOOD[0], GOOD[2], GOOD[3]])),
    Case("any purpose, for a CA", below([*ca_extensions(), FOR_ANYTHING])),
    Case("a key that may not sign, which is the handshake's to refuse", server([GOOD[0], MAY_ENCIPHER, *GOOD[2:]])),
    Case("a small RSA key, likewise", [ROOT.issue_server(NAME, key=SMALL_RSA_KEY)]),
    Case("SHA-512 under P-256", [ROOT.issue_server(NAME, digest=hashes.SHA512())]),
    Case("eight intermediates", chain_of(8)),
    Case("name constraints that allow it", below([*ca_extensions(), CONSTRAINT])),
    # Trust
    Case("no anchors", [SERVER, INTERMEDIATE], UNKNOWN_CA, anchors=()),
    Case("another root", [SERVER, INTERMEDIATE], UNKNOWN_CA, anchors=(OTHER_ROOT,)),
    Case("a root that only the server sends", [SERVER, INTERMEDIATE, ROOT], UNKNOWN_CA, anchors=(OTHER_ROOT,)),
    Case("no intermediate", [SERVER], UNKNOWN_CA),
    Case("self-signed", [Authority.root(NAME).issue_server(NAME)], UNKNOWN_CA),
    Case("a root of the same name", [FALSE_ROOT.issue_server(NAME)], BAD),
    Case("a root of the same name, sent along", [FALSE_ROOT.issue_server(NAME), FALSE_ROOT], BAD),
    # Signatures
    Case("a tampered signature", [SERVER, INTERMEDIATE], BAD, raw=tampered),
    Case("a tampered name", [SERVER, INTERMEDIATE], UNKNOWN, raw=lambda der: der.replace(b"md.example", b"me.example")),
    Case("signed by another key", [INTERMEDIATE.issue_server(NAME, issuer_key=ROOT.private_key), INTERMEDIATE], BAD),
    Case("SHA-1", [RSA_ROOT.issue_server(NAME)], BAD, anchors=(RSA_ROOT,), raw=with_sha1),
    Case("SHA-224", [ROOT.issue_server(NAME, digest=hashes.SHA224())], BAD),
    Case("RSA-PSS with a short salt", [RSA_ROOT.issue_server(NAME, rsa_padding=SHORT_SALT)], BAD, anchors=(RSA_ROOT,)),
    # Keys
    Case("a root with a small RSA key", [SMALL_ROOT.issue_server(NAME)], UNSUPPORTED, anchors=(SMALL_ROOT,)),
    Case("P-521", [P521_ROOT.issue_server(NAME)], UNSUPPORTED, anchors=(P521_ROOT,)),
    # Time
    Case("expired", [INTERMEDIATE.issue_server(NAME, lifetime=(-30, -1)), INTERMEDIATE], EXPIRED),
    Case("not yet valid", [INTERMEDIATE.issue_server(NAME, lifetime=(1, 30)), INTERMEDIATE], EXPIRED),
    Case("an expired CA", [(old := ROOT.issue_ca("Old", lifetime=(-30, -1))).issue_server(NAME), old], EXPIRED),
    # CAs
    Case("issued by a server", [SERVER_AS_CA.issue_server(NAME), SERVER, INTERMEDIATE], BAD),
    Case("issued by one without basic constraints", below([(CA_USAGE, True)]), BAD),
    Case("issued by a key that may not", below([A_CA, MAY_SIGN_DATA]), BAD),
    Case("path length 0 exceeded", [LOWER.issue_server(NAME), LOWER, LOW, INTERMEDIATE], BAD),
    Case("nine intermediates", chain_of(9), BAD),
    Case("a CA without key usage", below([A_CA]), BAD),
    Case("a CA for other purposes", below([*ca_extensions(), CLIENT_ONLY]), UNSUPPORTED),
    Case("name constraints that forbid it", below([*ca_extensions(), FORBIDDING]), BAD),
    Case("an unknown critical extension of a CA", below([*ca_extensions(), UNHEARD]), UNSUPPORTED),
    # The server
    Case("a CA as server", [ROOT.issue("server", [*ca_extensions(), (alternative_names(NAME), False)])], UNSUPPORTED),
    Case("a client's certificate", server(server_extensions(NAME, purpose=CLIENT_PURPOSE)), UNSUPPORTED),
    Case("any purpose, for a server", server(server_extensions(NAME, purpose=ANY_PURPOSE)), UNSUPPORTED),
    Case("an unknown critical extension", server([*GOOD, UNHEARD]), UNSUPPORTED),
    # Names
    Case("another name", [SERVER, INTERMEDIATE], UNKNOWN, server_name="other.example"),
    Case("another address", [ROOT.issue_server("127.0.0.1")], UNKNOWN, server_name="127.0.0.2"),
    Case("a wildcard one label too far", [ROOT.issue_server("*.example.org")], UNKNOWN, server_name="a.b.example.org"),
    Case("only a common name", server(GOOD[:3]), UNKNOWN),
]  # fmt: skip


def judge(case: Case) -> AlertDescription | None:
    anchors = TrustAnchors([anchor.der for anchor in case.anchors])
    try:
        server = run(validate_server(PROVIDER, case.ders, anchors, case.server_name, NOW))
    except CertificateError as error:
        return error.alert
    assert server == Certificate.parse(case.ders[0])
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdicts(case: Case) -> None:
    assert judge(case) == case.alert


@pytest.mark.parametrize("length", [0, 11])
def test_a_chain_has_one_to_ten_certificates(length: int) -> None:
    with pytest.raises(CertificateError):
        run(validate_server(PROVIDER, [SERVER.der] * length, TrustAnchors([ROOT.der]), NAME, NOW))


def test_many_cas_of_one_name_cost_a_bounded_number_of_checks() -> None:
    class Counting(PycaProvider):
        checks = 0

        async def verify(self, *arguments: object) -> bool:
            self.checks += 1
            return await super().verify(*arguments)  # type: ignore[arg-type]

    provider = Counting()
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(9)]
    circle = [Authority.root("Circle", key=key) for key in keys]
    server = circle[0].issue_server(NAME)
    with pytest.raises(CertificateError):
        run(validate_server(provider, [server.der, *(each.der for each in circle)], TrustAnchors([]), NAME, NOW))
    assert provider.checks <= 16


def test_names_and_constraints_without_number_cost_nothing() -> None:
    many = [f"n{number}.example" for number in range(200)]
    constraints = x509.NameConstraints([x509.DNSName(each) for each in many], None)
    issued = ROOT.issue("Pedantic CA", [*ca_extensions(), (constraints, True)])
    ca = Authority(issued.certificate, issued.private_key)
    for names, reason in ((many[:80], None), (many, "too many names")):
        chain = [ca.issue_server(*names).der, ca.der]
        validation = validate_server(PROVIDER, chain, TrustAnchors([ROOT.der]), many[0], NOW)
        if reason is None:
            run(validation)
        else:
            with pytest.raises(CertificateError, match=reason):
                run(validation)


def test_two_cas_that_signed_each_other_lead_nowhere() -> None:
    first_key, second_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    first = Authority.root("Second", key=second_key).issue_ca("First", key=first_key)
    second = Authority.root("First", key=first_key).issue_ca("Second", key=second_key)
    chain = [first.issue_server(NAME).der, first.der, second.der]
    with pytest.raises(CertificateError):
        run(validate_server(PROVIDER, chain, TrustAnchors([ROOT.der]), NAME, NOW))


def test_validity_includes_its_ends() -> None:
    for moment in (SERVER.certificate.not_valid_before_utc, SERVER.certificate.not_valid_after_utc):
        chain = [SERVER.der, INTERMEDIATE.der]
        run(validate_server(PROVIDER, chain, TrustAnchors([ROOT.der]), NAME, moment))
    with pytest.raises(CertificateError):
        run(validate_server(PROVIDER, chain, TrustAnchors([ROOT.der]), NAME, moment + timedelta(seconds=1)))


def test_mutated_chains_are_refused_with_certificate_errors_only() -> None:
    chance = random.Random(6125)
    anchors = TrustAnchors([ROOT.der])
    chain = [SERVER.der, INTERMEDIATE.der]
    for _ in range(1000):
        which = chance.randrange(2)
        mutant = bytearray(chain[which])
        mutant[chance.randrange(len(mutant))] ^= 1 << chance.randrange(8)
        forged = [bytes(mutant) if index == which else der for index, der in enumerate(chain)]
        with pytest.raises(CertificateError):
            run(validate_server(PROVIDER, forged, anchors, NAME, NOW))


def test_anchors_are_found_among_all_of_mozilla() -> None:
    pem = Path(certifi.where()).read_text("utf-8") + _pem(ROOT)
    anchors = TrustAnchors.from_pem(pem)
    run(validate_server(PROVIDER, [SERVER.der, INTERMEDIATE.der], anchors, NAME, NOW))
    with pytest.raises(CertificateError):
        run(validate_server(PROVIDER, [OTHER_ROOT.issue_server(NAME).der], anchors, NAME, NOW))


def test_text_around_anchors_is_ignored_but_not_a_broken_one() -> None:
    assert not TrustAnchors.from_pem("").issuers_of(Certificate.parse(SERVER.der))
    assert TrustAnchors.from_pem("# comment\n" + _pem(INTERMEDIATE)).issuers_of(Certificate.parse(SERVER.der))
    with pytest.raises(ApiMisuse):
        TrustAnchors.from_pem("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n")


def _pem(authority: Authority) -> str:
    return authority.certificate.public_bytes(Encoding.PEM).decode("ascii")
