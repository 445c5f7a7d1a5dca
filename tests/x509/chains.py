"""A chain that is good, made of drafts that can be changed before they are signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from tests.x509.authority import CA_USAGE, SERVER_USAGE, PrivateKey, alternative_names
from tests.x509.forge import KEYS, Draft, Extension, name

NAME = "md.example"


@dataclass
class Chain:
    """What a server sends, and what the one who looks at it believes. `extras` are sent along, behind the others."""

    server: Draft
    ca: Draft
    root: Draft
    name: str = NAME
    sends: tuple[str, ...] = ("server", "ca")
    extras: list[bytes] = field(default_factory=list)
    anchors: tuple[str, ...] = ("root",)
    _signed: dict[str, bytes] = field(default_factory=dict)

    @property
    def sent(self) -> list[bytes]:
        return [self.der(which) for which in self.sends] + self.extras

    @property
    def trusted(self) -> list[bytes]:
        return [self.der(which) for which in self.anchors]

    def der(self, which: str) -> bytes:
        """Signed once, when all changes have been made: signatures with ECDSA are never the same."""
        if which not in self._signed:
            draft: Draft = getattr(self, which)
            self._signed[which] = draft.der()
        return self._signed[which]


def identifiers(key: PrivateKey, issuer_key: PrivateKey) -> tuple[Extension, Extension]:
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return Extension.of(subject), Extension.of(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    )


def ca_draft(subject: str, issuer: str, key: PrivateKey, issuer_key: PrivateKey) -> Draft:
    basic = Extension.of(x509.BasicConstraints(True, None), critical=True)
    extensions = (basic, Extension.of(CA_USAGE, critical=True), *identifiers(key, issuer_key))
    return Draft(name(subject), name(issuer), key, issuer_key, extensions)


def good_chain() -> Chain:
    root_key, ca_key, server_key = KEYS["root"], KEYS["ca"], KEYS["server"]
    names, purpose = alternative_names(NAME), x509.ExtendedKeyUsage([Purpose.SERVER_AUTH])
    extensions = (
        Extension.of(x509.BasicConstraints(False, None), critical=True),
        Extension.of(SERVER_USAGE, critical=True),
        Extension.of(purpose),
        Extension.of(names),
        *identifiers(server_key, ca_key),
    )
    return Chain(
        server=Draft(name(NAME), name("CA"), server_key, ca_key, extensions),
        ca=ca_draft("CA", "Root", ca_key, root_key),
        root=ca_draft("Root", "Root", root_key, root_key),
    )


def subject_of(chain: Chain) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(chain.name))
    except ValueError:
        return x509.DNSName(chain.name)
