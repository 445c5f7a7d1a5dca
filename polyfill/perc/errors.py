"""The error tree of perc.

PercError
├── ApiMisuse                  the caller broke a promise; a bug on this side
├── NotPresent                 what the caller named is gone, or never was
├── PeerError(alert)           the other side broke a protocol; `alert` is what it is told
│   ├── DecodeError            bytes that are not the message they claim to be
│   ├── IllegalParameter       well-formed, but a value that is not allowed here
│   ├── UnexpectedMessage      a message that this state does not expect
│   ├── HandshakeFailure       nothing acceptable was offered
│   ├── DecryptError           a signature or Finished that does not verify
│   ├── BadRecordMac           a record that does not authenticate
│   ├── CertificateError       a certificate that is not accepted (the alert says why)
│   └── AlertReceived          the other side sent a fatal alert
├── AuthenticationFailed       a packet or ciphertext that does not authenticate: drop, count, stay silent
└── IdentityRejected(detail)   an identity that was not validated (errorDetail of W3C webrtc-identity)
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class AlertDescription(IntEnum):
    """TLS alerts (RFC 8446, Section 6; RFC 5246, Section 7.2)."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120


class PercError(Exception):
    """Anything that perc raises on purpose."""


class ApiMisuse(PercError):
    """A caller asked for something that the state or the types do not allow."""


class NotPresent(PercError):
    """A caller named someone who is not there, perhaps not any more."""


class PeerError(PercError):
    """The other side broke a protocol; `alert` is the alert that tells it so."""

    default_alert: ClassVar[AlertDescription] = AlertDescription.INTERNAL_ERROR

    def __init__(self, reason: str, alert: AlertDescription | None = None) -> None:
        super().__init__(reason)
        self.alert = self.default_alert if alert is None else alert


class DecodeError(PeerError):
    """A message could not be decoded: a wrong length, a truncation, trailing bytes."""

    default_alert = AlertDescription.DECODE_ERROR


class IllegalParameter(PeerError):
    """A field was in its range for the decoder, but not allowed or not consistent."""

    default_alert = AlertDescription.ILLEGAL_PARAMETER


class UnexpectedMessage(PeerError):
    """A message arrived that the current state does not expect."""

    default_alert = AlertDescription.UNEXPECTED_MESSAGE


class HandshakeFailure(PeerError):
    """No acceptable set of parameters could be negotiated."""

    default_alert = AlertDescription.HANDSHAKE_FAILURE


class DecryptError(PeerError):
    """A handshake signature or Finished did not verify."""

    default_alert = AlertDescription.DECRYPT_ERROR


class BadRecordMac(PeerError):
    """A record did not authenticate."""

    default_alert = AlertDescription.BAD_RECORD_MAC


class CertificateError(PeerError):
    """A certificate or its chain is not accepted; the alert says in which way."""

    default_alert = AlertDescription.BAD_CERTIFICATE


class AlertReceived(PeerError):
    """The other side ended the connection with the alert in `alert`; nothing is sent back."""


class AuthenticationFailed(PercError):
    """A packet or ciphertext did not authenticate; its bytes mean nothing."""


class IdentityRejected(PercError):
    """An identity was not validated; `error_detail` is the errorDetail of W3C webrtc-identity, if it has one."""

    def __init__(self, reason: str, error_detail: str | None = None) -> None:
        super().__init__(reason)
        self.error_detail = error_detail
