"""aiortc's RTCDtlsTransport on the other side, as client and as server: what a Python endpoint of WebRTC does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM

from perc.dtls import (
    ApplicationDataReceived,
    AssociationClosed,
    DtlsClient,
    DtlsServer,
    Event,
    HandshakeCompleted,
    SrtpKeysExported,
)
from perc.dtls.association import Association
from perc.srtp.profiles import SRTPProtectionProfile
from perc.x509.fingerprint import Fingerprint
from tests.dtls.listener import Listener
from tests.dtls.parties import AES_128, AES_256, ENDPOINT, KEY_DISTRIBUTOR, STRANGER, Party, make_client, make_server

PROFILES = {AES_128: SRTP_AEAD_AES_128_GCM, AES_256: SRTP_AEAD_AES_256_GCM}


class IceTransport:
    """Stands for aiortc's, with one of our associations behind it."""

    def __init__(self, association: Association | Listener, role: str) -> None:
        self.role = role
        self.association = association
        self.events: list[Event] = []
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def _send(self, data: bytes) -> None:
        self.events += await self.association.receive_datagram(data, asyncio.get_running_loop().time())
        self.pump()

    async def _recv(self) -> bytes:
        return await self._arrived.get()

    def pump(self) -> None:
        for datagram in self.association.datagrams_to_send():
            self._arrived.put_nowait(datagram)


class Receiver:
    """Takes the place of SCTP."""

    def __init__(self) -> None:
        self.data: asyncio.Queue[bytes] = asyncio.Queue()

    async def _handle_data(self, data: bytes) -> None:
        await self.data.put(data)


class Meeting:
    """aiortc takes the DTLS role that is left."""

    def __init__(self, association: Association | Listener, profile: SRTPProtectionProfile = AES_128) -> None:
        is_server = not isinstance(association, DtlsClient)
        self.ice = IceTransport(association, "controlled" if is_server else "controlling")
        self.dtls = RTCDtlsTransport(self.ice, [RTCCertificate.generateCertificate()])
        self.dtls._srtp_profiles = [PROFILES[profile]]  # foreign private: aiortc offers no choice of profiles
        self._ours = KEY_DISTRIBUTOR if is_server else ENDPOINT

    async def start(self, expected: Party | None = None) -> None:
        fingerprint = (expected or self._ours).fingerprint
        value = ":".join(f"{octet:02X}" for octet in fingerprint.value)
        if isinstance(self.ice.association, DtlsClient):
            await self.ice.association.start(asyncio.get_running_loop().time())
            self.ice.pump()
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(fingerprint.algorithm, value)])
        await self.dtls.start(parameters)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.ice.events if isinstance(event, kind)]


def make(kind: type[Association], profile: SRTPProtectionProfile = AES_128) -> Association:
    return make_server(profiles=(profile,)) if kind is DtlsServer else make_client(profiles=(profile,))


both_roles = pytest.mark.parametrize("kind", [DtlsServer, DtlsClient])


@both_roles
@pytest.mark.parametrize("profile", [AES_128, AES_256])
async def test_handshake_and_data_both_ways(kind, profile):
    meeting = Meeting(make(kind, profile), profile)
    receiver = Receiver()
    meeting.dtls._register_data_receiver(receiver)  # foreign private: aiortc gives data to its own SCTP only
    await meeting.start()
    assert meeting.dtls.state == "connected"
    (keys,) = meeting.of(SrtpKeysExported)
    assert keys.profile is profile
    (completed,) = meeting.of(HandshakeCompleted)
    theirs = meeting.dtls.getLocalParameters().fingerprints[0]
    presented = {Fingerprint.of(each.der) for each in (completed.client_certificate, completed.server_certificate)}
    assert Fingerprint.parse(f"{theirs.algorithm} {theirs.value}") in presented
    await meeting.dtls._send_data(b"from aiortc")  # foreign private: aiortc takes data from its own SCTP only
    assert meeting.of(ApplicationDataReceived) == [ApplicationDataReceived(b"from aiortc")]
    await meeting.ice.association.send(b"to aiortc")
    meeting.ice.pump()
    assert await receiver.data.get() == b"to aiortc"
    await meeting.dtls.stop()
    assert meeting.of(AssociationClosed)


@both_roles
async def test_our_close_notify_closes_it(kind):
    meeting = Meeting(make(kind))
    await meeting.start()
    closed = asyncio.Event()
    meeting.dtls.on("statechange", lambda: closed.set() if meeting.dtls.state == "closed" else None)
    await meeting.ice.association.close()
    meeting.ice.pump()
    await closed.wait()


async def test_through_a_gate():
    meeting = Meeting(Listener())
    await meeting.start()
    assert meeting.dtls.state == "connected"
    await meeting.dtls.stop()


@both_roles
async def test_it_refuses_a_certificate_that_was_not_signalled(kind):
    meeting = Meeting(make(kind))
    await meeting.start(expected=STRANGER)
    assert meeting.dtls.state == "failed"
