"""The opening side of a data channel, whole messages only: an SCTP that loses and reorders nothing."""

from __future__ import annotations

from collections.abc import Callable

from perc.sctp.chunks import ChunkType, Data, Init, ParameterType, Sack
from perc.sctp.packet import Chunk, Ports, SctpPacket

PORTS = Ports(5000, 5000)
WINDOW = 1 << 20
FRAGMENT = 900


class SctpClient:
    """Sends packets by `transmit`; messages that arrive are in `received`."""

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit
        self._peer_tag = 0
        self._tsn = 1
        self._ssn = 0
        self._partial = b""
        self.received: list[bytes] = []
        self.is_open = False
        self.is_deaf = False

    def start(self) -> None:
        self._send(Init(7, WINDOW, 65535, 65535, self._tsn, ()).write(ChunkType.INIT))

    def send(self, message: bytes, ppid: int = 53, stream_id: int = 0) -> None:
        parts = [message[start : start + FRAGMENT] for start in range(0, len(message), FRAGMENT)]
        for number, part in enumerate(parts):
            flags = {"beginning": number == 0, "ending": number == len(parts) - 1}
            self._send(Data(self._tsn, stream_id, self._ssn, ppid, part, **flags).write())
            self._tsn += 1
        self._ssn += 1

    def shutdown(self, last_tsn: int = 0) -> None:
        self._send(Chunk(ChunkType.SHUTDOWN, 0, last_tsn.to_bytes(4, "big")))

    def abort(self) -> None:
        self._send(Chunk(ChunkType.ABORT, 0, b""))

    def receive(self, packet: bytes) -> None:
        for chunk in SctpPacket.read(packet).chunks:
            match chunk.type:
                case ChunkType.INIT_ACK:
                    init = Init.read(chunk.value)
                    self._peer_tag = init.initiate_tag
                    cookie = next(each for each in init.parameters if each.type == ParameterType.STATE_COOKIE)
                    self._send(Chunk(ChunkType.COOKIE_ECHO, 0, cookie.value))
                case ChunkType.COOKIE_ACK:
                    self.is_open = True
                case ChunkType.DATA if not self.is_deaf:
                    self._receive_data(Data.read(chunk))

    def _receive_data(self, data: Data) -> None:
        self._partial += data.fragment
        if data.ending:
            self.received.append(self._partial)
            self._partial = b""
        self._send(Sack(data.tsn, WINDOW).write())

    def _send(self, chunk: Chunk) -> None:
        self._transmit(SctpPacket(PORTS, self._peer_tag, (chunk,)).write())
