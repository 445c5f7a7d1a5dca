"""JSON from strangers: one object, bounded, no member twice.

Two readers that disagree about which of two equal members counts are how a signed text comes to say two things.
"""

from __future__ import annotations

import json
from typing import Any

from perc.errors import DecodeError


def read_object(text: str, maximum: int) -> dict[str, Any]:
    """The object that `text` is; `DecodeError` for anything else, and beyond `maximum` characters."""
    if len(text) > maximum:
        raise DecodeError(f"JSON of {len(text)} characters, more than {maximum}")
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise DecodeError("not JSON") from None
    if not isinstance(value, dict):
        raise DecodeError("JSON that is not an object")
    return value


def read_string(members: dict[str, Any], name: str, default: str | None = None) -> str:
    """The member `name`, a string that is not empty; `DecodeError` if it is something else or missing."""
    value = members.get(name, default)
    if not isinstance(value, str) or not value:
        raise DecodeError(f"no string {name!r} where one is expected")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DecodeError("a JSON member that stands there twice")
    return members
