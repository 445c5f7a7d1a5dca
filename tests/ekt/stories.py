"""Plays the stories of the common vectors to perc's sender and receiver."""

from __future__ import annotations

from typing import Any

from perc.crypto.pyca import PycaProvider
from perc.ekt.browser_payload import Frame, unprotect_payload
from perc.ekt.outcome import PacketDropped, SendingStopped
from perc.ekt.parameter_sets import EktParameterSets
from perc.ekt.receiver import EktReceiver
from perc.ekt.sender import EktSender
from perc.errors import IllegalParameter
from perc.srtp.ekt_field import FullEKTField
from perc.srtp.key_derivation import derive_rtp_keys
from perc.srtp.packet_index import ReplayState, ReplayWindow, RisingIndex
from tests.driving import run
from tests.ekt.transform_vectors import KINDS, ekt_key, payload_format

PROVIDER = PycaProvider()

Outcomes = dict[str, Any]


def replay_state(kind: str) -> ReplayState:
    """What a receiver of this kind remembers."""
    return ReplayWindow() if kind == "audio" else RisingIndex()


def expected(step: dict[str, Any]) -> Outcomes:
    """What a committed story says of a step."""
    if "restart" in step:
        return {"restarted": True}
    if "install" in step:
        return {"refused" if step.get("refused") else "installed": step["install"]["spi"]}
    outcome: Outcomes = step["expect"]
    return outcome


def receiver_outcomes(story: dict[str, Any]) -> Outcomes:
    """What becomes of every step of a receiver's story, and the fields that were put aside."""
    sets = EktParameterSets(PROVIDER)
    receiver = EktReceiver(PROVIDER, sets, story["ssrc"], replay_state(story["kind"]))
    outcomes = [
        _installed(sets, step) if "install" in step else _received(receiver, story, step) for step in story["steps"]
    ]
    return {"outcomes": outcomes, "putAside": {reason.value: n for reason, n in receiver.put_aside.items() if n}}


def _installed(sets: EktParameterSets, step: dict[str, Any]) -> Outcomes:
    key = ekt_key(step["install"])
    try:
        run(sets.install(key, step["at"]))
    except IllegalParameter:
        return {"refused": key.spi}
    return {"installed": key.spi}


def _received(receiver: EktReceiver, story: dict[str, Any], step: dict[str, Any]) -> Outcomes:
    received = step["receive"]
    fields = (received["payloadType"], received["timestamp"], received["ssrc"], bytes.fromhex(received["payload"]))
    frame = Frame(*fields, sequence_number=received["sequenceNumber"])
    try:
        return {"media": run(unprotect_payload(receiver, payload_format(story), frame, step["at"])).hex()}
    except PacketDropped as dropped:
        return {"drop": dropped.reason.value}


def sender_outcomes(story: dict[str, Any]) -> Outcomes:
    """What becomes of every step of a sender's story."""
    sets = EktParameterSets(PROVIDER)
    sender = EktSender(PROVIDER, sets, story["ssrc"], KINDS[story["kind"]])
    salts: list[bytes] = []
    outcomes: list[Outcomes] = []
    for step in story["steps"]:
        if "restart" in step:
            sender.restart()
            outcomes.append({"restarted": True})
        else:
            outcomes.append(_installed(sets, step) if "install" in step else _sent(sets, sender, step, salts))
    return {"outcomes": outcomes}


def _sent(sets: EktParameterSets, sender: EktSender, step: dict[str, Any], salts: list[bytes]) -> Outcomes:
    """`salts` tell master keys apart, in the order in which they were told: each has its own session salt."""
    try:
        packet = run(sender.next_packet(0, step["at"], key_frame=step["send"]["keyFrame"]))
    except SendingStopped as stopped:
        return {"stop": stopped.reason.value}
    told = None
    if isinstance(packet.field, FullEKTField):
        told = {"spi": packet.field.spi, "epoch": packet.field.epoch}
        salt = _told_salt(sets, packet.field, step["at"])
        if salt not in salts:
            salts.append(salt)
    return {"fullEKTField": told, "masterKey": salts.index(packet.keys.salt)}


def _told_salt(sets: EktParameterSets, field: FullEKTField, now: float) -> bytes:
    """The session salt of the master key that a FullEKTField tells, as a receiver derives it."""
    parameters = sets.find(field.spi, now)
    assert parameters is not None
    master_key = run(parameters.unwrap(field.ciphertext)).master_key
    return run(derive_rtp_keys(PROVIDER, master_key, parameters.ekt_key.salt)).salt
