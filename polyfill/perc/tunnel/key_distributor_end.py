"""The Key Distributor's end of the tunnel (RFC 9185, Sections 5.4 and 5.5)."""

from __future__ import annotations

from perc.errors import ApiMisuse, IllegalParameter, PeerError, UnexpectedMessage
from perc.tunnel.end import Event, TunnelEnd
from perc.tunnel.messages import (
    VERSION,
    EndpointDisconnect,
    MediaKeys,
    Message,
    SignAnswer,
    SignAnswerAck,
    SignAnswerReject,
    SupportedProfiles,
    TunneledDtls,
    UnsupportedVersion,
    write_message,
)
from perc.tunnel.origin import origin_of


class KeyDistributorEnd(TunnelEnd):
    """Waits for supported_profiles, then for everything else; knows which sign_answers are still to be answered."""

    def __init__(self) -> None:
        super().__init__()
        self._profiles: tuple[int, ...] | None = None
        self._unanswered: set[str] = set()

    @property
    def profiles(self) -> tuple[int, ...] | None:
        """The Media Distributor's protection profiles; None until it has said them."""
        return self._profiles

    @property
    def unanswered(self) -> frozenset[str]:
        """The `o=` lines of the answers that are still to be signed or refused."""
        return frozenset(self._unanswered)

    def _receive(self, message: Message) -> list[Event]:
        if isinstance(message, SupportedProfiles):
            return self._receive_profiles(message)
        # "The first message transmitted over the tunnel is the SupportedProfiles" (RFC 9185, Section 5.3).
        if self._profiles is None:
            raise UnexpectedMessage(f"{message.msg_type.name.lower()} before supported_profiles")
        if isinstance(message, SignAnswer):
            self._note_origin(message)
        elif not isinstance(message, TunneledDtls | EndpointDisconnect):
            raise UnexpectedMessage(f"{message.msg_type.name.lower()} is not the Media Distributor's to send")
        return [message]

    def _receive_profiles(self, message: SupportedProfiles) -> list[Event]:
        # "The Media Distributor MUST support the same list of protection profiles for the duration of any
        # endpoint-initiated DTLS association and tunnel connection" (RFC 9185, Section 5.3): there is no second one.
        if self._profiles is not None:
            raise UnexpectedMessage("supported_profiles a second time")
        if message.version != VERSION:
            # "the Key Distributor MUST transmit an UnsupportedVersion message containing the highest version number
            # supported, and close the TLS connection" (RFC 9185, Section 5.5).
            self._outgoing += write_message(UnsupportedVersion(VERSION))
            raise PeerError(f"the Media Distributor speaks version {message.version} of the tunnel protocol")
        self._profiles = message.profiles
        return [message]

    def _note_origin(self, message: SignAnswer) -> None:
        origin = origin_of(message.answer)
        if origin in self._unanswered:
            raise IllegalParameter("two answers with the same o= line are to be signed")
        self._unanswered.add(origin)

    def _before_sending(self, message: Message) -> None:
        if isinstance(message, SignAnswerAck):
            self._settle(origin_of(message.answer))
        elif isinstance(message, SignAnswerReject):
            self._settle(message.origin)
        elif not isinstance(message, MediaKeys | TunneledDtls | EndpointDisconnect):
            raise ApiMisuse(f"{message.msg_type.name.lower()} is not the Key Distributor's to send")

    def _settle(self, origin: str) -> None:
        if origin not in self._unanswered:
            raise ApiMisuse("no sign_answer with this o= line is waiting")
        self._unanswered.remove(origin)
