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
            "a restart under the same EKTKey: a new key at once, the next epoch",
            AUDIO,
            [key(1, 0.0), frame(0.0, True), {"at": 0.01, "restart": True}, frame(0.02, True, masterKey=1, epoch=1)],
        ),
        sending(
            "the ttl ends",
            AUDIO,
            [key(1, 0.0, ttl=5), frame(0.0, True), frame(4.9, True), frame(5.0, stop="expired")],
        ),
    ]


def sending(name: str, kind: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "kind": kind, "ssrc": SSRC, "steps": steps}


def key(spi: int, at: float, **fields: int) -> dict[str, Any]:
    return {"at": at, "install": EktKey(spi, **fields).json()}


def frame(at: float, full: bool = False, spi: int = 1, **expected: Any) -> dict[str, Any]:
    step = {"at": at, "send": {"keyFrame": expected.pop("keyFrame", False)}}
    if "stop" in expected:
        return step | {"expect": {"stop": expected["stop"]}}
    told = {"spi": spi, "epoch": expected.get("epoch", 0)} if full else None
    return step | {"expect": {"fullEKTField": told, "masterKey": expected.get("masterKey", 0)}}
