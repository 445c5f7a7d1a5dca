"""Errors as the page gets them: the members of a DOMException, or of an RTCError for identities.

The page may show a message to anyone, so a message holds what `perc` says on purpose. Of anything else only the type
and the place are told: the values in an unforeseen exception could be keys.
"""

from __future__ import annotations

from types import TracebackType

from perc.errors import AlertReceived, ApiMisuse, CertificateError, IdentityRejected, NotPresent, PeerError, PercError


class TunnelUnavailable(PercError):
    """The bridge gave no connection to the Media Distributor, or lost it."""


class ConnectTimedOut(PercError):
    """The Media Distributor did not finish the handshake, or did not say what it supports."""


class OperationAborted(PercError):
    """The page closed the Key Distributor while it was waiting."""


# The names are those of Web IDL; the first class that fits counts.
_DESCRIPTIONS: tuple[tuple[type[PercError], str, str], ...] = (
    (CertificateError, "SecurityError", "the Media Distributor's certificate is not accepted: "),
    (AlertReceived, "NetworkError", "the Media Distributor refused the connection: "),
    (PeerError, "OperationError", "the Media Distributor broke the protocol: "),
    (TunnelUnavailable, "NetworkError", ""),
    (ConnectTimedOut, "TimeoutError", ""),
    (OperationAborted, "AbortError", ""),
    (ApiMisuse, "InvalidStateError", ""),
    (NotPresent, "NotFoundError", ""),
    (PercError, "OperationError", ""),
)


def describe(error: BaseException) -> dict[str, str]:
    """`{name, message}`, with `errorDetail` for an identity, where it becomes an RTCError."""
    for error_class, name, prefix in _DESCRIPTIONS:
        if isinstance(error, error_class):
            detail = error.error_detail if isinstance(error, IdentityRejected) else None
            return {"name": name, "message": f"{prefix}{error}"} | ({"errorDetail": detail} if detail else {})
    return {"name": "OperationError", "message": f"internal error: {_place(error)}"}


def _place(error: BaseException) -> str:
    """The type of an unforeseen exception and where it was raised, without any value."""
    place: TracebackType | None = error.__traceback__
    if place is None:
        return type(error).__name__
    while place.tb_next is not None:
        place = place.tb_next
    module = place.tb_frame.f_globals.get("__name__", "?")
    return f"{type(error).__name__} in {module}, line {place.tb_lineno}"
