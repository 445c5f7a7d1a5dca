"""What a server makes of a ClientHello: the choice of everything that is negotiated, or the alert that says why not.

The server speaks DTLS 1.2 only. A client that offers 1.3 as well (Chromium does) sees an ordinary DTLS 1.2 ServerHello:
without supported_versions, and without the downgrade sentinel in its random, which RFC 8446, Section 4.1.3 asks of
"servers which negotiate TLS 1.2" although they speak 1.3; from a server that does not, it would make the client abort.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from perc.crypto.provider import NamedGroup, SignatureScheme
from perc.dtls.cipher_suites import CIPHER_SUITES, CipherSuite
from perc.dtls.extensions import (
    C_WEBRTC,
    EMPTY_RENEGOTIATION_INFO,
    EMPTY_RENEGOTIATION_INFO_SCSV,
    UNCOMPRESSED_POINT,
    WEBRTC,
    ExtensionType,
    UseSrtp,
    check_renegotiation_info,
    read_external_session_id,
    read_point_formats,
    read_protocol_names,
    read_uint16_list,
    read_use_srtp,
    write_external_session_id,
    write_point_formats,
    write_protocol_names,
    write_use_srtp,
)
from perc.dtls.hello import NULL_COMPRESSION, ClientHello, Extensions
from perc.dtls.records import DTLS_1_2, DTLS_MAJOR
from perc.ekt.ekt_key import EKTCipher, read_ekt_ciphers, write_selected_ekt_cipher
from perc.errors import AlertDescription, DecodeError, HandshakeFailure, IllegalParameter
from perc.srtp.profiles import SRTPProtectionProfile

# In order of preference. Curves other than P-256 are for the other side's certificate; x25519 is fastest in WebCrypto.
SIGNATURE_SCHEMES = (SignatureScheme.ECDSA_SECP256R1_SHA256, SignatureScheme.ECDSA_SECP384R1_SHA384)
NAMED_GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)

# Whatever MKI the client proposed, an empty one in the answer says that none is used (RFC 5764, Section 4.1.3).
_SELECTED = {profile: write_use_srtp(UseSrtp((profile,))) for profile in SRTPProtectionProfile}
_POINT_FORMATS = write_point_formats()


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The server's choice; `extensions` are those of its ServerHello, `external_session_id` is the client's."""

    suite: CipherSuite
    group: NamedGroup
    profile: SRTPProtectionProfile
    application_protocol: bytes | None
    external_session_id: bytes | None
    ekt_cipher: EKTCipher | None
    extensions: Extensions


def negotiate(
    hello: ClientHello,
    profiles: Iterable[SRTPProtectionProfile],
    ekt_ciphers: Collection[EKTCipher] = (),
    own_session_id: bytes | None = None,
) -> Negotiated:
    """The choice for this client, `profiles` in the server's order of preference; `PeerError` where there is none.
    Without a common EKT cipher the handshake goes on, and no EKTKey is sent. A client that sends its tls-id is told
    the server's own, if it has one."""
    _check_version(hello)
    if NULL_COMPRESSION not in hello.compression_methods:
        raise IllegalParameter("null compression is not offered")
    _check_signature_schemes(hello.extensions)
    suite = _choose_suite(hello)
    group = _choose_group(hello.extensions)
    profile = _choose_profile(hello.extensions, profiles)
    protocol = _choose_protocol(hello.extensions)
    session_id = hello.extensions.get(ExtensionType.EXTERNAL_SESSION_ID)
    ekt_cipher = _choose_ekt_cipher(hello.extensions, ekt_ciphers, weakest_ekt_key(suite, profile))
    answer = _answer(hello, profile, protocol, ekt_cipher)
    if session_id is not None and own_session_id is not None:
        answer[ExtensionType.EXTERNAL_SESSION_ID] = write_external_session_id(own_session_id)
    return Negotiated(
        suite,
        group,
        profile,
        protocol,
        None if session_id is None else read_external_session_id(session_id),
        ekt_cipher,
        answer,
    )


def weakest_ekt_key(suite: CipherSuite, profile: SRTPProtectionProfile) -> int:
    """The least octets that an EKTKey needs: "The confidentiality, integrity, and authentication of the EKT cipher MUST
    be at least as strong as the SRTP cipher and at least as strong as the DTLS-SRTP ciphers" (RFC 8870, Section 6)."""
    return max(suite.key_length, profile.hop_key_length)


def _check_version(hello: ClientHello) -> None:
    # Versions of DTLS count downwards: {254, 253} is 1.2, and a smaller second octet is a later one.
    offered = hello.version >> 8 == DTLS_MAJOR and hello.version <= DTLS_1_2
    versions = hello.extensions.get(ExtensionType.SUPPORTED_VERSIONS)
    if versions is not None:
        # "Servers MUST only select a version of TLS present in that extension" (RFC 8446, Section 4.2.1)
        offered = DTLS_1_2 in read_uint16_list(versions, length_bytes=1)
    if not offered:
        raise HandshakeFailure("DTLS 1.2 is not offered", AlertDescription.PROTOCOL_VERSION)


