"""Reads the common vectors (`tests/vectors/generate_transform.py`) and gives EKTKeys of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from perc.crypto.pyca import PycaProvider
from perc.ekt.ekt_key import EktKey
from perc.ekt.key_channel import MediaKind
from perc.srtp.payload_format import OPUS, VP8, PayloadFormat

PROVIDER = PycaProvider()
FORMATS = {"audio": OPUS, "video": VP8}
KINDS = {"audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}


def cases(name: str) -> dict[str, dict[str, Any]]:
    """The cases of one file, by name."""
    path = Path(__file__).parent.parent / "vectors" / "transform" / name
    return {case["name"]: case for case in json.loads(path.read_text())}


def ekt_key(case: dict[str, Any]) -> EktKey:
    """The EKTKey that a case describes."""
    return EktKey(bytes.fromhex(case["key"]), bytes.fromhex(case["salt"]), case["spi"], case["ttl"])


def payload_format(case: dict[str, Any]) -> PayloadFormat:
    """The format of a case's kind."""
    return FORMATS[case["kind"]]
