"""A client's offer, and what it accepts as the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from perc.dtls.cipher_suites import CIPHER_SUITES, CipherSuite
from perc.dtls.extensions import (
    EMPTY_RENEGOTIATION_INFO,
    ExtensionType,
    UseSrtp,
    check_renegotiation_info,
    read_external_session_id,
    read_protocol_names,
    read_use_srtp,
    write_external_session_id,
    write_point_formats,
    write_protocol_names,
    write_uint16s,
    write_use_srtp,
)
from perc.dtls.hello import NULL_COMPRESSION, Extensions, ServerHello
from perc.dtls.negotiation import NAMED_GROUPS, SIGNATURE_SCHEMES, weakest_ekt_key
from perc.dtls.records import DTLS_1_2
from perc.ekt.ekt_key import EKTCipher, read_ekt_ciphers, read_selected_ekt_cipher, write_ekt_ciphers
from perc.errors import AlertDescription, DecodeError, HandshakeFailure, IllegalParameter
from perc.srtp.profiles import SRTPProtectionProfile


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the server chose from the offer."""

    suite: CipherSuite
    profile: SRTPProtectionProfile
    application_protocol: bytes | None
    ekt_cipher: EKTCipher | None = None
    external_session_id: bytes | None = None


def write_offer(
    profiles: Iterable[SRTPProtectionProfile],
    protocols: Collection[bytes],
    external_session_id: bytes | None,
    ekt_ciphers: Collection[EKTCipher] = (),
) -> Extensions:
    """The extensions of a ClientHello."""
    extensions: Extensions = {
        ExtensionType.SUPPORTED_GROUPS: write_uint16s(NAMED_GROUPS),
        ExtensionType.EC_POINT_FORMATS: write_point_formats(),
        ExtensionType.SIGNATURE_ALGORITHMS: write_uint16s(SIGNATURE_SCHEMES),
        ExtensionType.USE_SRTP: write_use_srtp(UseSrtp(tuple(profiles))),
        ExtensionType.EXTENDED_MASTER_SECRET: b"",
        ExtensionType.RENEGOTIATION_INFO: EMPTY_RENEGOTIATION_INFO,
    }
    if protocols:
        extensions[ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION] = write_protocol_names(protocols)
    if external_session_id is not None:
        extensions[ExtensionType.EXTERNAL_SESSION_ID] = write_external_session_id(external_session_id)
    if ekt_ciphers:
        extensions[ExtensionType.SUPPORTED_EKT_CIPHERS] = write_ekt_ciphers(ekt_ciphers)
    return extensions


def accept(hello: ServerHello, offer: Extensions) -> Accepted:
    """The server's choice; `PeerError` if it is none that the offer allows, or lacks what this project requires."""
    if hello.version != DTLS_1_2:
        raise HandshakeFailure("the server does not speak DTLS 1.2", AlertDescription.PROTOCOL_VERSION)
    if hello.compression_method != NULL_COMPRESSION:
        raise IllegalParameter("compression was not offered")
    if not hello.extensions.keys() <= offer.keys():
        # "If a client receives an extension type in ServerHello that it did not request in the associated ClientHello,
        # it MUST abort the handshake with an unsupported_extension fatal alert." (RFC 5246, Section 7.4.1.4)
        raise HandshakeFailure("an extension that was not offered", AlertDescription.UNSUPPORTED_EXTENSION)
    _check_required_extensions(hello.extensions)
    suite, profile = _accept_suite(hello), _accept_profile(hello.extensions, offer)
    ekt_cipher = _accept_ekt_cipher(hello, offer, weakest_ekt_key(suite, profile))
    session_id = hello.extensions.get(ExtensionType.EXTERNAL_SESSION_ID)
    return Accepted(
        suite,
        profile,
        _accept_protocol(hello, offer),
        ekt_cipher,
        None if session_id is None else read_external_session_id(session_id),
    )


def _check_required_extensions(extensions: Extensions) -> None:
    master_secret = extensions.get(ExtensionType.EXTENDED_MASTER_SECRET)
    if master_secret is None:
        # "it SHOULD abort the handshake if it does not wish to interoperate with legacy servers" (RFC 7627,
        # Section 5.2)
        raise HandshakeFailure("no extended master secret")
    if master_secret:
        raise DecodeError("extended_master_secret is not empty")
    renegotiation_info = extensions.get(ExtensionType.RENEGOTIATION_INFO)
    if renegotiation_info is None:
        raise HandshakeFailure("no secure renegotiation")
    check_renegotiation_info(renegotiation_info)


def _accept_suite(hello: ServerHello) -> CipherSuite:
    for suite in CIPHER_SUITES:
        if suite.code == hello.cipher_suite:
            return suite
    raise IllegalParameter("a cipher suite that was not offered")


def _accept_profile(extensions: Extensions, offer: Extensions) -> SRTPProtectionProfile:
    data = extensions.get(ExtensionType.USE_SRTP)
    if data is None:
        raise HandshakeFailure("no SRTP protection profile")
    answer, offered = read_use_srtp(data), read_use_srtp(offer[ExtensionType.USE_SRTP])
    if len(answer.profiles) != 1 or answer.profiles[0] not in offered.profiles:
        raise IllegalParameter("not one of the SRTP protection profiles that were offered")
    if answer.mki:
        # "If the client detects a nonzero-length MKI in the server's response that is different than the one the client
        # offered, then the client MUST abort the handshake" (RFC 5764, Section 4.1.3).
        raise IllegalParameter("an MKI that was not offered")
    return SRTPProtectionProfile(answer.profiles[0])


def _accept_protocol(hello: ServerHello, offer: Extensions) -> bytes | None:
    extension_type = ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
    data = hello.extensions.get(extension_type)
    if data is None:
        return None
    names = read_protocol_names(data)
    # "the 'ProtocolNameList' MUST contain exactly one 'ProtocolName'" (RFC 7301, Section 3.1)
    if len(names) != 1 or names[0] not in read_protocol_names(offer[extension_type]):
        raise IllegalParameter("not one of the application protocols that were offered")
    return names[0]


def _accept_ekt_cipher(hello: ServerHello, offer: Extensions, key_length: int) -> EKTCipher | None:
    data = hello.extensions.get(ExtensionType.SUPPORTED_EKT_CIPHERS)
    if data is None:
        return None
    cipher = read_selected_ekt_cipher(data)
    # "a cipher selected from among those advertised by the client" (RFC 8870, Section 5.2.1)
    if cipher not in read_ekt_ciphers(offer[ExtensionType.SUPPORTED_EKT_CIPHERS]):
        raise IllegalParameter("an EKT cipher that was not offered")
    if cipher.key_length < key_length:
        raise IllegalParameter("an EKT cipher that is weaker than what it protects")
    return cipher
