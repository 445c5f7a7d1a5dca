"""From a server's certificate to a trust anchor (RFC 5280, Section 6), for TLS servers only.

Without policies and revocation: a certificate with a critical extension that is unknown here is refused. Certificates
that no conforming CA issues are refused, too (`conformity`), and self-issued intermediates count against a path length,
which is stricter than the RFC. What a server's key may be used for is the handshake's to
say (`perc.tls.authentication`).
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from perc.crypto.provider import CryptoProvider
from perc.errors import AlertDescription, ApiMisuse, CertificateError
from perc.x509.certificate import Certificate
from perc.x509.conformity import check_issuer_conforms, check_server_conforms
from perc.x509.extensions import ANY_EXTENDED_KEY_USAGE, SERVER_AUTHENTICATION, KeyUsage
from perc.x509.name_constraints import NameConstraints
from perc.x509.names import is_for_name

# Chains of the Web have one to three intermediates; servers sometimes send a few certificates that are not needed.
MAXIMUM_CERTIFICATES = 10
MAXIMUM_INTERMEDIATES = 8
# Cross-signed certificates make a search of this; each step costs the time of a signature check.
MAXIMUM_SIGNATURE_CHECKS = 16
# A hundred names under a hundred constraints, and more: anyone can write a chain that has thousands of both.
MAXIMUM_NAME_COMPARISONS = 1 << 14

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class TrustAnchors:
    """The CA certificates that a deployment trusts.

    Cheap to build: a certificate is only parsed when one is looked for that it may have issued.
    """

    __slots__ = ("_certificates",)

    def __init__(self, certificates: Iterable[bytes]) -> None:
        self._certificates = tuple(certificates)

    @classmethod
    def from_pem(cls, text: str) -> TrustAnchors:
        """All certificates of a PEM file, text around them ignored; `ApiMisuse` for bad base64."""
        try:
            return cls([a2b_base64(body) for body in _PEM.findall(text)])
        except Base64Error as error:
            raise ApiMisuse("a trust anchor is not base64") from error

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate.der in self._certificates

    def issuers_of(self, certificate: Certificate) -> list[Certificate]:
        """The anchors whose subject is the issuer of `certificate`; `CertificateError` if one of them is malformed."""
        candidates = (Certificate.parse(der) for der in self._certificates if certificate.issuer in der)
        return [anchor for anchor in candidates if anchor.subject == certificate.issuer]


async def validate_server(
    provider: CryptoProvider, chain: Sequence[bytes], anchors: TrustAnchors, name: str, now: datetime
) -> Certificate:
    """The server's certificate, the first of `chain`, if it is for `name` and leads to an anchor, or is one.

    The other certificates may stand in any order, and not all need to be used, or to be readable: "implementations
    SHOULD be prepared to handle potentially extraneous certificates and arbitrary orderings" (RFC 8446, Section 4.4.2).
    `name` is a DNS name or an IP address. `CertificateError`, with the alert that says why, in every other case.
    """
    if not 0 < len(chain) <= MAXIMUM_CERTIFICATES:
        raise CertificateError(f"a chain of {len(chain)} certificates")
    server = Certificate.parse(chain[0])
    _check_server(server, now)
    if not is_for_name(server, name):
        raise CertificateError(f"the certificate is not for {name}", AlertDescription.CERTIFICATE_UNKNOWN)
    if server not in anchors:
        await _PathSearch(provider, list(_readable(chain[1:])), anchors, now).run((server,))
    return server


def _readable(ders: Sequence[bytes]) -> Iterator[Certificate]:
    """Those that can be read: of the others nobody knows that they are needed."""
    for der in ders:
        with suppress(CertificateError):
            yield Certificate.parse(der)


class _PathSearch:
    """A depth-first search for an anchor, trust anchors before what the server sent, with a limited effort."""

    def __init__(
        self, provider: CryptoProvider, others: Sequence[Certificate], anchors: TrustAnchors, now: datetime
    ) -> None:
        self._provider = provider
        self._others = others
        self._anchors = anchors
        self._now = now
        self._checks_left = MAXIMUM_SIGNATURE_CHECKS

    async def run(self, path: tuple[Certificate, ...]) -> None:
        """Find a way on from the end of `path`, which begins with the server; `CertificateError` if there is none.

        Of several failures the first is reported, which belongs to the most direct path.
        """
        failure: CertificateError | None = None
        for issuer, is_anchor in self._issuers(path[-1]):
            try:
                _check_issuer(issuer, path, self._now)
                await self._check_signature(path[-1], issuer)
                if not is_anchor:
                    await self.run((*path, issuer))
            except CertificateError as error:
                failure = failure or error
            else:
                return
        raise failure or CertificateError("no path leads to a trust anchor", AlertDescription.UNKNOWN_CA)

    def _issuers(self, certificate: Certificate) -> Iterator[tuple[Certificate, bool]]:
        for anchor in self._anchors.issuers_of(certificate):
            yield anchor, True
        for other in self._others:
            if other.subject == certificate.issuer and other is not certificate:
                yield other, False

    async def _check_signature(self, certificate: Certificate, issuer: Certificate) -> None:
        if certificate.signature_scheme is None:
            # RFC 8446, Section 4.4.2.4: SHA-1 and MD5 signatures are answered "with a "bad_certificate" alert".
            raise CertificateError("a certificate signed with an algorithm that is not accepted")
        if self._checks_left == 0:
            raise CertificateError("too many certificates of the same name")
        self._checks_left -= 1
        scheme, signature = certificate.signature_scheme, certificate.signature
        if not await self._provider.verify(issuer.public_key, scheme, signature, certificate.to_be_signed):
            raise CertificateError("a certificate whose signature does not verify")


def _check_server(certificate: Certificate, now: datetime) -> None:
    extensions = certificate.extensions
    _check_any(certificate, now)
    if extensions.is_ca:
        raise CertificateError("a CA's certificate, used by a server", AlertDescription.UNSUPPORTED_CERTIFICATE)
    # RFC 5280, Section 4.2.1.3: "If the keyCertSign bit is asserted, then the cA bit in the basic constraints
    # extension MUST also be asserted."
    if extensions.key_usage is not None and KeyUsage.KEY_CERT_SIGN in extensions.key_usage:
        raise CertificateError("a server's key that may sign certificates", AlertDescription.UNSUPPORTED_CERTIFICATE)
    check_server_conforms(certificate)
    _check_purpose(certificate, frozenset({SERVER_AUTHENTICATION}))


def _check_issuer(certificate: Certificate, path: tuple[Certificate, ...], now: datetime) -> None:
    extensions = certificate.extensions
    _check_any(certificate, now)
    if certificate.key_type is None:
        raise CertificateError("a public key that is not accepted", AlertDescription.UNSUPPORTED_CERTIFICATE)
    if not extensions.is_ca:
        raise CertificateError("a certificate issued by one that is not a CA's")
    check_issuer_conforms(certificate)
    if extensions.key_usage is not None and KeyUsage.KEY_CERT_SIGN not in extensions.key_usage:
        raise CertificateError("a certificate issued with a key that may not sign certificates")
    intermediates = len(path) - 1
    if extensions.path_length is not None and intermediates > extensions.path_length:
        raise CertificateError("more intermediates than a CA was allowed")
    if intermediates > MAXIMUM_INTERMEDIATES:
        raise CertificateError("a path of too many certificates")
    if extensions.name_constraints is not None:
        _check_names(path, extensions.name_constraints)
    _check_purpose(certificate, frozenset({SERVER_AUTHENTICATION, ANY_EXTENDED_KEY_USAGE}))


def _check_names(path: tuple[Certificate, ...], constraints: NameConstraints) -> None:
    # RFC 5280, Section 4.2.1.10: not "applied to self-issued certificates (unless the certificate is the final
    # certificate in the path)".
    constrained = [path[0], *(each for each in path[1:] if each.subject != each.issuer)]
    names = [name for certificate in constrained for name in certificate.extensions.names]
    if len(names) * constraints.size > MAXIMUM_NAME_COMPARISONS:
        raise CertificateError("too many names and constraints")
    for name in names:
        constraints.check(name)


def _check_any(certificate: Certificate, now: datetime) -> None:
    if not certificate.not_before <= now <= certificate.not_after:
        raise CertificateError("a certificate out of its time", AlertDescription.CERTIFICATE_EXPIRED)
    if certificate.extensions.not_understood:
        raise CertificateError("an extension that must be understood", AlertDescription.UNSUPPORTED_CERTIFICATE)


def _check_purpose(certificate: Certificate, allowed: frozenset[bytes]) -> None:
    purposes = certificate.extensions.extended_key_usage
    if purposes is not None and not purposes & allowed:
        raise CertificateError("a certificate for another purpose", AlertDescription.UNSUPPORTED_CERTIFICATE)
