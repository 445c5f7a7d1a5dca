"""What stays readable in front of a browser's payload."""

from __future__ import annotations

import pytest

from perc.errors import DecodeError
from perc.srtp.payload_format import OPUS, VP8


def test_opus_has_no_prefix_and_vp8_says_key_frame_or_not() -> None:
    assert OPUS.prefix(key_frame=False) == b""
    assert OPUS.split_prefix(b"anything") == (b"", b"anything")
    for key_frame, length in ((True, 10), (False, 1)):
        prefix = VP8.prefix(key_frame=key_frame)
        assert len(prefix) == length
        assert (prefix[0] & 1 == 0) is key_frame
        assert VP8.split_prefix(prefix + b"rest") == (prefix, b"rest")


@pytest.mark.parametrize("payload", ["", "00", "03", "1002009d012a4001f0", "1002009d012a4001f001"])
def test_other_starts_are_refused(payload: str) -> None:
    with pytest.raises(DecodeError):
        VP8.split_prefix(bytes.fromhex(payload))
