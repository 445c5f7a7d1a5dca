"""OpenSSL's DTLS-SRTP over memory BIOs, both roles."""

from __future__ import annotations

from OpenSSL import SSL

from perc.srtp.profiles import SRTPProtectionProfile
from tests.media_distributor.certificates import Identity

_MTU = 1200


def server_connection(identity: Identity) -> SSL.Connection:
    connection = _connection(identity)
    connection.set_accept_state()
    return connection


def client_connection(identity: Identity) -> SSL.Connection:
    connection = _connection(identity)
    connection.set_connect_state()
    return connection


def _connection(identity: Identity) -> SSL.Connection:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    connection = SSL.Connection(context, None)
    connection.set_ciphertext_mtu(_MTU)
    return connection


def records(connection: SSL.Connection) -> list[bytes]:
    """Datagrams to send: OpenSSL's memory BIO runs them together, records tell them apart."""
    try:
        data = connection.bio_read(65536)
    except SSL.WantReadError:
        return []
    datagrams = [b""]
    while data:
        end = 13 + int.from_bytes(data[11:13], "big")
        if len(datagrams[-1]) + end > _MTU:
            datagrams.append(b"")
        datagrams[-1] += data[:end]
        data = data[end:]
    return datagrams


def exported_keys(connection: SSL.Connection, profile: SRTPProtectionProfile) -> tuple[bytes, bytes]:
    """Key and salt of the client, and of the server (RFC 5764, Section 4.2)."""
    key, salt = profile.key_length, profile.salt_length
    material = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
    client_salt, server_salt = material[2 * key : 2 * key + salt], material[2 * key + salt :]
    return material[:key] + client_salt, material[key : 2 * key] + server_salt
