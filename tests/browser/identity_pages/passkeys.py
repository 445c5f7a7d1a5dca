"""Chromium's virtual authenticators: what a person's device would do, by the DevTools protocol's WebAuthn domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from playwright.async_api import CDPSession, Page


@dataclass
class VirtualAuthenticator:
    """A device with a lock, plugged into one page."""

    session: CDPSession
    identifier: str

    @classmethod
    async def at(cls, page: Page, *, verifies_user: bool = True) -> Self:
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies_user,
            "automaticPresenceSimulation": True,
        }
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(session, added["authenticatorId"])

    async def credentials(self) -> list[dict[str, Any]]:
        found = await self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.identifier})
        return list(found["credentials"])

    async def add(self, credential: dict[str, Any]) -> None:
        """Puts in a copy of a credential, as a person's device has it in every window."""
        parameters = {"authenticatorId": self.identifier, "credential": credential}
        await self.session.send("WebAuthn.addCredential", parameters)

    async def clear(self) -> None:
        await self.session.send("WebAuthn.clearCredentials", {"authenticatorId": self.identifier})
