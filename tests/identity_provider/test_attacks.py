"""What an attacker tries at the pages of the provider as a whole; each test names the attack."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from urllib.parse import urlsplit

import argon2
import httpx2
import pytest
from starlette.routing import Route

from perc_server.identity_provider.app import create_app, server_config
from perc_server.identity_provider.config import IdentityProviderConfig
from perc_server.identity_provider.guards import MAX_FORM
from tests.identity_provider.site import ASKING, CHALLENGE, ORIGIN, SAME_ORIGIN, Provider, problem


def routes(method: str) -> list[str]:
    app = create_app(IdentityProviderConfig(ORIGIN, "sqlite://"))
    found = [route.path for route in app.routes if isinstance(route, Route) and method in (route.methods or ())]
    assert len(found) > 8
    return found


POSTS = routes("POST")
# The others take what a script of this site sends, which Sec-Fetch-Site attests.
FORMS = [path for path in POSTS if path not in {"/sign", "/session"} and not path.endswith("/options")]
PAGES = [path for path in routes("GET") if not path.startswith(("/static", "/.well-known"))]

FOREIGN = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Origin": "https://sub.idp.example:8443", "Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("path", POSTS)
def test_forged_forms_of_other_sites(path: str, provider: Provider) -> None:
    """Whatever changes something, with everything right but where it comes from."""
    page = provider.signed_in().client.get("/account").text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    for headers in FOREIGN:
        answer = provider.client.post(path, data={"csrf": token}, headers=headers)
        assert problem(answer) == (403, "cross-site"), headers
    assert provider.is_signed_in()


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["", "guess", None])
def test_forged_forms_without_this_browsers_token(path: str, token: str | None, provider: Provider) -> None:
    provider.signed_in()
    answer = provider.client.post(path, data={} if token is None else {"csrf": token}, headers=SAME_ORIGIN)
    assert problem(answer) == (403, "csrf")
    assert provider.is_signed_in()


def test_login_forgery_with_the_attackers_own_token(provider: Provider) -> None:
    """A victim's browser is to send the attacker's name, password and token."""
    attacker, victim = provider.client, provider.browser()
    token = re.findall(r'name="csrf" value="([^"]+)"', attacker.get("/login").text)[0]
    victim.get("/login")
    data = {"csrf": token, "name": "anna", "password": "anna-demo"}
    assert problem(victim.post("/login", data=data, headers=SAME_ORIGIN)) == (403, "csrf")


def test_session_fixation(provider: Provider) -> None:
    """A token that was in the browser before is not the one that counts after."""
    anna = provider.browser()
    anna, provider.client = provider.client, anna
    planted = provider.signed_in("anna").client.cookies["__Host-sign-in"]
    provider.client = provider.browser()
    provider.client.cookies.set("__Host-sign-in", planted)
    provider.signed_in("alice")
    tokens = {cookie.value for cookie in provider.client.cookies.jar if cookie.name == "__Host-sign-in"}
    provider.client = provider.browser()
    provider.client.cookies.set("__Host-sign-in", planted)
    assert not provider.is_signed_in()
    assert tokens != {planted}


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "https://idp.example:8443@evil.example"]
)
@pytest.mark.parametrize("name", ["origin", "username", "again", "next", "return", "redirect", "url"])
def test_open_redirects(name: str, target: str, provider: Provider) -> None:
    """No page leads to where a link says."""
    query = {name: target} if name != "origin" else {"origin": target, "challenge": CHALLENGE}
    for path in ("/login", "/register"):
        page = provider.client.get(path, params=query)
        if page.status_code == 400:
            continue
        answer = (
            provider.post_form(page, name="alice", password="alice-demo")
            if path == "/login"
            else provider.post_form(page, name="carol", password="correct horse battery")
        )
        location = httpx2.URL(ORIGIN).join(answer.headers["location"])
        assert (urlsplit(str(location)).netloc, location.path) in {
            ("idp.example:8443", "/login"),
            ("idp.example:8443", "/account"),
        }
        provider.post("/sign-out")


@pytest.mark.parametrize("path", PAGES)
def test_clickjacking_and_injected_scripts(path: str, provider: Provider) -> None:
    """Every page, for those who are signed in and those who are not, and every refusal."""
    for page in (provider.client.get(path, headers={"Accept": "text/html"}), _signed_in_page(provider, path)):
        if page.status_code == 303:
            continue
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "base-uri 'none'" in policy
        assert "form-action 'self'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?! type=\"module\" src=\"/static/)", page.text)
        assert not re.search(r"\son\w+=|style=", page.text)


def _signed_in_page(provider: Provider, path: str) -> httpx2.Response:
    return provider.signed_in().client.get(path, headers={"Accept": "text/html"})


def test_which_names_exist_by_the_work_that_is_done(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timing oracle: an unknown name costs just as many hashes as a known one."""
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hash: str, password: str) -> bool:
        verified.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    for name in ("alice", "nobody", "not a name", "\x00", "\u212aate"):
        verified.clear()
        page = provider.sign_in(name, "wrong-password")
        assert (page.status_code, len(verified)) == (401, 1), name
        assert "That name and password do not match." in page.text
        # The same cost as well: the parameters stand before the salt.
        assert (
            verified[0].split("$")[:4]
            == argon2.PasswordHasher.from_parameters(provider.config.password_cost).hash("x").split("$")[:4]
        )


