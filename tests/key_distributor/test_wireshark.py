"""A key log opens a recorded conference: tshark, the program of Wireshark without a window, reads what was sent."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from perc.ekt.ekt_key import EKTCipher
from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import MediaKeys, write_message
from tests.capture import TcpConnection, udp_packet, write_pcap
from tests.key_distributor.site import Endpoint, Recording, Site

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

KEY_DISTRIBUTOR, TUNNEL, ENDPOINT, MEDIA = 40_000, 4433, 50_000, 5004
FINISHED = "20"
SUITES = [
    (b"ECDHE-ECDSA-AES128-GCM-SHA256", EKTCipher.AESKW128, SRTPProtectionProfile.AEAD_AES_128_GCM),
    (b"ECDHE-ECDSA-AES256-GCM-SHA384", EKTCipher.AESKW256, SRTPProtectionProfile.AEAD_AES_256_GCM),
]


@dataclass
class Capture:
    """A recorded conference of one member, and its key log."""

    site: Site
    endpoint: Endpoint
    tunnel: Path
    association: Path
    keys: Path

    def read(self, capture: Path, *arguments: str, with_keys: bool = True) -> str:
        """Return what tshark prints about a capture."""
        keys = ["-o", f"tls.keylog_file:{self.keys}"] if with_keys else []
        ports = ["-d", f"tcp.port=={TUNNEL},tls", "-d", f"udp.port=={MEDIA},dtls", "-d", f"dtls.port=={MEDIA},data"]
        command = ["tshark", "-n", "-r", str(capture), *keys, *ports, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(params=SUITES, ids=lambda suite: suite[0].decode())
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Capture:
    suite, ekt_cipher, profile = request.param
    recording = Recording()
    site = Site(ekt_cipher=ekt_cipher, recording=recording)
    openssl_profile = b"SRTP_" + profile.name.encode()
    endpoint = site.join(endpoint=Endpoint(ciphers=suite, profiles=openssl_profile))
    captured = Capture(site, endpoint, *(tmp_path / name for name in ("tunnel.pcap", "association.pcap", "keys.log")))
    tcp = TcpConnection(KEY_DISTRIBUTOR, TUNNEL)
    ports = {"kd": KEY_DISTRIBUTOR, "md": TUNNEL}
    segments = [segment for end, octets in recording.tunnel for segment in tcp.segments(ports[end], octets)]
    write_pcap(captured.tunnel, segments)
    write_pcap(
        captured.association,
        [
            udp_packet(*((ENDPOINT, MEDIA) if is_endpoints else (MEDIA, ENDPOINT)), message.dtls_message)
            for is_endpoints, message in recording.datagrams
        ],
    )
    captured.keys.write_text("".join(f"{line}\n" for line in recording.keys))
    return captured


def test_the_tunnel_opens_with_the_key_log_only(capture: Capture) -> None:
    (keys,) = capture.site.heard(MediaKeys)
    message = write_message(keys).hex()
    follow = ("-q", "-z", "follow,tls,raw,0")
    assert message in capture.read(capture.tunnel, *follow)
    assert message not in capture.read(capture.tunnel, *follow, with_keys=False)


def test_the_finished_of_both_ends_of_the_tunnel_are_read(capture: Capture) -> None:
    fields = ("-Y", f"tls.handshake.type=={FINISHED}", "-T", "fields", "-e", "tcp.srcport")
    assert capture.read(capture.tunnel, *fields).split() == [str(TUNNEL), str(KEY_DISTRIBUTOR)]


def test_the_association_opens_with_the_key_log_only(capture: Capture) -> None:
    (key,) = capture.endpoint.keys
    fields = ("-T", "fields", "-e", "data.data")
    assert key.key.hex() in capture.read(capture.association, *fields)
    assert key.key.hex() not in capture.read(capture.association, *fields, with_keys=False)


def test_the_finished_of_both_ends_of_the_association_are_read(capture: Capture) -> None:
    fields = ("-Y", f"dtls.handshake.type=={FINISHED}", "-T", "fields", "-e", "udp.srcport")
    assert capture.read(capture.association, *fields).split() == [str(ENDPOINT), str(MEDIA)]
