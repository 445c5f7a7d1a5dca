"""Answers to stream reconfiguration (RFC 6525): always a refusal.

The extension is not offered in INIT ACK, so that no peer should ask. The one stream of the key channel lives as long as
its association; a peer that wants it reset wants the association to end.
"""

from __future__ import annotations

from perc.sctp.chunks import ChunkType
from perc.sctp.packet import Chunk, Parameter, read_parameters
from perc.wire import Reader, Writer

_REQUESTS = frozenset({13, 14, 15, 17, 18})
"""Outgoing and Incoming SSN Reset, SSN/TSN Reset, Add Outgoing and Incoming Streams (Section 4)."""
_RESPONSE = 16
_DENIED = 2
_MAX_REQUESTS = 2
"""Parameters of one chunk: "one or two" (Section 3.1)."""


def answer_re_config(value: bytes) -> list[Chunk]:
    """A "Denied" response (Section 4.4) to each request in a RE-CONFIG chunk; responses need no answer."""
    answers = []
    for parameter in read_parameters(value)[:_MAX_REQUESTS]:
        if parameter.type in _REQUESTS:
            sequence_number = Reader(parameter.value).uint32()
            response = Parameter(_RESPONSE, Writer().uint32(sequence_number).uint32(_DENIED).finish())
            answers.append(Chunk(ChunkType.RE_CONFIG, 0, response.write()))
    return answers
