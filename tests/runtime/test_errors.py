"""Errors on their way to the page."""

from __future__ import annotations

import pytest

from perc.errors import (
    AlertDescription,
    AlertReceived,
    ApiMisuse,
    CertificateError,
    DecodeError,
    IdentityRejected,
    PercError,
)
from perc.runtime.errors import OperationAborted, TunnelUnavailable, describe


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (CertificateError("another name"), "SecurityError"),
        (AlertReceived("access_denied", AlertDescription.ACCESS_DENIED), "NetworkError"),
        (DecodeError("a trailing octet"), "OperationError"),
        (TunnelUnavailable("refused"), "NetworkError"),
        (OperationAborted("closed"), "AbortError"),
        (ApiMisuse("called before"), "InvalidStateError"),
    ],
)
def test_every_error_has_a_name_of_web_idl_and_says_what_was_wrong(error: PercError, name: str) -> None:
    description = describe(error)
    assert description["name"] == name
    assert str(error) in description["message"]


def test_a_rejected_identity_keeps_its_error_detail() -> None:
    assert describe(IdentityRejected("too old", "idp-token-expired"))["errorDetail"] == "idp-token-expired"
    assert "errorDetail" not in describe(IdentityRejected("no"))


def test_an_unforeseen_error_tells_its_place_and_no_value() -> None:
    def fail() -> None:
        raise KeyError("a secret")

    with pytest.raises(KeyError) as caught:
        fail()
    message = describe(caught.value)["message"]
    assert "KeyError" in message
    assert __name__ in message
    assert "secret" not in message
