"""Stories of a sender: when a FullEKTField is sent, and which master key encrypts."""

from __future__ import annotations

from typing import Any

from tests.vectors.third_reading import AUDIO, SSRC, VIDEO, EktKey


def sender_stories() -> list[dict[str, Any]]:
    """When a FullEKTField is sent, and which master key encrypts."""
    audio = [(round(0.021 * n, 3), n < 3 or n in (7, 12)) for n in range(14)]
    return [
        sending("no EKTKey", AUDIO, [frame(0.0, stop="no-key")]),
        sending("audio: three at first, then each 100 ms", AUDIO, [key(1, 0.0), *(frame(t, f) for t, f in audio)]),
        sending(
            "video: three at first, then with key frames",
            VIDEO,
            [
                *(key(1, 0.0), frame(0.0, True, keyFrame=True), frame(0.1, True), frame(0.2, True), frame(0.9, False)),
                *(frame(1.8, True, keyFrame=True), frame(1.9, False)),
            ],
        ),
        sending(
            "a rekey: the old key encrypts 250 ms more",
            AUDIO,
            [
                *(
                    key(1, 0.0),
                    frame(0.0, True),
                    frame(0.02, True),
                    frame(0.04, True),
                    frame(0.06, False),
                    key(2, 0.07),
                ),
                *(frame(0.08, True, 2), frame(0.1, True, 2), frame(0.12, True, 2), frame(0.14, False)),
                *(frame(0.32, True, 2), frame(0.34, False, masterKey=1), frame(0.43, True, 2, masterKey=1)),
            ],
        ),
        sending(
            "a rekey within the overlap of another: what was told takes over",
            AUDIO,
            [
                *(key(1, 0.0), frame(0.0, True), key(2, 0.1), frame(0.12, True, 2), key(3, 0.2)),
                *(
                    frame(0.22, True, 3, masterKey=1),
                    frame(0.46, True, 3, masterKey=1),
                    frame(0.48, True, 3, masterKey=2),
                ),
            ],
        ),
        sending(
            "a source that was silent when the EKTKey came has no overlap left",
            VIDEO,
            [key(1, 0.0), frame(0.0, True, keyFrame=True), key(2, 1.0), frame(2.0, True, 2, masterKey=1)],
        ),
        sending(
            "a source that was almost silent ends its overlap 500 ms after the EKTKey came",
            VIDEO,
            [
                *(key(1, 0.0), frame(0.0, True, keyFrame=True), key(2, 1.0)),
                *(frame(1.4, True, 2), frame(1.49, True, 2), frame(1.51, True, 2, masterKey=1)),
            ],
        ),
        sending(
            "two EKTKeys between two frames: the first is never used",
            AUDIO,
            [
                *(key(1, 0.0), frame(0.0, True), key(2, 0.1), key(3, 0.11), frame(0.12, True, 3), frame(0.14, True, 3)),
                frame(0.38, True, 3, masterKey=1),
            ],
        ),
        sending(
            "a key frame within the overlap tells the new key",
            VIDEO,
            [
                *(key(1, 0.0), frame(0.0, True, keyFrame=True), frame(0.05, True), frame(0.1, True), key(2, 1.0)),
                *(frame(1.0, True, 2), frame(1.05, True, 2), frame(1.1, True, 2), frame(1.15, False)),
                *(frame(1.2, True, 2, keyFrame=True), frame(1.24, False), frame(1.25, False, masterKey=1)),
            ],
        ),
        sending(
            "the old key's ttl ends within the overlap",
            AUDIO,
            [
                key(1, 0.0, ttl=1),
                frame(0.9, True),
                key(2, 0.95),
                frame(0.96, True, 2),
                frame(1.0, True, 2, masterKey=1),
            ],
        ),
        sending(
            "the same EKTKey again changes nothing",
            AUDIO,
            [
                *(key(1, 0.0, ttl=5), frame(0.0, True), frame(0.02, True), frame(0.04, True), key(1, 0.05, ttl=5)),
                *(frame(0.06, False), frame(4.99, True), key(1, 4.995, ttl=5), frame(5.0, stop="expired")),
            ],
        ),
        sending(
            "a restart within an overlap: a new key at once, under the new EKTKey",
            AUDIO,
            [
                *(key(1, 0.0), frame(0.0, True), key(2, 0.1), frame(0.12, True, 2), {"at": 0.13, "restart": True}),
                *(frame(0.14, True, 2, masterKey=2, epoch=1), frame(0.16, True, 2, masterKey=2, epoch=1)),
            ],
        ),
        sending(
            "a restart under the same EKTKey: a new key at once, the next epoch",
            AUDIO,
            [key(1, 0.0), frame(0.0, True), {"at": 0.01, "restart": True}, frame(0.02, True, masterKey=1, epoch=1)],
        ),
        sending(
            "the ttl ends",
            AUDIO,
            [key(1, 0.0, ttl=5), frame(0.0, True), frame(4.9, True), frame(5.0, stop="expired")],
        ),
        sending(
            "after the end of the ttl another EKTKey begins at once",
            AUDIO,
            [
                *(key(1, 0.0, ttl=5), frame(0.0, True), frame(5.0, stop="expired"), key(2, 6.0)),
                *(frame(6.0, True, 2, masterKey=1), frame(6.02, True, 2, masterKey=1)),
            ],
        ),
        sending(
            "AES-256: a rekey",
            AUDIO,
            [
                *(key(1, 0.0, length=32), frame(0.0, True), frame(0.02, True), frame(0.04, True), frame(0.06, False)),
                *(key(2, 0.07, length=32), frame(0.08, True, 2), frame(0.34, True, 2, masterKey=1)),
            ],
            key_length=32,
        ),
    ]


def sending(name: str, kind: str, steps: list[dict[str, Any]], key_length: int = 16) -> dict[str, Any]:
    return {"name": name, "kind": kind, "ssrc": SSRC, "masterKeyLength": key_length, "steps": steps}


def key(spi: int, at: float, length: int = 16, ttl: int = 300) -> dict[str, Any]:
    return {"at": at, "install": EktKey(spi, length, ttl).json()}


def frame(at: float, full: bool = False, spi: int = 1, **expected: Any) -> dict[str, Any]:
    step = {"at": at, "send": {"keyFrame": expected.pop("keyFrame", False)}}
    if "stop" in expected:
        return step | {"expect": {"stop": expected["stop"]}}
    told = {"spi": spi, "epoch": expected.get("epoch", 0)} if full else None
    return step | {"expect": {"fullEKTField": told, "masterKey": expected.get("masterKey", 0)}}
