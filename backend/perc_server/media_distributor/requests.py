"""Requests of call processing: lines of JSON, checked before anything is done with them (control protocol)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, ValidationInfo, field_validator

from perc.errors import DecodeError
from perc.x509.fingerprint import Fingerprint
from perc_server.media_distributor.refusal import Code, Refusal

MAXIMUM_LINE = 1 << 18
"""Octets of a line: an SDP of 64 KiB with everything escaped."""

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StartConferenceParams(_Strict):
    """A conference, and the fingerprint of its Key Distributor's certificate."""

    conference: Name
    fingerprint: Annotated[str, Field(max_length=128)]

    @field_validator("fingerprint")
    @classmethod
    def _is_sha256(cls, value: str, _info: ValidationInfo) -> str:
        try:
            fingerprint = Fingerprint.parse(value)
        except DecodeError as error:
            raise ValueError(str(error)) from error
        if fingerprint.algorithm != "sha-256":
            raise ValueError("a fingerprint that is not sha-256")
        return value


class OfferParams(_Strict):
    """An endpoint's offer; the same endpoint again is a renegotiation."""

    conference: Name
    endpoint: Name
    sdp: Annotated[str, Field(min_length=1, max_length=MAXIMUM_LINE)]
    role: Literal["owner", "participant"]


class LeaveParams(_Strict):
    """An endpoint leaves."""

    conference: Name
    endpoint: Name


class EndParams(_Strict):
    """A conference ends."""

    conference: Name


class StartConference(_Strict):
    """4.1.1 (8)."""

    id: int
    method: Literal["start-conference"]
    params: StartConferenceParams


class MakeOffer(_Strict):
    """4.1.3 (1), 4.1.7 (1)."""

    id: int
    method: Literal["offer"]
    params: OfferParams


class Leave(_Strict):
    """An endpoint said that it goes."""

    id: int
    method: Literal["leave"]
    params: LeaveParams


class End(_Strict):
    """Call processing gives a conference up."""

    id: int
    method: Literal["end"]
    params: EndParams


Request = StartConference | MakeOffer | Leave | End

_adapter: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="method")])


class _Numbered(BaseModel):
    id: int = 0


def read_request(line: bytes) -> Request:
    """One request; `Refusal` if it is not one."""
    try:
        return _adapter.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(Code.INVALID, f"{place}: {first['msg']}" if place else first["msg"]) from error


def read_id(line: bytes) -> int:
    """The id of a request that may be wrong otherwise; 0 if it has none."""
    try:
        return _Numbered.model_validate_json(line).id
    except ValidationError:
        return 0
