from __future__ import annotations

import pytest

from perc.errors import IdentityRejected
from perc.identity.assertion import IdentityAssertion
from perc.identity.verdict import check_name

ASSERTION = IdentityAssertion("Idp-a.localhost:8001", "default", "x")


@pytest.mark.parametrize("identity", ["alice@idp-a.localhost", "alice@IDP-A.localhost"])
def test_a_name_of_the_providers_own_domain(identity: str):
    assert check_name(identity, ASSERTION) == "alice@idp-a.localhost"


@pytest.mark.parametrize(
    "identity",
    [
        "alice@idp-b.localhost",
        "alice@evil.idp-a.localhost",
        "alice@idp-a.localhost.evil",
        "alice@idp-a.localhost:8001",
        "alice@idp-a.localhost@idp-a.localhost",
        "alice@idp-b.localhost@idp-a.localhost",
        "@idp-a.localhost",
        "alice",
        "alice@",
        "",
        "al ice@idp-a.localhost",
        "alice\u202e@idp-a.localhost",
        "alice\n@idp-a.localhost",
        "ali\ud800ce@idp-a.localhost",
        "alice@idp-a.local\ud800host",
        "alice@ıdp-a.localhost",
        "a" * 1024 + "@idp-a.localhost",
    ],
)
def test_any_other_name_is_refused(identity: str):
    with pytest.raises(IdentityRejected):
        check_name(identity, ASSERTION)
