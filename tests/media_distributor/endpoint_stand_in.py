"""An endpoint made of aioice's STUN, OpenSSL's DTLS and libsrtp; aiortc reads the answers."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import cast

from aioice import stun
from aiortc.sdp import SessionDescription
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from perc.srtp.packet import RtpPacket
from perc.srtp.profiles import SRTPProtectionProfile
from perc_server.media_distributor.rtcp import RtcpPacket, read_rtcp
from tests.media_distributor.call_processing_stand_in import CallProcessing
from tests.media_distributor.certificates import Identity
from tests.media_distributor.dtls import client_connection, exported_keys, records
from tests.media_distributor.waiting import until

OPUS, VP8, MID_ID = 111, 96, 4


@dataclass(frozen=True)
class Media:
    """An m-line to offer."""

    kind: str
    direction: str = "recvonly"
    ssrc: int | None = None
    payload_type: int | None = None
    rejected: bool = False


def microphone(ssrc: int) -> Media:
    return Media("audio", "sendonly", ssrc)


def camera(ssrc: int) -> Media:
    return Media("video", "sendonly", ssrc)


def pairs(number: int) -> list[Media]:
    return [Media("audio"), Media("video")] * number


class Endpoint(asyncio.DatagramProtocol):
    """Offers, checks, shakes hands, sends and receives."""

    def __init__(self, name: str, media: list[Media], mid_id: int = MID_ID) -> None:
        self.name = name
        self.media = media
        self.identity = Identity.make(name)
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.mid_id = mid_id
        self.answer: SessionDescription | None = None
        self.answer_text = ""
        self.packets: list[RtpPacket] = []
        self.rtcp: list[RtcpPacket] = []
        self.stun: list[stun.Message] = []
        self.raw: list[bytes] = []
        self.sent: list[bytes] = []
        self._dtls = client_connection(self.identity)
        self._inbound: Session | None = None
        self._outbound: Session | None = None

    # Signalling.

    def offer(self) -> str:
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        live = [str(number) for number, media in enumerate(self.media) if not media.rejected]
        lines.append("a=group:BUNDLE " + " ".join([*live, "data"]))
        for number, media in enumerate(self.media):
            lines += self._section(number, media)
        lines += ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:data", *self._transport()]
        lines += ["a=sctp-port:5000", "a=max-message-size:262144"]
        return "\r\n".join(lines) + "\r\n"

    def _section(self, number: int, media: Media) -> list[str]:
        audio = media.kind == "audio"
        payload_type = media.payload_type or (OPUS if audio else VP8)
        lines = [f"m={media.kind} {0 if media.rejected else 9} UDP/TLS/RTP/SAVPF {payload_type} 120"]
        lines += [f"a=mid:{number}", *self._transport(), "a=rtcp-mux", "a=rtcp-rsize", f"a={media.direction}"]
        lines += [f"a=extmap:{self.mid_id} urn:ietf:params:rtp-hdrext:sdes:mid"]
        lines += [f"a=rtpmap:{payload_type} {'opus/48000/2' if audio else 'VP8/90000'}", "a=rtpmap:120 other/90000"]
        if not audio:
            feedback = ("goog-remb", "transport-cc", "nack", "nack pli", "ccm fir")
            lines += [f"a=rtcp-fb:{payload_type} {kind}" for kind in feedback]
        if media.ssrc is not None:
            lines += [f"a=ssrc:{media.ssrc} cname:x"]
        return lines

    def _transport(self) -> list[str]:
        fingerprint = f"a=fingerprint:{self.identity.fingerprint}"
        return [f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.password}", fingerprint, "a=setup:actpass"]

    async def negotiate(self, call: CallProcessing, conference: str = "room", role: str = "participant") -> None:
        result = await call.request("offer", conference=conference, endpoint=self.name, sdp=self.offer(), role=role)
        self.take_answer(result["sdp"])

    def take_answer(self, sdp: str) -> None:
        self.answer_text = sdp
        self.answer = SessionDescription.parse(sdp)

    async def join(self, call: CallProcessing, role: str = "participant") -> Endpoint:
        """Everything up to the keys of the hop."""
        await self.negotiate(call, role=role)
        await self.begin()
        await until(lambda: self.is_keyed)
        return self

    @property
    def is_keyed(self) -> bool:
        return self._inbound is not None

    async def begin(self) -> None:
        """The first ICE check and the first flight."""
        await self.open()
        await self.check()
        self.handshake()

    # Datagrams.

    async def open(self) -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    @property
    def remote(self) -> tuple[str, int]:
        assert self.answer is not None
        candidate = self.answer.media[0].ice_candidates[0]
        return candidate.ip, candidate.port

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)
        self.transport.sendto(datagram, self.remote)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.raw.append(data)
        if data[0] < 4:
            self.stun.append(stun.parse_message(data))
        elif 20 <= data[0] < 64:
            self._dtls.bio_write(data)
            self.handshake()
        elif 192 <= data[1] <= 223:
            assert self._inbound is not None
            self.rtcp += read_rtcp(self._inbound.unprotect_rtcp(data))
        else:
            assert self._inbound is not None
            self.packets.append(RtpPacket.read(self._inbound.unprotect(data)))

    # ICE.

    def request(self, *, nominate: bool = True) -> stun.Message:
        assert self.answer is not None
        local = self.answer.media[0].ice
        assert local is not None
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{local.usernameFragment}:{self.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        return message

    def sign(self, message: stun.Message, password: str | None = None) -> bytes:
        assert self.answer is not None
        local = self.answer.media[0].ice
        assert local is not None
        message.add_message_integrity((password or local.password or "").encode())
        return bytes(message)

    async def check(self) -> stun.Message:
        before = len(self.stun)
        self.send(self.sign(self.request()))
        await until(lambda: len(self.stun) > before)
        return self.stun[-1]

    # DTLS and SRTP.

    def handshake(self) -> None:
        try:
            self._dtls.do_handshake()
            if self._inbound is None:
                profile = SRTPProtectionProfile.AEAD_AES_128_GCM
                client, server = exported_keys(self._dtls, profile)
                gcm = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
                self._outbound = Session(Policy(client, Policy.SSRC_ANY_OUTBOUND, srtp_profile=gcm))
                self._inbound = Session(Policy(server, Policy.SSRC_ANY_INBOUND, srtp_profile=gcm))
        except SSL.WantReadError:
            pass
        for datagram in records(self._dtls):
            self.send(datagram)

    def say(self, data: bytes) -> None:
        """To the Key Distributor."""
        self._dtls.send(data)
        for datagram in records(self._dtls):
            self.send(datagram)

    def close_dtls(self) -> None:
        self._dtls.shutdown()
        for datagram in records(self._dtls):
            self.send(datagram)

    def send_rtp(self, packet: RtpPacket) -> bytes:
        """Protect and send; the SRTP packet, to send it again."""
        assert self._outbound is not None
        protected = self._outbound.protect(packet.write())
        self.send(protected)
        return protected

    def send_rtcp(self, compound: bytes) -> None:
        assert self._outbound is not None
        self.send(self._outbound.protect_rtcp(compound))

    def of(self, ssrc: int) -> list[RtpPacket]:
        return [packet for packet in self.packets if packet.ssrc == ssrc]

    def rtcp_of(self, kind: type) -> list[RtcpPacket]:
        return [packet for packet in self.rtcp if isinstance(packet, kind)]


def audio_packet(ssrc: int, sequence_number: int, payload: bytes = b"ciphertext") -> RtpPacket:
    return RtpPacket(OPUS, sequence_number, 960 * sequence_number % (1 << 32), ssrc, payload)


def video_packet(ssrc: int, sequence_number: int, payload: bytes = b"ciphertext") -> RtpPacket:
    return replace(audio_packet(ssrc, sequence_number, payload), payload_type=VP8)
