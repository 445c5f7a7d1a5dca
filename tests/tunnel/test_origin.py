from __future__ import annotations

import pytest

from perc.errors import DecodeError
from perc.tunnel.origin import origin_of


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_the_value_of_the_o_line(end: bytes):
    assert origin_of(end.join([b"v=0", b"o=- 42 1 IN IP4 127.0.0.1", b"s=-"])) == "- 42 1 IN IP4 127.0.0.1"


@pytest.mark.parametrize(
    "sdp",
    [b"v=0\r\n", b"o=\r\n", b"o=a\r\no=b\r\n", b"o=" + b"x" * 256 + b"\r\n", b"o=\xff\r\n"],
    ids=["none", "empty", "two", "long", "not ASCII"],
)
def test_anything_else_is_refused(sdp: bytes):
    with pytest.raises(DecodeError):
        origin_of(sdp)
