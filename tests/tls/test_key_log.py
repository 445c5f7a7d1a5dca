"""The key log of the TLS client, compared with the one that OpenSSL writes as the server of the same handshake."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from perc.tls.config import TlsClientConfig
from tests.tls.openssl_server import CLIENT_CERTIFICATE, CLIENT_KEY, ROOT, Story, anchors, client, server_context
from tests.x509.authority import NOW

LABELS = [
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
]


@pytest.mark.parametrize("group", [None, ec.SECP256R1(), ec.SECP384R1()], ids=["X25519", "P-256", "P-384"])
def test_the_client_logs_the_secrets_that_openssl_logs(group: ec.EllipticCurve | None) -> None:
    clients: list[str] = []
    servers: list[str] = []
    context = server_context()
    context.set_keylog_callback(lambda _, line: servers.append(line.decode()))
    if group is not None:
        context.set_tmp_ecdh(group)  # the server answers with a HelloRetryRequest
    Story(client(key_log=clients.append), context)
    assert [line.split(" ")[0] for line in clients] == LABELS
    assert set(clients) == {line for line in servers if line.split(" ")[0] in LABELS}


def test_a_handshake_that_ends_early_logs_only_the_secrets_it_had() -> None:
    clients: list[str] = []
    Story(client("other.example", key_log=clients.append))
    assert [line.split(" ")[0] for line in clients] == LABELS[:2]


def test_a_configuration_does_not_show_its_key_log() -> None:
    assert "key_log" not in repr(
        TlsClientConfig("md.example", anchors(ROOT), CLIENT_CERTIFICATE, CLIENT_KEY, NOW, print)
    )
