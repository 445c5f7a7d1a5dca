"""One hop's SRTP: between the Media Distributor and one endpoint (RFC 3711, RFC 7714).

The keys are the hop's alone: under a double profile they are the outer half, and the inner half never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from perc.errors import AuthenticationFailed, IllegalParameter
from perc.srtp.profiles import SRTPProtectionProfile
from perc.tunnel.messages import MediaKeys

MAXIMUM_PLAINTEXT = 1356
"""Octets of a packet that libsrtp's binding protects: its buffer of 1500 less the largest trailer it knows."""

REPLAY_WINDOW = 1024
"""Packets by which one may be late: a second of video at the largest bit rate allowed, and more than enough."""

_LIBSRTP_PROFILES = {
    SRTPProtectionProfile.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SRTPProtectionProfile.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


@dataclass(frozen=True, slots=True)
class HopKeys:
    """The master keys and salts of one hop. The client of the DTLS association is the endpoint."""

    profile: SRTPProtectionProfile
    client_write: bytes = field(repr=False)
    server_write: bytes = field(repr=False)
    is_double: bool = False
    """Whether these are the outer half of a double profile's keys."""

    @classmethod
    def from_media_keys(cls, message: MediaKeys) -> HopKeys:
        """The hop keys of a media_keys message; `IllegalParameter` if they are not one hop's, or not usable as such."""
        profile = message.profile.single
        keys = (message.client_write_key, message.server_write_key)
        salts = (message.client_write_salt, message.server_write_salt)
        if any(len(key) != profile.hop_key_length for key in keys):
            raise IllegalParameter("a master key that is not one hop's")
        if any(len(salt) != profile.hop_salt_length for salt in salts):
            raise IllegalParameter("a master salt that is not one hop's")
        if message.mki:
            raise IllegalParameter("a master key identifier, which no answer allows")
        # "the cryptographic contexts used in steps 1 and 4 MUST use different, independent master keys"
        # (RFC 8723, Section 5.2).
        if message.client_write_key == message.server_write_key:
            raise IllegalParameter("one master key for both directions")
        return cls(profile, keys[0] + salts[0], keys[1] + salts[1], message.profile.is_double)


class Hop:
    """Protects towards one endpoint and unprotects what comes from it.

    Every method raises `AuthenticationFailed` for a packet that is not to be used; `closed` hops refuse everything.
    """

    def __init__(self, keys: HopKeys) -> None:
        profile = _LIBSRTP_PROFILES[keys.profile]
        self.is_double = keys.is_double
        self._inbound: Session | None = _session(keys.client_write, Policy.SSRC_ANY_INBOUND, profile)
        self._outbound: Session | None = _session(keys.server_write, Policy.SSRC_ANY_OUTBOUND, profile)

    def unprotect_rtp(self, packet: bytes) -> bytes:
        """The RTP packet; one that came before, or is older than the replay window, is refused."""
        return _apply(Session.unprotect, self._inbound, packet)

    def protect_rtp(self, packet: bytes) -> bytes:
        """The SRTP packet; a sequence number that this hop has protected already is refused."""
        return _apply(Session.protect, self._outbound, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The compound RTCP packet."""
        return _apply(Session.unprotect_rtcp, self._inbound, packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """The SRTCP packet."""
        return _apply(Session.protect_rtcp, self._outbound, packet)

    def close(self) -> None:
        """Give the keys up: libsrtp overwrites its contexts when they are freed."""
        self._inbound = None
        self._outbound = None


def _session(key: bytes, direction: int, profile: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.window_size = REPLAY_WINDOW
    # One (hop key, SSRC, ROC, SEQ) is protected once; libsrtp is the last to see to that.
    policy.allow_repeat_tx = False
    session = Session(policy)
    _wipe(policy)
    return session


def _wipe(policy: Policy) -> None:
    # The session has a copy of its own, which libsrtp overwrites when it is freed.
    if policy.key is not None:
        copy = memoryview(policy.key)
        copy[:] = bytes(len(copy))


def _apply(operation: Callable[[Session, bytes], bytes], session: Session | None, packet: bytes) -> bytes:
    if session is None:
        raise AuthenticationFailed("the hop is closed")
    try:
        return operation(session, packet)
    except (SrtpError, ValueError) as error:
        raise AuthenticationFailed(str(error)) from error
