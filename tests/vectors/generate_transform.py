"""Makes the common vectors of the inner layer and EKT: `tests/vectors/transform/*.json`.

They are for everything that protects or opens a browser's payload: the transform Worker in JavaScript, and
`perc.ekt.browser_payload` in Python. What is expected comes from `third_reading`, which shares no code with either.

    python -m tests.vectors.generate_transform      writes the files; a test says whether they are up to date

All octet strings are hexadecimal, times are seconds, `index` is ROC * 2^16 + SEQ.

payloads.json   EKTKey, master key and media -> session key and salt, nonce, payload with each kind of EKTField
fields.json     the end of a payload -> what is left and the field, or "malformed"
receiver.json   stories: EKTKeys that arrive (or are refused) and payloads that are received -> media, or why they are
                dropped; and at the end, which fields were put aside
sender.json     stories: EKTKeys that arrive and frames that are sent -> the SPI and epoch of the FullEKTField, or null
                for a short one, and the number of the master key that encrypts, in the order of their making; or why
                nothing is sent
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.vectors.receiver_stories import receiver_stories
from tests.vectors.sender_stories import sender_stories
from tests.vectors.third_reading import AUDIO, SHORT, VIDEO, EktKey, Source

DIRECTORY = Path(__file__).parent / "transform"


def payload_cases() -> list[dict[str, Any]]:
    """Payloads, with every step on the way."""
    indices = {"start": 0x1234, "end of SEQ": 0xFFFF, "after a rollover": 0x10000, "large ROC": 0x80000001_8000}
    cases = []
    for kind, key_frame in ((AUDIO, False), (VIDEO, True), (VIDEO, False)):
        for name, index in indices.items():
            for media_length in (40, 0) if name == "start" else (40,):
                source = Source(EktKey(0x1234), kind, epoch=3)
                media = source.media(index)[:media_length]
                cases.append(payload_case(name, source, index, media, key_frame))
        large = Source(EktKey(0x4321, 32), kind)
        cases.append(payload_case("AES-256", large, 0x1_0007, large.media(7), key_frame))
    return cases


def payload_case(name: str, source: Source, index: int, media: bytes, key_frame: bool) -> dict[str, Any]:
    protected = source.protected(index, key_frame=key_frame, media=media)
    return {
        "name": f"{source.kind}, {'key frame, ' if key_frame else ''}{name}, {len(media)} octets",
        "ektKey": source.ekt.json(),
        "kind": source.kind,
        "keyFrame": key_frame,
        "masterKey": source.master_key.hex(),
        "epoch": source.epoch,
        "ssrc": source.ssrc,
        "payloadType": source.pt,
        "timestamp": source.timestamp(index),
        "index": index,
        "media": media.hex(),
        "sessionKey": source.session_key.hex(),
        "sessionSalt": source.session_salt.hex(),
        "nonce": source.nonce(index).hex(),
        "associatedData": (source.header(index) + source.prefix(key_frame=key_frame)).hex(),
        "protected": protected.hex(),
        "fullEKTField": source.full(index >> 16).hex(),
        "withFullEKTField": (protected + source.full(index >> 16)).hex(),
        "withShortEKTField": (protected + SHORT).hex(),
    }


def field_cases() -> list[dict[str, Any]]:
    """EKTFields, good and malformed."""
    full = Source(EktKey(0x1234), epoch=5).full(0)
    good: list[tuple[str, bytes, dict[str, Any]]] = [
        ("short", SHORT, {"type": "short"}),
        ("full", full, {"type": "full", "ciphertext": full[:-7].hex(), "spi": 0x1234, "epoch": 5}),
        (
            "full, shortest",
            b"x" + bytes.fromhex("0001 0002 0008 02"),
            {"type": "full", "ciphertext": "78", "spi": 1, "epoch": 2},
        ),
        ("unknown type", b"data\x00\x07\x04", {"type": "unknown"}),
        ("unknown type, longest", bytes(1024) + b"\x04\x03\xff", {"type": "unknown"}),
    ]
    bad = {
        "nothing": b"",
        "type alone": b"\x02",
        "full without ciphertext": bytes(9) + b"\x00\x07\x02",
        "full, ciphertext of 252 octets": bytes(260) + b"\x01\x03\x02",
        "longer than the payload": bytes(20) + b"\x00\x40\x02",
        "unknown type without data": bytes(9) + b"\x00\x03\x04",
        "unknown type, 1025 octets": bytes(1100) + b"\x04\x04\x04",
        "reserved type 1": bytes(9) + b"\x00\x05\x01",
    }
    cases = [{"name": n, "payload": (b"before" + f).hex(), "rest": b"before".hex(), "field": j} for n, f, j in good]
    return cases + [{"name": name, "payload": data.hex(), "malformed": True} for name, data in bad.items()]


def files() -> dict[str, str]:
    """Names and contents of all files."""
    contents: dict[str, list[Any]] = {
        "payloads.json": payload_cases(),
        "fields.json": field_cases(),
        "receiver.json": [story.json() for story in receiver_stories()],
        "sender.json": sender_stories(),
    }
    return {name: json.dumps(cases, indent=2) + "\n" for name, cases in contents.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (DIRECTORY / name).write_text(text)
