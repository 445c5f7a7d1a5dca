from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from perc.crypto.provider import SignatureScheme
from perc.crypto.pyca import PycaProvider
from perc.errors import ApiMisuse
from perc.x509.algorithms import KeyType
from perc.x509.self_signed import self_signed
from tests.driving import run
from tests.x509.authority import NOW

PROVIDER = PycaProvider()


def test_cryptography_reads_it_and_its_signature_verifies() -> None:
    key = run(PROVIDER.generate_signing_key())
    certificate = run(self_signed(PROVIDER, key, "Key Distributor", NOW))
    read = x509.load_der_x509_certificate(certificate.der)
    read.verify_directly_issued_by(read)
    assert read.subject.rfc4514_string() == "CN=Key Distributor"
    assert (
        read.not_valid_before_utc
        <= NOW - timedelta(hours=1)
        < NOW
        < NOW + timedelta(days=7)
        <= read.not_valid_after_utc
    )
    assert read.serial_number > 0
    assert not read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert read.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


def test_it_reads_its_own() -> None:
    key = run(PROVIDER.generate_signing_key())
    certificate = run(self_signed(PROVIDER, key, "perc", NOW))
    assert certificate.public_key == key.public_key
    assert certificate.key_type is KeyType.P256
    assert certificate.signature_scheme is SignatureScheme.ECDSA_SECP256R1_SHA256
    assert certificate.issuer == certificate.subject
    assert not certificate.extensions.is_ca


def test_two_have_different_serial_numbers() -> None:
    key = run(PROVIDER.generate_signing_key())
    first, second = (run(self_signed(PROVIDER, key, "perc", NOW)) for _ in range(2))
    numbers = {x509.load_der_x509_certificate(each.der).serial_number for each in (first, second)}
    assert len(numbers) == 2


def test_after_2049_times_are_generalized() -> None:
    key = run(PROVIDER.generate_signing_key())
    certificate = run(self_signed(PROVIDER, key, "perc", datetime(2049, 12, 31, tzinfo=UTC)))
    assert certificate.not_before == datetime(2049, 12, 30, tzinfo=UTC)
    assert certificate.not_after == datetime(2050, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_names_that_x520_does_not_allow(name: str) -> None:
    key = run(PROVIDER.generate_signing_key())
    with pytest.raises(ApiMisuse):
        run(self_signed(PROVIDER, key, name, NOW))
