"""The opening side of a data channel: it sends each chunk once, and takes DATA in order, as often as it comes."""

from __future__ import annotations

from collections.abc import Callable

from perc.sctp.chunks import ChunkType, Data, Init, ParameterType, Sack
from perc.sctp.packet import Chunk, Ports, SctpPacket
from perc.sctp.tsn import tsn_add

PORTS = Ports(5000, 5000)
WINDOW = 1 << 20
FRAGMENT = 900


class SctpClient:
    """Sends packets by `transmit`; messages that arrive are in `received`."""

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit
        self._peer_tag = 0
        self._next_tsn = 1
        self._next_ssn = 0
        self._expects_init_ack = False
        self._cumulative_tsn = 0
        self._partial = b""
        self.received: list[bytes] = []
        self.is_open = False
        self.is_deaf = False

    def start(self) -> None:
        """Begin an association, or begin it anew."""
        self._expects_init_ack = True
        init = Init(7, WINDOW, 65535, 65535, self._next_tsn, ()).write(ChunkType.INIT)
        self._transmit(SctpPacket(PORTS, 0, (init,)).write())

    def send(self, message: bytes, ppid: int = 53, stream_id: int = 0) -> None:
        for packet in self.packets(message, ppid, stream_id):
            self._transmit(packet)

    def packets(self, message: bytes, ppid: int = 53, stream_id: int = 0) -> list[bytes]:
        """The packets of the next message, for a test that sends them by itself."""
        parts = [message[start : start + FRAGMENT] for start in range(0, len(message), FRAGMENT)]
        packets = []
        for number, part in enumerate(parts):
            flags = {"beginning": number == 0, "ending": number == len(parts) - 1}
            packets.append(self._packet(Data(self._next_tsn, stream_id, self._next_ssn, ppid, part, **flags).write()))
            self._next_tsn = tsn_add(self._next_tsn, 1)
        self._next_ssn += 1
        return packets

    def shutdown(self, last_tsn: int = 0) -> None:
        self._send(Chunk(ChunkType.SHUTDOWN, 0, last_tsn.to_bytes(4, "big")))

    def abort(self) -> None:
        self._send(Chunk(ChunkType.ABORT, 0, b""))

    def receive(self, packet: bytes) -> None:
        for chunk in SctpPacket.read(packet).chunks:
            match chunk.type:
                case ChunkType.INIT_ACK if self._expects_init_ack:
                    self._receive_init_ack(Init.read(chunk.value))
                case ChunkType.COOKIE_ACK:
                    self.is_open = True
                case ChunkType.DATA if not self.is_deaf:
                    self._receive_data(Data.read(chunk))

    def _receive_init_ack(self, init: Init) -> None:
        self._expects_init_ack = False
        self._peer_tag, self._cumulative_tsn = init.initiate_tag, tsn_add(init.initial_tsn, -1)
        self._next_ssn, self._partial = 0, b""
        cookie = next(each for each in init.parameters if each.type == ParameterType.STATE_COOKIE)
        self._send(Chunk(ChunkType.COOKIE_ECHO, 0, cookie.value))

    def _receive_data(self, data: Data) -> None:
        # A fragment may come again, because its SACK was lost with the tunnel, and one behind a gap comes again.
        if data.tsn == tsn_add(self._cumulative_tsn, 1):
            self._cumulative_tsn = data.tsn
            self._partial += data.fragment
            if data.ending:
                self.received.append(self._partial)
                self._partial = b""
        self._send(Sack(self._cumulative_tsn, WINDOW).write())

    def _send(self, chunk: Chunk) -> None:
        self._transmit(self._packet(chunk))

    def _packet(self, chunk: Chunk) -> bytes:
        return SctpPacket(PORTS, self._peer_tag, (chunk,)).write()
