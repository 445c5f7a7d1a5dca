"""The key log of the DTLS server, compared with the one that OpenSSL writes as the client of the same handshake."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.dtls.openssl import make_context, make_identity
from tests.dtls.parties import make_server
from tests.dtls.test_openssl import meet_client

SUITES = [b"ECDHE-ECDSA-AES128-GCM-SHA256", b"ECDHE-ECDSA-AES256-GCM-SHA384"]


@pytest.mark.parametrize("suite", SUITES, ids=bytes.decode)
@pytest.mark.parametrize("curve", [None, ec.SECP256R1()], ids=["x25519", "secp256r1"])
def test_the_server_logs_the_master_secret_that_openssl_logs(suite: bytes, curve: ec.EllipticCurve | None) -> None:
    servers: list[str] = []
    clients: list[str] = []
    context = make_context(make_identity(), ciphers=suite)
    context.set_keylog_callback(lambda _, line: clients.append(line.decode()))
    if curve is not None:
        context.set_tmp_ecdh(curve)
    meeting = meet_client(make_server(key_log=servers.append), context)
    meeting.settle()
    assert meeting.peer.completed
    assert [line.split(" ")[0] for line in servers] == ["CLIENT_RANDOM"]
    assert servers == clients