def _choose_suite(hello: ClientHello) -> CipherSuite:
    for suite in CIPHER_SUITES:
        if suite.code in hello.cipher_suites:
            return suite
    raise HandshakeFailure("no ECDHE_ECDSA suite with AES-GCM is offered")


def _check_signature_schemes(extensions: Extensions) -> None:
    # Without the extension, ECDSA means SHA-1 (RFC 5246, Section 7.4.1.4.1), which is not made here any more.
    schemes = extensions.get(ExtensionType.SIGNATURE_ALGORITHMS)
    if schemes is None or SignatureScheme.ECDSA_SECP256R1_SHA256 not in read_uint16_list(schemes):
        raise HandshakeFailure("ecdsa_secp256r1_sha256 is not offered")


def _choose_group(extensions: Extensions) -> NamedGroup:
    data = extensions.get(ExtensionType.SUPPORTED_GROUPS)
    # "A client that proposes ECC cipher suites may choose not to include these extensions. In this case, the server is
    # free to choose any one of the elliptic curves" (RFC 8422, Section 4): the one that everybody has.
    groups = (NamedGroup.SECP256R1,) if data is None else read_uint16_list(data)
    formats = extensions.get(ExtensionType.EC_POINT_FORMATS)
    # "it MUST contain the value 0 (uncompressed)" (RFC 8422, Section 5.1.2)
    if formats is not None and UNCOMPRESSED_POINT not in read_point_formats(formats):
        raise IllegalParameter("uncompressed points are not offered")
    for group in NAMED_GROUPS:
        if group in groups:
            return group
    raise HandshakeFailure("no common group")


def _choose_profile(extensions: Extensions, profiles: Iterable[SRTPProtectionProfile]) -> SRTPProtectionProfile:
    data = extensions.get(ExtensionType.USE_SRTP)
    if data is None:
        raise HandshakeFailure("use_srtp is not offered")
    offered = read_use_srtp(data).profiles
    for profile in profiles:
        if profile in offered:
            return profile
    raise HandshakeFailure("no common SRTP protection profile")


def _choose_protocol(extensions: Extensions) -> bytes | None:
    data = extensions.get(ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION)
    if data is None:
        return None
    offered = read_protocol_names(data)
    for protocol in (C_WEBRTC, WEBRTC):
        if protocol in offered:
            return protocol
    # "the server SHALL respond with a fatal 'no_application_protocol' alert" (RFC 7301, Section 3.2)
    raise HandshakeFailure("neither c-webrtc nor webrtc is offered", AlertDescription.NO_APPLICATION_PROTOCOL)


def _choose_ekt_cipher(extensions: Extensions, ekt_ciphers: Collection[EKTCipher], key_length: int) -> EKTCipher | None:
    data = extensions.get(ExtensionType.SUPPORTED_EKT_CIPHERS)
    if data is None or not ekt_ciphers:
        return None
    # The client lists them "in preference order, with the most preferred version first" (RFC 8870, Section 5.2.1).
    strong = (each for each in read_ekt_ciphers(data) if each in ekt_ciphers and each.key_length >= key_length)
    return next(strong, None)


def _answer(
    hello: ClientHello, profile: SRTPProtectionProfile, protocol: bytes | None, ekt_cipher: EKTCipher | None
) -> Extensions:
    """The ServerHello's extensions: only what the client offered, or said by a signalling cipher suite."""
    offered = hello.extensions
    if ExtensionType.EXTENDED_MASTER_SECRET not in offered:
        # "If the server receives a ClientHello without the extension, it SHOULD abort" (RFC 7627, Section 5.2).
        raise HandshakeFailure("extended_master_secret is not offered")
    if offered[ExtensionType.EXTENDED_MASTER_SECRET]:
        raise DecodeError("extended_master_secret is not empty")
    answer: Extensions = {
        ExtensionType.EXTENDED_MASTER_SECRET: b"",
        ExtensionType.USE_SRTP: _SELECTED[profile],
    }
    renegotiation_info = offered.get(ExtensionType.RENEGOTIATION_INFO)
    if renegotiation_info is not None:
        check_renegotiation_info(renegotiation_info)
    if renegotiation_info is not None or EMPTY_RENEGOTIATION_INFO_SCSV in hello.cipher_suites:
        answer[ExtensionType.RENEGOTIATION_INFO] = EMPTY_RENEGOTIATION_INFO
    if ExtensionType.EC_POINT_FORMATS in offered:
        answer[ExtensionType.EC_POINT_FORMATS] = _POINT_FORMATS
    if protocol is not None:
        answer[ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION] = write_protocol_names([protocol])
    if ekt_cipher is not None:
        answer[ExtensionType.SUPPORTED_EKT_CIPHERS] = write_selected_ekt_cipher(ekt_cipher)
    return answer
