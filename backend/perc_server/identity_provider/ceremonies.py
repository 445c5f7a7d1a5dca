"""Passkey ceremonies: registration and authentication by the W3C's WebAuthn Level 3, Sections 7.1 and 7.2.

The `webauthn` package verifies; here is what it leaves to its caller: that a challenge is this browser's and good once,
that the ceremony was not in another site's frame, that the credential is the account's that it says. Passkeys are
discoverable (nobody types a name) and verify the user, so that one is enough to sign in. Attestation is not asked for:
any authenticator that a person trusts is good enough for that person.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from perc_server.identity_provider.accounts import Account
from perc_server.identity_provider.challenges import LIFETIME, Challenges
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.counts import PasskeyRefusal
from perc_server.identity_provider.passkeys import Passkey, Passkeys
from perc_server.identity_provider.sessions import SignIn

MALFORMED = (
    WebAuthnException,
    UnsupportedAlgorithm,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What the package and its parsers raise for what an authenticator would not have sent."""

NOT_ATTESTED = {AttestationFormat.NONE, AttestationFormat.PACKED}
"""What comes where no attestation is asked for: none, or the credential's own signature. Other formats lead into
parsers of certificates, for nothing."""

MAX_CREDENTIAL_ID = 1023
"""Octets: "Verify that the credentialId is ≤ 1023 bytes" (Section 7.1)."""


class PasskeyRefusedError(Exception):
    """The response is refused; the reason is for counters, logs and tests, and is not sent to the client."""

    def __init__(self, reason: PasskeyRefusal) -> None:
        super().__init__(reason)
        self.reason = reason


class Ceremonies:
    """Options out, responses in; `clock` gives Unix time."""

    def __init__(
        self,
        config: IdentityProviderConfig,
        passkeys: Passkeys,
        challenges: Challenges,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._rp_id = urlsplit(config.origin).hostname or ""
        self._passkeys = passkeys
        self._challenges = challenges
        self._clock = clock

    def creation_options(self, sign_in: SignIn) -> str:
        """PublicKeyCredentialCreationOptionsJSON for a new passkey of whoever is signed in."""
        account = sign_in.account
        existing = [base64url_to_bytes(passkey.credential_id) for passkey in self._passkeys.of(account)]
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._config.name,
            user_id=self._passkeys.handle_of(account),
            user_name=self._config.identity(account.name),
            user_display_name=account.name,
            challenge=self._challenges.issue(_adding(sign_in)),
            timeout=LIFETIME * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=credential_id) for credential_id in existing],
        )
        return options_to_json(options)

    def add(self, sign_in: SignIn, response: str, label: str) -> None:
        """Adds the passkey of this RegistrationResponseJSON."""
        try:
            passkey = self._registered(sign_in, response, label)
        except MALFORMED as error:
            raise PasskeyRefusedError(PasskeyRefusal.MALFORMED) from error
        if not self._passkeys.add(passkey):
            raise PasskeyRefusedError(PasskeyRefusal.NOT_ADDED)

    def request_options(self, browser: str) -> str:
        """PublicKeyCredentialRequestOptionsJSON for the browser that has this secret."""
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=self._challenges.issue(_signing_in(browser)),
            timeout=LIFETIME * 1000,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def authenticate(self, browser: str, response: str) -> Account:
        """Whose passkey made this AuthenticationResponseJSON."""
        try:
            return self._authenticated(browser, response)
        except MALFORMED as error:
            raise PasskeyRefusedError(PasskeyRefusal.MALFORMED) from error

    def _registered(self, sign_in: SignIn, response: str, label: str) -> Passkey:
        credential = parse_registration_credential_json(response)
        if parse_attestation_object(credential.response.attestation_object).fmt not in NOT_ATTESTED:
            raise PasskeyRefusedError(PasskeyRefusal.ATTESTATION)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=self._challenge(_adding(sign_in), credential.response.client_data_json),
            expected_rp_id=self._rp_id,
            expected_origin=self._config.origin,
            require_user_verification=True,
        )
        if len(verified.credential_id) > MAX_CREDENTIAL_ID:
            raise PasskeyRefusedError(PasskeyRefusal.CREDENTIAL_ID_TOO_LONG)
        # A key that is none would be found out at the first sign-in only.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
        return Passkey(
            bytes_to_base64url(verified.credential_id),
            sign_in.account,
            self._passkeys.handle_of(sign_in.account),
            label,
            verified.credential_public_key,
            verified.sign_count,
            self._clock(),
            None,
        )

    def _authenticated(self, browser: str, response: str) -> Account:
        credential = parse_authentication_credential_json(response)
        challenge = self._challenge(_signing_in(browser), credential.response.client_data_json)
        passkey = self._passkeys.find(bytes_to_base64url(credential.raw_id))
        # "Verify that response.userHandle is present. Verify that the user account identified by response.userHandle
        # contains a credential record whose id equals credential.rawId" (Section 7.2).
        if passkey is None or credential.response.user_handle != passkey.handle:
            raise PasskeyRefusedError(PasskeyRefusal.UNKNOWN)
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=self._rp_id,
            expected_origin=self._config.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        if not self._passkeys.used(passkey, verified.new_sign_count):
            raise PasskeyRefusedError(PasskeyRefusal.COUNTER)
        return passkey.account

    def _challenge(self, holder: str, client_data: bytes) -> bytes:
        """The challenge that the response answers, if it is the holder's and unused; it is used up now."""
        members = json.loads(client_data)
        # "verify that the Relying Party expects that this credential would have been created within an iframe that is
        # not same-origin with its ancestors" (Section 7.1; used: Section 7.2): it does not.
        if members.get("crossOrigin", False) is not False or "topOrigin" in members:
            raise PasskeyRefusedError(PasskeyRefusal.FOREIGN_FRAME)
        challenge = parse_client_data_json(client_data).challenge
        if not self._challenges.take(holder, challenge):
            raise PasskeyRefusedError(PasskeyRefusal.CHALLENGE)
        return challenge


def _adding(sign_in: SignIn) -> str:
    return f"add {sign_in.id}"


def _signing_in(browser: str) -> str:
    return f"sign in {browser}"
