from __future__ import annotations

import pytest

from perc.crypto.provider import NamedGroup
from perc.crypto.pyca import PycaProvider
from perc.crypto.sizes import PUBLIC_KEY_LENGTHS, check_aes_key, check_public_key, read_ec_public_key
from perc.errors import ApiMisuse, DecodeError, IllegalParameter
from tests.driving import run


@pytest.mark.parametrize("length", [0, 15, 24, 33])
def test_keys_of_other_aes_variants_are_refused(length: int) -> None:
    with pytest.raises(ApiMisuse):
        check_aes_key(bytes(length))


@pytest.mark.parametrize("group", NamedGroup)
def test_public_keys_have_the_length_of_their_group(group: NamedGroup) -> None:
    share = run(PycaProvider().generate_key_share(group))
    assert len(check_public_key(group, share.public_key)) == PUBLIC_KEY_LENGTHS[group]
    with pytest.raises(IllegalParameter):
        check_public_key(group, share.public_key[:-1])


def test_ec_public_keys_are_uncompressed_points_on_known_curves() -> None:
    key = run(PycaProvider().generate_signing_key()).public_key
    assert read_ec_public_key(key) == (NamedGroup.SECP256R1, key[-65:])
    for other in (key[:-1], key + b"\0", key[:-65] + b"\x06" + key[-64:], key[1:], b""):
        with pytest.raises(DecodeError):
            read_ec_public_key(other)
