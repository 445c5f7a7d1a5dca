"""The well-known script and frame, and the host they are for."""

from __future__ import annotations

import pytest

from tests.identity_provider.site import Provider, problem

PROXY = "/.well-known/idp-proxy/default"


def test_the_script_has_the_public_keys_and_no_cors(provider: Provider) -> None:
    answer = provider.client.get(PROXY)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "access-control-allow-origin" not in answer.headers
    assert '"kid": "' in answer.text
    assert '"domain": "idp.example:8443"' in answer.text
    assert "PRIVATE" not in answer.text


def test_the_frame_may_be_embedded_and_runs_only_this_sites_scripts(provider: Provider) -> None:
    policy = provider.client.get(f"{PROXY}/frame").headers["content-security-policy"]
    assert "frame-ancestors" not in policy
    assert "default-src 'none'; script-src 'self'; connect-src 'self'" in policy


@pytest.mark.parametrize("name", ["frame.js", "login.js", "passkeys.js", "passwords.js", "pages.css", "icon.svg"])
def test_static_files(name: str, provider: Provider) -> None:
    assert provider.client.get(f"/static/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/static/proxy.js", "/static/../app.py", "/static/%2e%2e/app.py", "/sign"])
def test_nothing_else_is_served(path: str, provider: Provider) -> None:
    assert provider.client.get(path).status_code in {404, 405}


@pytest.mark.parametrize("host", ["evil.example", "idp.example", "idp.example:8444", "", "idp.example:8443."])
def test_other_hosts_are_refused(host: str, provider: Provider) -> None:
    assert problem(provider.client.get(PROXY, headers={"Host": host})) == (421, "wrong-host")
