"""The extensions that path validation understands (RFC 5280, Section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag

from perc.errors import CertificateError
from perc.x509.der import DerReader, Tag, encode_oid
from perc.x509.name_constraints import DNS_NAME, IP_ADDRESS, GeneralName, NameConstraints

SUBJECT_KEY_IDENTIFIER = encode_oid("2.5.29.14")
KEY_USAGE = encode_oid("2.5.29.15")
SUBJECT_ALTERNATIVE_NAME = encode_oid("2.5.29.17")
BASIC_CONSTRAINTS = encode_oid("2.5.29.19")
NAME_CONSTRAINTS = encode_oid("2.5.29.30")
AUTHORITY_KEY_IDENTIFIER = encode_oid("2.5.29.35")
EXTENDED_KEY_USAGE = encode_oid("2.5.29.37")
SERVER_AUTHENTICATION = encode_oid("1.3.6.1.5.5.7.3.1")
ANY_EXTENDED_KEY_USAGE = encode_oid("2.5.29.37.0")

_KEY_IDENTIFIER = Tag.CONTEXT


class KeyUsage(IntFlag):
    """The bits of keyUsage that matter here, in the first octet of its BIT STRING (RFC 5280, Section 4.2.1.3)."""

    DIGITAL_SIGNATURE = 0x80
    KEY_CERT_SIGN = 0x04


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a certificate's extensions say; None where an extension is absent.

    `criticality` has every extension by its OBJECT IDENTIFIER, and whether it is critical; `not_understood` those
    critical ones that are unknown here.
    """

    is_ca: bool = False
    path_length: int | None = None
    key_usage: KeyUsage | None = None
    extended_key_usage: frozenset[bytes] | None = None
    names: tuple[GeneralName, ...] = ()
    name_constraints: NameConstraints | None = None
    names_authority_key: bool = False
    criticality: Mapping[bytes, bool] = field(default_factory=dict)
    not_understood: frozenset[bytes] = field(default=frozenset())

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The DNS names of subjectAltName."""
        return tuple(contents.decode("ascii") for kind, contents in self.names if kind == DNS_NAME)

    @property
    def ip_addresses(self) -> tuple[bytes, ...]:
        """The addresses of subjectAltName."""
        return tuple(contents for kind, contents in self.names if kind == IP_ADDRESS)


def read_extensions(reader: DerReader) -> Extensions:
    """Reads Extensions; `CertificateError` for a malformed or repeated one."""
    if reader.at_end:
        raise CertificateError("an empty list of extensions")
    found = Extensions()
    criticality: dict[bytes, bool] = {}
    while not reader.at_end:
        extension = reader.sequence()
        oid = extension.object_identifier()
        critical = extension.flag()
        value = DerReader(extension.element(Tag.OCTET_STRING))
        extension.expect_end()
        # RFC 5280, Section 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
        if oid in criticality:
            raise CertificateError("an extension that occurs twice")
        criticality[oid] = critical
        found = _add_extension(found, oid, critical, value)
    return replace(found, criticality=criticality)


def _add_extension(found: Extensions, oid: bytes, critical: bool, value: DerReader) -> Extensions:
    if oid == BASIC_CONSTRAINTS:
        found = _read_basic_constraints(found, value)
    elif oid == KEY_USAGE:
        found = replace(found, key_usage=_read_key_usage(value))
    elif oid == EXTENDED_KEY_USAGE:
        found = replace(found, extended_key_usage=_read_extended_key_usage(value))
    elif oid == SUBJECT_ALTERNATIVE_NAME:
        found = replace(found, names=_read_subject_alternative_name(value))
    elif oid == NAME_CONSTRAINTS:
        found = replace(found, name_constraints=NameConstraints.read(value))
    elif oid == SUBJECT_KEY_IDENTIFIER:
        value.element(Tag.OCTET_STRING)
    elif oid == AUTHORITY_KEY_IDENTIFIER and not critical:
        return replace(found, names_authority_key=value.sequence().next_is(_KEY_IDENTIFIER))
    else:
        return replace(found, not_understood=found.not_understood | {oid}) if critical else found
    value.expect_end()
    return found


def _read_basic_constraints(found: Extensions, value: DerReader) -> Extensions:
    constraints = value.sequence()
    is_ca = constraints.flag()
    path_length = constraints.integer() if constraints.next_is(Tag.INTEGER) else None
    constraints.expect_end()
    # Without cA it "MUST NOT" be there (RFC 5280, Section 4.2.1.9), and means nothing where it is.
    if path_length is not None and path_length < 0:
        raise CertificateError("a path length that is negative")
    return replace(found, is_ca=is_ca, path_length=path_length)


def _read_key_usage(value: DerReader) -> KeyUsage:
    octets, _ = value.bit_string()
    return KeyUsage((octets or b"\0")[0] & (KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_CERT_SIGN))


def _read_extended_key_usage(value: DerReader) -> frozenset[bytes]:
    purposes = value.sequence()
    found = set()
    while not purposes.at_end:
        found.add(purposes.object_identifier())
    if not found:
        raise CertificateError("an extended key usage that allows nothing")
    return frozenset(found)


def _read_subject_alternative_name(value: DerReader) -> tuple[GeneralName, ...]:
    names = value.sequence()
    found: list[GeneralName] = []
    if names.at_end:
        raise CertificateError("a subject alternative name without names")
    while not names.at_end:
        kind, contents = names.any_element()
        if kind == DNS_NAME and not contents.isascii():
            raise CertificateError("a DNS name that is not an IA5String")
        if kind == IP_ADDRESS and len(contents) not in {4, 16}:
            raise CertificateError("an IP address of neither version")
        found.append((kind, contents))
    return tuple(found)
