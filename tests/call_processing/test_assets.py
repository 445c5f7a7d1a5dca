"""The page and its assets, as a browser asks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from perc_server.call_processing.assets import Assets
from perc_server.call_processing.config import CallProcessingConfig, ControlConfig


def site(assets: Path, origin: str = "http://testserver") -> TestClient:
    build = assets / "v1"
    (build / "app").mkdir(parents=True)
    (assets / "manifest.json").write_text(json.dumps({"assets": "v1"}))
    (assets / "secret.txt").write_text("outside of the build")
    (build / "index.html").write_text('<script type="module" src="{{assets}}/app/main.js"></script>')
    (build / "app" / "main.js").write_text("plain")
    (build / "identity" / "sandbox").mkdir(parents=True)
    (build / "identity" / "sandbox" / "sandbox.html").write_text("sandbox")
    (build / "app" / "main.js.br").write_bytes(b"brotli")
    (build / "app" / "main.js.gz").write_bytes(b"gzip")
    anchors = assets / "demo-ca.pem"
    anchors.write_text("-----BEGIN CERTIFICATE----- demo")
    control = ControlConfig("127.0.0.1", 1, assets, assets)
    config = CallProcessingConfig("127.0.0.1", 0, origin, control, "127.0.0.1", ("idp.example",), assets, anchors)
    served = Assets(config)
    app = Starlette(
        routes=[
            Route("/", served.page),
            Route("/config.json", served.configuration),
            Route("/trust-anchors.pem", served.trust_anchors),
            Route("/assets/{version}/{path:path}", served.asset),
            Route("/perc/{room}", served.page),
        ]
    )
    return TestClient(app)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return site(tmp_path)


def test_the_page_names_its_build_and_has_a_strict_policy(client: TestClient) -> None:
    response = client.get("/perc/salon")
    assert 'src="/assets/v1/app/main.js"' in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("room", ["a" * 65, "salon%20bleu", "salon.html", "%F0%9F%8E%A5"])
def test_a_room_has_a_plain_name(client: TestClient, room: str) -> None:
    assert client.get(f"/perc/{room}").status_code == 404


def test_assets_are_compressed_immutable_and_isolated(client: TestClient) -> None:
    with client.stream("GET", "/assets/v1/app/main.js", headers={"accept-encoding": "gzip, deflate, br"}) as response:
        assert b"".join(response.iter_raw()) == b"brotli"
    assert response.headers["content-encoding"] == "br"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"].startswith("text/javascript")
    # A worker is governed by the policy of its own response.
    assert "wasm-unsafe-eval" in response.headers["content-security-policy"]


def test_the_sandbox_of_identity_providers_brings_its_own_policy(client: TestClient) -> None:
    response = client.get("/assets/v1/identity/sandbox/sandbox.html")
    # Alone, too, a page of this origin would be one that scripts of others run in.
    assert response.headers["content-security-policy"] == "sandbox allow-scripts; frame-ancestors 'self'"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"


def test_a_client_without_compression_gets_the_plain_file(client: TestClient) -> None:
    response = client.get("/assets/v1/app/main.js", headers={"accept-encoding": "identity"})
    assert response.text == "plain"
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/v0/app/main.js",
        "/assets/v1/../secret.txt",
        "/assets/v1/%2e%2e/secret.txt",
        "/assets/v1//app/main.js",
        "/assets/v1/app/%2e%2e/app/main.js",
        "/assets/v1/app",
        "/assets/v1/",
        "/assets/v1/%00",
        "/assets/v1/app/main.js%00",
        "/assets/v1/%ff",
        "/assets/v1/" + "x" * 5000,
        "/assets/v1/" + "x/" * 2500,
    ],
    ids=lambda path: path[:40],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("origin", "frames"),
    [
        ("http://localhost:8000", "frame-src 'self' https: http://localhost:* http://*.localhost:*"),
        ("https://perc.example", "frame-src 'self' https:"),
    ],
)
def test_identity_providers_on_plain_http_are_for_a_demo_on_this_machine(
    tmp_path: Path, origin: str, frames: str
) -> None:
    client = site(tmp_path, origin)
    for path in ("/", "/assets/v1/index.html", "/config.json", "/trust-anchors.pem"):
        assert frames in client.get(path).headers["content-security-policy"].split("; ")


def test_the_trust_anchors_are_mozillas_and_the_deployments(client: TestClient) -> None:
    text = client.get("/trust-anchors.pem").text
    assert text.count("-----BEGIN CERTIFICATE-----") > 100
    assert text.endswith("demo")


def test_the_configuration_names_the_identity_providers(client: TestClient) -> None:
    assert client.get("/config.json").json() == {
        "version": 1,
        "identityProviders": ["idp.example"],
        "trustAnchors": "/trust-anchors.pem",
        "assets": "/assets/v1",
    }