async def test_a_thousand_guesses_at_once(provider: Provider) -> None:
    """All are sent before the first one is answered; ten are looked at."""
    page = provider.client.get("/login")
    token = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    transport = httpx2.ASGITransport(app=provider.app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        headers = {**SAME_ORIGIN, "Cookie": f"__Host-csrf={token}"}
        data = {"csrf": token, "name": "alice", "password": "wrong"}
        answers = await asyncio.gather(*(client.post("/login", data=data, headers=headers) for _ in range(40)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 30)


def test_guesses_by_another_name_for_the_same_account(provider: Provider) -> None:
    """White space and upper case do not make ten guesses into a hundred."""
    for spelling in ("alice", "Alice", " alice", "alice ", "ALICE", "aLice", "alIce", "alicE", "AliCe", "ALice"):
        assert provider.sign_in(spelling, "wrong").status_code == 401
    assert provider.sign_in("alice").status_code == 429


def test_the_lock_ends_by_itself(provider: Provider) -> None:
    for _ in range(10):
        provider.sign_in("alice", "wrong")
    assert provider.sign_in("alice").status_code == 429
    provider.clock.now += 600
    assert provider.sign_in("alice").status_code == 303


@pytest.mark.parametrize("path", [path for path in POSTS if not path.endswith("/options")])
def test_oversized_bodies(path: str, provider: Provider) -> None:
    provider.signed_in()
    limit = MAX_FORM if path not in {"/sign", "/session"} else 64 * 1024
    headers = {**SAME_ORIGIN, "Content-Type": "application/json"}
    answer = provider.client.post(path, content=b"x" * (limit + 1), headers=headers)
    assert problem(answer) == (413, "too-large")


def test_a_form_of_many_fields(provider: Provider) -> None:
    provider.client.get("/login")
    body = "&".join(f"x{number}=" for number in range(100))
    answer = provider.client.post("/login", content=body, headers=SAME_ORIGIN)
    assert problem(answer) == (400, "not-a-form")


def test_another_account_between_reading_and_allowing(provider: Provider) -> None:
    """The page that was read said alice; meanwhile, in another tab, the browser became anna's."""
    consent = provider.client.get(provider.sign_in().headers["location"])
    provider.signed_in("anna")
    after = provider.post_form(consent, decision="allow")
    assert "data-code" not in after.text
    assert "anna@idp.example" in after.text


def test_octets_that_a_database_chokes_on(provider: Provider) -> None:
    for name in ("\x00", "a\x00b", "\ud7ff", "\U0010ffff" * 64, "%" * 64, "' OR 1=1 --", "_" * 64):
        assert provider.sign_in(name, "x").status_code == 401
        assert provider.register(name).status_code == 422
    for origin in ("https://a\x00b", "https://a\ud7ff"):
        assert problem(provider.client.get(provider.login_url(origin=origin))) == (400, "bad-origin")
    passkey = provider.authenticator(credential_id=b"x", handle=b"x")
    provider.client.get("/login")
    response = json.loads(passkey.get(provider.options("/login/passkey/options")))
    assert provider.send_passkey(json.dumps({**response, "id": "\x00"})).status_code == 401
    provider.clock.now += 3600
    provider.signed_in()
    for origin in ("\x00", "' OR 1=1 --", "x" * 10_000):
        assert problem(provider.post("/account/sites", origin=origin)) == (400, "bad-origin")
        assert problem(provider.post("/account/passkeys", id=origin, action="remove")) == (404, "no-passkey")


def test_the_cookies_and_all_that_there_are(provider: Provider) -> None:
    """Each on this host alone, out of scripts' reach, and with the reach that it needs."""
    cookies = [
        *provider.client.get("/login").headers.get_list("set-cookie"),
        *provider.sign_in().headers.get_list("set-cookie"),
        *provider.redeem(provider.code()).headers.get_list("set-cookie"),
    ]
    seen = {cookie.partition("=")[0]: cookie.partition("; ")[2] for cookie in cookies}
    hour = 3600
    assert seen == {
        "__Host-csrf": f"Path=/; Max-Age={24 * hour}; Secure; HttpOnly; SameSite=Lax",
        "__Host-sign-in": f"Path=/; Max-Age={(30 * 24 + 12) * hour}; Secure; HttpOnly; SameSite=Lax",
        "__Host-idp": f"Path=/; Max-Age={30 * 24 * hour}; Secure; HttpOnly; SameSite=None; Partitioned",
    }


def test_what_a_site_learns_of_who_has_an_account(provider: Provider) -> None:
    """Nothing, before its user says so: the popup is the same page with any hint."""
    pages = [provider.client.get(provider.login_url(username=name)).text for name in ("alice", "nobody")]
    without = [re.sub(r'value="[^"]*"|username=\w+', "", page) for page in pages]
    assert without[0] == without[1]
    assert ASKING in pages[0]


@pytest.mark.parametrize(("trusted", "allowed"), [((), 30), (("203.0.113.9",), 30), (("192.0.2.1",), 60)])
async def test_an_address_that_a_header_claims(trusted: tuple[str, ...], allowed: int, provider: Provider) -> None:
    """It counts if a proxy says so that the provider was told of: nobody else makes a fresh start with each request."""
    served = server_config(replace(provider.config, trusted_proxies=trusted))
    served.load()
    transport = httpx2.ASGITransport(app=served.loaded_app, client=("192.0.2.1", 1))
    statuses = []
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        token = re.findall(r'name="csrf" value="([^"]+)"', (await client.get("/login")).text)[0]
        for number in range(60):
            headers = {**SAME_ORIGIN, "Cookie": f"__Host-csrf={token}", "X-Forwarded-For": f"198.51.100.{number}"}
            data = {"csrf": token, "name": f"user{number}", "password": "wrong"}
            statuses.append((await client.post("/login", data=data, headers=headers)).status_code)
    assert statuses.count(401) == allowed
