"""An identity provider and a browser for it, without a network; time moves when a test says so."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import httpx2
from argon2.profiles import CHEAPEST
from starlette.testclient import TestClient

from perc_server.identity_provider.app import create_app
from perc_server.identity_provider.config import DemoAccount, IdentityProviderConfig
from perc_server.identity_provider.sessions import challenge_of
from tests.identity_provider.authenticator import Authenticator

ORIGIN = "https://idp.example:8443"
ASKING = "https://perc.example"
VERIFIER = "v" * 43
CHALLENGE = challenge_of(VERIFIER)
SAME_ORIGIN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Provider:
    """The provider, with the accounts alice and anna, and a client that keeps cookies as a browser does."""

    def __init__(self, store: Path | str) -> None:
        self.clock = Clock()
        self.config = IdentityProviderConfig(
            ORIGIN,
            store if isinstance(store, str) else f"sqlite:///{store / 'idp.db'}",
            demo_accounts=(DemoAccount("alice", "alice-demo"), DemoAccount("anna", "anna-demo")),
            password_cost=CHEAPEST,
        )
        self.app = create_app(self.config, self.clock)
        self.client = self.browser()

    def browser(self) -> TestClient:
        """Another person's."""
        return TestClient(self.app, base_url=ORIGIN, follow_redirects=False)

    def login_url(self, origin: str = ASKING, challenge: str = CHALLENGE, **more: str) -> str:
        return str(httpx2.URL("/login", params={"origin": origin, "challenge": challenge, **more}))

    def post_form(self, page: httpx2.Response, headers: dict[str, str] | None = None, **fields: str) -> httpx2.Response:
        """Sends the first form of a page, with what is hidden in it."""
        action, form = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', page.text, re.DOTALL)[0]
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', form))
        return self.client.post(html.unescape(action), data={**hidden, **fields}, headers=headers or SAME_ORIGIN)

    def sign_in(self, name: str = "alice", password: str | None = None, **query: str) -> httpx2.Response:
        page = self.client.get(self.login_url(**query))
        return self.post_form(page, name=name, password=password or f"{name}-demo")

    def code(self, name: str = "alice", **query: str) -> str:
        """Through sign-in and consent to the code."""
        after = self.client.get(self.login_url(**query))
        if "Password" in after.text:
            after = self.client.get(self.post_form(after, name=name, password=f"{name}-demo").headers["location"])
        if "Use your identity?" in after.text:
            after = self.post_form(after, decision="allow")
        return re.findall(r'data-code="([^"]+)"', after.text)[0]

    def redeem(self, code: str, verifier: str = VERIFIER, origin: str = ASKING, **headers: str) -> httpx2.Response:
        document = {"code": code, "verifier": verifier, "origin": origin}
        return self.client.post("/session", json=document, headers={**SAME_ORIGIN, **headers})

    def sign(self, document: Any = None, **headers: str) -> httpx2.Response:
        document = {"contents": "{}", "origin": ASKING} if document is None else document
        return self.client.post("/sign", json=document, headers={**SAME_ORIGIN, **headers})

    def register(self, name: str, password: str = "correct horse battery", **query: str) -> httpx2.Response:
        page = self.client.get(str(httpx2.URL("/register", params=query)))
        return self.post_form(page, name=name, password=password)

    def signed_in(self, name: str = "alice") -> Provider:
        page = self.client.get("/login?again=1")
        assert self.post_form(page, name=name, password=f"{name}-demo").status_code == 303
        return self

    def is_signed_in(self) -> bool:
        return self.client.get("/account").status_code == 200

    def post(self, path: str, page: str = "/account", **fields: str) -> httpx2.Response:
        """Sends a form of a page to a path, as its button would."""
        (token, *_) = re.findall(r'name="csrf" value="([^"]+)"', self.client.get(page).text)
        return self.client.post(path, data={"csrf": token, **fields}, headers=SAME_ORIGIN)

    def options(self, path: str) -> dict[str, Any]:
        """Of a passkey ceremony."""
        answer = self.client.post(path, headers=SAME_ORIGIN)
        assert answer.status_code == 200, answer.text
        options: dict[str, Any] = answer.json()
        return options

    def authenticator(self, **claims: Any) -> Authenticator:
        return Authenticator(**{"origin": ORIGIN, "rp_id": "idp.example", **claims})

    def add_passkey(self, authenticator: Authenticator, label: str = "Laptop") -> httpx2.Response:
        credential = authenticator.create(self.options("/account/passkeys/options"))
        return self.post("/account/passkeys/new", "/account/passkeys/new", credential=credential, label=label)

    def use_passkey(self, authenticator: Authenticator, **query: str) -> httpx2.Response:
        """On the sign-in page."""
        self.client.get("/login", params=query)
        credential = authenticator.get(self.options("/login/passkey/options"))
        return self.send_passkey(credential, **query)

    def send_passkey(self, credential: str, **query: str) -> httpx2.Response:
        path = str(httpx2.URL("/login/passkey", params=query))
        return self.post(path, "/login?again=1", credential=credential)

    def with_session(self) -> Provider:
        assert self.redeem(self.code()).status_code == 204
        return self


def problem(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition("/")[2]
