"""What a request of call processing is refused with: a code for programs and a sentence for people."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The error codes of the control protocol."""

    CONFLICT = "conflict"
    INVALID = "invalid"
    NO_SUCH_CONFERENCE = "no-such-conference"
    NO_KEY_DISTRIBUTOR = "no-key-distributor"
    INVALID_OFFER = "invalid-offer"
    SOURCE_TAKEN = "source-taken"
    TOO_LARGE = "too-large"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    FULL = "full"


class Refusal(Exception):
    """A request that is not carried out; `detail` may be shown to whoever made it."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
