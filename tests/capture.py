"""A capture file (pcap) of packets that were never on a network, for programs that read one."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

_RAW_IP = 101  # LINKTYPE_RAW: packets begin with their IP header
_TCP, _UDP = 6, 17
_ACK_PSH = 0x18


def write_pcap(path: Path, packets: Iterable[bytes]) -> None:
    """Write IPv4 packets, one a millisecond."""
    records = b"".join(
        struct.pack("<IIII", 0, 1000 * number, len(packet), len(packet)) + packet
        for number, packet in enumerate(packets)
    )
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _RAW_IP) + records)


def udp_packet(source: int, destination: int, payload: bytes) -> bytes:
    """Return a packet between two ports of the loopback address; it has no checksum."""
    return _ipv4(_UDP, struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload)


class TcpConnection:
    """Segments of a connection in progress; `client` and `server` are ports of the loopback address."""

    def __init__(self, client: int, server: int) -> None:
        self._next = {client: 1, server: 1}

    def segments(self, sender: int, octets: bytes, size: int = 1400) -> list[bytes]:
        """Return what `sender` sends next."""
        (receiver,) = self._next.keys() - {sender}
        packets = []
        for start in range(0, len(octets), size):
            payload = octets[start : start + size]
            numbers = self._next[sender], self._next[receiver]
            header = struct.pack(">HHIIBBHHH", sender, receiver, *numbers, 5 << 4, _ACK_PSH, 0xFFFF, 0, 0)
            packets.append(_ipv4(_TCP, header + payload))
            self._next[sender] += len(payload)
        return packets


def _ipv4(protocol: int, payload: bytes) -> bytes:
    loopback = bytes([127, 0, 0, 1])
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + loopback * 2 + payload
