"""The Media Distributor's end of the tunnel (RFC 9185, Section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from perc.errors import ApiMisuse, IllegalParameter, UnexpectedMessage
from perc.tunnel.end import Event, TunnelEnd
from perc.tunnel.messages import (
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


class MediaDistributorEnd(TunnelEnd):
    """Says its profiles at once, then sends and receives; knows which sign_answers are still unanswered.

    An `UnsupportedVersion` among the events is the last one: the caller closes the connection and may come again with
    the version it names.
    """

    def __init__(self, profiles: Sequence[int]) -> None:
        super().__init__()
        self._profiles = tuple(profiles)
        self._waiting: set[str] = set()
        # "This message MUST be sent each time a new tunnel connection is established" (RFC 9185, Section 5.3).
        self._outgoing += write_message(SupportedProfiles(self._profiles))

    @property
    def unanswered(self) -> frozenset[str]:
        """The `o=` lines of the answers whose signature is awaited."""
        return frozenset(self._waiting)

    def forget(self, origin: str) -> None:
        """Wait no longer for the answer with this `o=` line; should it still come, it is dropped."""
        self._waiting.discard(origin)

    def _receive(self, message: Message) -> list[Event]:
        match message:
            case MediaKeys():
                self._check_keys(message)
            case SignAnswerAck(answer):
                return self._settle(origin_of(answer), message)
            case SignAnswerReject(origin):
                return self._settle(origin, message)
            case UnsupportedVersion():
                self._failed = True
            case TunneledDtls() | EndpointDisconnect():
                pass
            case _:
                raise UnexpectedMessage(f"{message.msg_type.name.lower()} is not the Key Distributor's to send")
        return [message]

    def _settle(self, origin: str, message: Message) -> list[Event]:
        if origin not in self._waiting:
            return []
        self._waiting.remove(origin)
        return [message]

    def _check_keys(self, message: MediaKeys) -> None:
        profile = message.profile
        # "The Key Distributor MUST select a cipher that is supported by both the endpoint and the Media Distributor"
        # (RFC 9185, Section 5.4).
        if profile not in self._profiles:
            raise IllegalParameter(f"media_keys for {profile.name}, which was not offered")
        # A double profile's inner half would show here as a key of twice the length, and is not for this end.
        keys, salts = {profile.hop_key_length}, {profile.hop_salt_length}
        if {len(message.client_write_key), len(message.server_write_key)} != keys:
            raise IllegalParameter("media_keys whose keys are not one hop's")
        if {len(message.client_write_salt), len(message.server_write_salt)} != salts:
            raise IllegalParameter("media_keys whose salts are not one hop's")

    def _before_sending(self, message: Message) -> None:
        if isinstance(message, SignAnswer):
            origin = origin_of(message.answer)
            if origin in self._waiting:
                raise ApiMisuse("an answer with this o= line is being signed already")
            self._waiting.add(origin)
        elif not isinstance(message, TunneledDtls | EndpointDisconnect):
            raise ApiMisuse(f"{message.msg_type.name.lower()} is not the Media Distributor's to send")
