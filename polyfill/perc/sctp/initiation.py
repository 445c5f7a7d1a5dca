"""The answer to an INIT: INIT ACK with the state cookie, or ABORT (RFC 9260, Sections 3.2.1, 3.3.2, 3.3.3 and 5.1)."""

from __future__ import annotations

from perc.sctp.chunks import ChunkType, ErrorCause, Init, ParameterType, abort_chunk
from perc.sctp.cookie import StateCookie
from perc.sctp.packet import Chunk, Parameter

STREAMS = 1
"""Streams each way: the key channel is the only one."""
MAX_REPORTED_PARAMETERS = 8
"""Unrecognized parameters echoed at most; their peer only wants to know about its own few extensions."""
MAX_REPORTED_LENGTH = 64
"""Octets of a parameter that is echoed: what an extension's announcement needs, and no amplifier."""
_GO_ON, _REPORT = 0x8000, 0x4000
_KNOWN = frozenset({5, 6, 9, 11, 12})
"""IPv4 and IPv6 Address, Cookie Preservative, Host Name Address, Supported Address Types: understood, and without
meaning under DTLS (RFC 8261)."""


def answer_init(init: Init, cookie: StateCookie, secret: bytes, window: int) -> Chunk:
    """The chunk that answers `init`; nothing is kept on this side."""
    if not init.outbound_streams or not init.inbound_streams:
        # Nothing could be said on such an association (Section 3.3.2).
        return abort_chunk(ErrorCause.INVALID_MANDATORY_PARAMETER, "no streams")
    parameters = (Parameter(ParameterType.STATE_COOKIE, cookie.seal(secret)), *_unrecognized(init.parameters))
    return Init(cookie.own_tag, window, STREAMS, STREAMS, cookie.own_tsn, parameters).write(ChunkType.INIT_ACK)


def _unrecognized(parameters: tuple[Parameter, ...]) -> list[Parameter]:
    """What the two highest bits of each unknown parameter type ask for (Section 3.2.1)."""
    reported: list[Parameter] = []
    for parameter in parameters:
        if parameter.type in _KNOWN:
            continue
        if parameter.type & _REPORT and len(parameter.value) <= MAX_REPORTED_LENGTH:
            reported.append(Parameter(ParameterType.UNRECOGNIZED_PARAMETER, parameter.write()))
        if not parameter.type & _GO_ON:
            break
    return reported[:MAX_REPORTED_PARAMETERS]
