"""CRC32c against its published check value, RFC 3720's examples, and google-crc32c."""

from __future__ import annotations

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perc.sctp.crc32c import crc32c


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"123456789", 0xE3069283),
        # RFC 3720, Appendix B.4.
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_published_values(data: bytes, value: int) -> None:
    assert crc32c(data) == value


@given(st.binary(max_size=1200))
def test_google_crc32c_agrees(data: bytes) -> None:
    assert crc32c(data) == google_crc32c.value(data)
