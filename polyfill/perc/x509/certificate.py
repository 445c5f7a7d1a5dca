"""Certificates (RFC 5280, Section 4.1): DER becomes a frozen value here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from perc.crypto.provider import SignatureScheme
from perc.errors import CertificateError
from perc.x509.algorithms import SIGNATURE_ALGORITHMS, KeyType, key_type
from perc.x509.der import DerReader, Tag
from perc.x509.extensions import Extensions, read_extensions

_VERSION_2 = 1
_VERSION_3 = 2
# RFC 5280, Section 4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets", of which some do
# not count the zero in front that keeps them positive.
_MAXIMUM_SERIAL_BITS = 8 * 21
# Real ones have one to three kilobytes.
_MAXIMUM_LENGTH = 1 << 16
# YYMMDDHHMMSS and YYYYMMDDHHMMSS
_TIME_DIGITS: dict[int, int] = {Tag.UTC_TIME: 12, Tag.GENERALIZED_TIME: 14}
_FIRST_GENERALIZED_YEAR = 2050
# The first hour of the next day to Python 3.14, and none to RFC 5280.
_NO_HOUR = b"24"
_NO_EXTENSIONS = Extensions()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that is well-formed; whether anyone should trust it is not said.

    `issuer`, `subject` and `public_key` are DER elements (`public_key` a SubjectPublicKeyInfo). `key_type` and
    `signature_scheme` are None for what this package cannot or will not verify. `has_utc_times`: no date before 2050 is
    written in the form of later ones.
    """

    der: bytes = field(repr=False)
    to_be_signed: bytes = field(repr=False)
    serial_number: int = field(repr=False)
    issuer: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    has_utc_times: bool = field(repr=False)
    public_key: bytes = field(repr=False)
    key_type: KeyType | None
    extensions: Extensions
    signature_scheme: SignatureScheme | None
    signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, der: bytes) -> Certificate:
        """Reads one certificate; `CertificateError` for anything but the DER of one."""
        if len(der) > _MAXIMUM_LENGTH:
            raise CertificateError(f"a certificate of {len(der)} octets")
        outer = DerReader(der)
        certificate = outer.sequence()
        outer.expect_end()
        to_be_signed = certificate.encoded(Tag.SEQUENCE)
        algorithm = certificate.encoded(Tag.SEQUENCE)
        signature = certificate.whole_octets()
        certificate.expect_end()
        return _read_to_be_signed(der, to_be_signed, algorithm, signature)


def _read_to_be_signed(der: bytes, to_be_signed: bytes, algorithm: bytes, signature: bytes) -> Certificate:
    reader = DerReader(to_be_signed).sequence()
    version = _read_version(reader)
    serial_number = reader.integer()
    if serial_number.bit_length() > _MAXIMUM_SERIAL_BITS:
        raise CertificateError("a serial number of more than 20 octets")
    # RFC 5280, Section 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field".
    if reader.encoded(Tag.SEQUENCE) != algorithm:
        raise CertificateError("two different signature algorithms in one certificate")
    issuer = reader.encoded(Tag.SEQUENCE)
    (not_before, first_is_utc), (not_after, second_is_utc) = _read_validity(reader.sequence())
    subject = reader.encoded(Tag.SEQUENCE)
    public_key = reader.encoded(Tag.SEQUENCE)
    extensions = _read_extensions(reader, version)
    reader.expect_end()
    return Certificate(
        der,
        to_be_signed,
        serial_number,
        issuer,
        subject,
        not_before,
        not_after,
        first_is_utc and second_is_utc,
        public_key,
        key_type(public_key),
        extensions,
        SIGNATURE_ALGORITHMS.get(algorithm),
        signature,
    )


def _read_version(reader: DerReader) -> int:
    if not reader.next_is(Tag.CONTEXT_CONSTRUCTED):
        return 0
    explicit = reader.sequence(Tag.CONTEXT_CONSTRUCTED)
    version = explicit.integer()
    explicit.expect_end()
    # A DEFAULT value is not encoded in DER: an explicit version 1 is as wrong as version 4.
    if version not in {_VERSION_2, _VERSION_3}:
        raise CertificateError("a version of certificate that does not exist")
    return version


def _read_validity(reader: DerReader) -> tuple[tuple[datetime, bool], tuple[datetime, bool]]:
    validity = _read_time(reader), _read_time(reader)
    reader.expect_end()
    return validity


def _read_time(reader: DerReader) -> tuple[datetime, bool]:
    """A time, and whether it is in the form that its year asks for."""
    tag, contents = reader.any_element()
    if tag not in _TIME_DIGITS:
        raise CertificateError("not a time")
    digits = contents[:-1]
    # RFC 5280, Section 4.1.2.5: "MUST be expressed in Greenwich Mean Time (Zulu) and MUST include seconds".
    if len(digits) != _TIME_DIGITS[tag] or contents[-1:] != b"Z" or not digits.isdigit():
        raise CertificateError("a time in a form that certificates do not use")
    if tag == Tag.UTC_TIME:
        digits = (b"20" if digits < b"50" else b"19") + digits
    try:
        time = datetime.fromisoformat(f"{digits[:8].decode()}T{digits[8:].decode()}Z")
    except ValueError as error:
        raise CertificateError("a time that does not exist") from error
    if digits[8:10] == _NO_HOUR:
        raise CertificateError("a time that does not exist")
    return time, tag == Tag.UTC_TIME or time.year >= _FIRST_GENERALIZED_YEAR


def _read_extensions(reader: DerReader, version: int) -> Extensions:
    if not reader.next_is(Tag.CONTEXT_CONSTRUCTED + 3):
        return _NO_EXTENSIONS
    if version != _VERSION_3:
        raise CertificateError("extensions in a certificate of an old version")
    explicit = reader.sequence(Tag.CONTEXT_CONSTRUCTED + 3)
    extensions = read_extensions(explicit.sequence())
    explicit.expect_end()
    return extensions
