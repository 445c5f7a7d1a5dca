"""`import_private_key` of `provider_vectors` for WebCrypto; only importable inside Pyodide."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import to_js

from perc.crypto.provider import NamedGroup

_ALGORITHMS = {
    NamedGroup.SECP256R1: {"name": "ECDH", "namedCurve": "P-256"},
    NamedGroup.SECP384R1: {"name": "ECDH", "namedCurve": "P-384"},
    NamedGroup.X25519: {"name": "X25519"},
}


async def import_private_key(group: NamedGroup, pkcs8: bytes) -> Any:
    algorithm = to_js(_ALGORITHMS[group], dict_converter=js.Object.fromEntries)
    return await js.crypto.subtle.importKey("pkcs8", to_js(pkcs8), algorithm, False, to_js(["deriveBits"]))
