"""An authenticator and the browser around it, in software: honest unless a test says otherwise (WebAuthn Level 3)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey; its fields are what it will claim."""

    origin: str
    rp_id: str
    flags: int = USER_PRESENT | USER_VERIFIED
    counter: int = 1
    handle: bytes = b""
    client_data: dict[str, Any] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    attestation: dict[str, Any] = field(default_factory=lambda: {"fmt": "none", "attStmt": {}})

    def create(self, options: dict[str, Any]) -> str:
        """RegistrationResponseJSON."""
        self.handle = decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(key)
        data = self._authenticator_data(ATTESTED) + credential
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options["challenge"]),
            attestationObject=cbor2.dumps({**self.attestation, "authData": data}),
        )

    def get(self, options: dict[str, Any]) -> str:
        """AuthenticationResponseJSON."""
        self.counter += 1 if self.counter else 0
        client_data, data = self._client_data("webauthn.get", options["challenge"]), self._authenticator_data(0)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            clientDataJSON=client_data, authenticatorData=data, signature=signature, userHandle=self.handle
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, **self.client_data}).encode()

    def _authenticator_data(self, more_flags: int) -> bytes:
        flags = (self.flags | more_flags).to_bytes(1, "big")
        return hashlib.sha256(self.rp_id.encode()).digest() + flags + self.counter.to_bytes(4, "big")

    def _credential(self, **response: bytes) -> str:
        members = {name: base64url(value) for name, value in response.items()}
        identifier = base64url(self.credential_id)
        return json.dumps({"id": identifier, "rawId": identifier, "type": "public-key", "response": members})
