"""The extensions that path validation understands (RFC 5280, Section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntFlag

from perc.errors import CertificateError
from perc.x509.der import DerReader, Tag, encode_oid

_BASIC_CONSTRAINTS = encode_oid("2.5.29.19")
_KEY_USAGE = encode_oid("2.5.29.15")
_EXTENDED_KEY_USAGE = encode_oid("2.5.29.37")
_SUBJECT_ALTERNATIVE_NAME = encode_oid("2.5.29.17")
NAME_CONSTRAINTS = encode_oid("2.5.29.30")
SERVER_AUTHENTICATION = encode_oid("1.3.6.1.5.5.7.3.1")
ANY_EXTENDED_KEY_USAGE = encode_oid("2.5.29.37.0")

_DNS_NAME = Tag.CONTEXT + 2
_IP_ADDRESS = Tag.CONTEXT + 7


class KeyUsage(IntFlag):
    """The bits of keyUsage that matter here, in the first octet of its BIT STRING (RFC 5280, Section 4.2.1.3)."""

    DIGITAL_SIGNATURE = 0x80
    KEY_CERT_SIGN = 0x04


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a certificate's extensions say; None where an extension is absent.

    `not_understood` holds the critical extensions that are unknown here, and name constraints, critical or not: they
    restrict a CA, so that to ignore them would accept what it was forbidden to issue.
    """

    is_ca: bool = False
    path_length: int | None = None
    key_usage: KeyUsage | None = None
    extended_key_usage: frozenset[bytes] | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[bytes, ...] = ()
    not_understood: frozenset[bytes] = field(default=frozenset())


def read_extensions(reader: DerReader) -> Extensions:
    """Reads Extensions; `CertificateError` for a malformed or repeated one."""
    if reader.at_end:
        raise CertificateError("an empty list of extensions")
    found = Extensions()
    seen: set[bytes] = set()
    while not reader.at_end:
        extension = reader.sequence()
        oid = extension.object_identifier()
        critical = extension.flag()
        value = DerReader(extension.element(Tag.OCTET_STRING))
        extension.expect_end()
        # RFC 5280, Section 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
        if oid in seen:
            raise CertificateError("an extension that occurs twice")
        seen.add(oid)
        found = _add_extension(found, oid, critical, value)
    return found


def _add_extension(found: Extensions, oid: bytes, critical: bool, value: DerReader) -> Extensions:
    if oid == _BASIC_CONSTRAINTS:
        found = _read_basic_constraints(found, value)
    elif oid == _KEY_USAGE:
        found = replace(found, key_usage=_read_key_usage(value))
    elif oid == _EXTENDED_KEY_USAGE:
        found = replace(found, extended_key_usage=_read_extended_key_usage(value))
    elif oid == _SUBJECT_ALTERNATIVE_NAME:
        found = _read_subject_alternative_name(found, value)
    else:
        if critical or oid == NAME_CONSTRAINTS:
            found = replace(found, not_understood=found.not_understood | {oid})
        return found
    value.expect_end()
    return found


def _read_basic_constraints(found: Extensions, value: DerReader) -> Extensions:
    constraints = value.sequence()
    is_ca = constraints.flag()
    path_length = constraints.integer() if constraints.next_is(Tag.INTEGER) else None
    constraints.expect_end()
    # RFC 5280, Section 4.2.1.9: "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted".
    if path_length is not None and (path_length < 0 or not is_ca):
        raise CertificateError("a path length that means nothing")
    return replace(found, is_ca=is_ca, path_length=path_length)


def _read_key_usage(value: DerReader) -> KeyUsage:
    octets, _ = value.bit_string()
    # RFC 5280, Section 4.2.1.3: "at least one of the bits MUST be set to 1".
    if not any(octets):
        raise CertificateError("a key usage that allows nothing")
    return KeyUsage(octets[0] & (KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_CERT_SIGN))


def _read_extended_key_usage(value: DerReader) -> frozenset[bytes]:
    purposes = value.sequence()
    found = set()
    while not purposes.at_end:
        found.add(purposes.object_identifier())
    if not found:
        raise CertificateError("an extended key usage that allows nothing")
    return frozenset(found)


def _read_subject_alternative_name(found: Extensions, value: DerReader) -> Extensions:
    names = value.sequence()
    dns_names: list[str] = []
    ip_addresses: list[bytes] = []
    if names.at_end:
        raise CertificateError("a subject alternative name without names")
    while not names.at_end:
        tag, contents = names.any_element()
        if tag == _DNS_NAME:
            if not contents.isascii():
                raise CertificateError("a DNS name that is not an IA5String")
            dns_names.append(contents.decode("ascii"))
        elif tag == _IP_ADDRESS:
            if len(contents) not in {4, 16}:
                raise CertificateError("an IP address of neither version")
            ip_addresses.append(contents)
    return replace(found, dns_names=tuple(dns_names), ip_addresses=tuple(ip_addresses))
