"""What an identity provider counts, by reasons from closed sets, and the metrics that show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from perc_server.observability.metrics import Metrics
from perc_server.request_log import RequestCounts


class SignInMethod(StrEnum):
    """How someone signed in."""

    PASSWORD = "password"  # noqa: S105 - a label
    PASSKEY = "passkey"


class SignInRefusal(StrEnum):
    """Why a sign-in was refused; an unknown name counts as a wrong password."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a label
    PASSKEY = "passkey"
    TOO_MANY = "too-many"


class RegistrationRefusal(StrEnum):
    """Why no account was made."""

    BAD_NAME = "bad-name"
    BAD_PASSWORD = "bad-password"  # noqa: S105 - a label
    TAKEN = "taken"
    TOO_MANY = "too-many"


class PasswordChangeRefusal(StrEnum):
    """Why a password stayed as it was."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a label
    BAD_PASSWORD = "bad-password"  # noqa: S105 - a label
    TOO_MANY = "too-many"


class PasskeyRefusal(StrEnum):
    """Why a passkey's response does not count, in either ceremony."""

    MALFORMED = "malformed"
    """Or a check of the `webauthn` package failed."""
    ATTESTATION = "attestation"
    CREDENTIAL_ID_TOO_LONG = "credential-id-too-long"
    NOT_ADDED = "not-added"
    """It is in the store already, or the account has too many."""
    UNKNOWN = "unknown"
    COUNTER = "counter"
    FOREIGN_FRAME = "foreign-frame"
    CHALLENGE = "challenge"


class SigningRefusal(StrEnum):
    """Why nothing was signed."""

    NOT_SIGNED_IN = "not-signed-in"
    OTHER_SITE = "other-site"
    OTHER_ACCOUNT = "other-account"


class LimitKind(StrEnum):
    """What there was too much of."""

    NAME = "name"
    OWN_NAME = "own-name"
    NETWORK = "network"
    REGISTRATIONS = "registrations"
    CHALLENGES = "challenges"


@dataclass(slots=True)
class IdentityProviderCounts:
    """Since the start of one server."""

    requests: RequestCounts = field(default_factory=RequestCounts)
    limits: Counter[LimitKind] = field(default_factory=Counter)
    sign_ins: Counter[SignInMethod] = field(default_factory=Counter)
    sign_ins_refused: Counter[SignInRefusal] = field(default_factory=Counter)
    passkeys_refused: Counter[PasskeyRefusal] = field(default_factory=Counter)
    registered: int = 0
    registrations_refused: Counter[RegistrationRefusal] = field(default_factory=Counter)
    password_changes_refused: Counter[PasswordChangeRefusal] = field(default_factory=Counter)
    codes_redeemed: int = 0
    signed: int = 0
    signing_refused: Counter[SigningRefusal] = field(default_factory=Counter)

    def show(self, metrics: Metrics) -> None:
        """Add the metric families."""
        self.requests.show(metrics, "perc_idp")
        metrics.totals("perc_idp_limits_reached_total", "Attempts over a limit.", "limit", self.limits, LimitKind)
        self._show_accounts(metrics)
        metrics.total("perc_idp_codes_redeemed_total", "Codes redeemed.", lambda: self.codes_redeemed)
        metrics.total("perc_idp_assertions_signed_total", "Identity assertions signed.", lambda: self.signed)
        metrics.totals(
            "perc_idp_assertions_refused_total",
            "Identity assertions refused.",
            "reason",
            self.signing_refused,
            SigningRefusal,
        )

    def _show_accounts(self, metrics: Metrics) -> None:
        metrics.totals("perc_idp_sign_ins_total", "People signed in.", "method", self.sign_ins, SignInMethod)
        metrics.totals(
            "perc_idp_sign_ins_refused_total", "Sign-ins refused.", "reason", self.sign_ins_refused, SignInRefusal
        )
        metrics.totals(
            "perc_idp_passkeys_refused_total",
            "Responses of passkeys refused, to add one or to sign in.",
            "reason",
            self.passkeys_refused,
            PasskeyRefusal,
        )
        metrics.total("perc_idp_registrations_total", "Accounts registered.", lambda: self.registered)
        metrics.totals(
            "perc_idp_registrations_refused_total",
            "Registrations refused.",
            "reason",
            self.registrations_refused,
            RegistrationRefusal,
        )
        metrics.totals(
            "perc_idp_password_changes_refused_total",
            "Changes of a password refused.",
            "reason",
            self.password_changes_refused,
            PasswordChangeRefusal,
        )
