"""DTLS 1.2 with use_srtp: the Key Distributor's server and the native endpoints' client (RFC 6347, RFC 5764).

messages, hello, extensions      bytes ↔ values
session, transcript, negotiation what is derived from them
server_handshake, client_handshake  messages in, flights and events out; no records, no loss, no time
records, record_layer, fragments, flights  the lossy path
ack, ekt_delivery, ekt_receipt   EKTKeys behind the handshake, for native endpoints
association                      all of that as one machine; server and client are two kinds of it
cookie_gate                      in front of a listener's associations, where no Media Distributor stands
"""

from perc.dtls.client import DtlsClient
from perc.dtls.client_handshake import DtlsClientConfig
from perc.dtls.cookie_gate import CookieGate
from perc.dtls.events import (
    ApplicationDataReceived,
    AssociationClosed,
    AssociationFailed,
    EktKeyAcknowledged,
    EktKeyReceived,
    Event,
    HandshakeCompleted,
    SrtpKeysExported,
)
from perc.dtls.server import DtlsServer
from perc.dtls.server_handshake import DtlsServerConfig

__all__ = [
    "ApplicationDataReceived",
    "AssociationClosed",
    "AssociationFailed",
    "CookieGate",
    "DtlsClient",
    "DtlsClientConfig",
    "DtlsServer",
    "DtlsServerConfig",
    "EktKeyAcknowledged",
    "EktKeyReceived",
    "Event",
    "HandshakeCompleted",
    "SrtpKeysExported",
]
