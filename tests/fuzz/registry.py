"""All targets by name: parsers, then machines."""

from __future__ import annotations

from tests.fuzz import (
    dtls,
    dtls_association,
    ekt,
    identity,
    key_distributor,
    sctp,
    sctp_responder,
    srtp,
    tls,
    tls_client,
    tunnel,
    x509,
)
from tests.fuzz.target import Target

_PARSERS = (tls, dtls, sctp, tunnel, ekt, srtp, identity, x509)
_MACHINES = (dtls_association, sctp_responder, tls_client, key_distributor)

TARGETS: dict[str, Target] = {target.name: target for room in (*_PARSERS, *_MACHINES) for target in room.TARGETS}
