from __future__ import annotations

import pytest

from perc.x509.certificate import Certificate
from perc.x509.names import dns_name, ip_address, is_for_name
from tests.x509.authority import Authority

ROOT = Authority.root("Root")


def certificate(*names: str) -> Certificate:
    return Certificate.parse(ROOT.issue_server(*names).der)


@pytest.mark.parametrize(
    ("presented", "name"),
    [
        ("md.example", "md.example"),
        ("MD.Example", "md.eXample"),
        ("md.example", "md.example."),
        ("localhost", "localhost"),
        ("*.md.example", "a.md.example"),
        ("*.md.example", "xn--bcher-kva.md.example"),
        ("*.example", "md.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::1", "2001:0db8:0::1"),
        ("::1", "::1"),
    ],
)
def test_names_that_match(presented: str, name: str) -> None:
    assert is_for_name(certificate("other.example", presented), name)


@pytest.mark.parametrize(
    ("presented", "name"),
    [
        ("md.example", "xmd.example"),
        ("md.example", "a.md.example"),
        ("md.example", "example"),
        ("md.example", ""),
        ("md.example", "."),
        ("md.example", "md.example.."),
        ("md.example", "md.example\x00.evil.example"),
        ("md.example", " md.example"),
        ("*.md.example", "md.example"),
        ("*.md.example", "a.b.md.example"),
        ("*.md.example", ".md.example"),
        ("*.md.example", "*.md.example"),
        ("*", "example"),
        ("a*.md.example", "ab.md.example"),
        ("a.*.example", "a.b.example"),
        ("*.*.example", "a.b.example"),
        ("*.", "localhost"),
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "127.0.0.1."),
        ("127.0.0.1", "127.1"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("md.example", "127.0.0.1"),
        ("md.example", "bücher.example"),
    ],
)
def test_names_that_do_not(presented: str, name: str) -> None:
    assert not is_for_name(certificate(presented), name)


def test_the_common_name_means_nothing() -> None:
    issued = ROOT.issue("md.example", [])
    assert not is_for_name(Certificate.parse(issued.der), "md.example")


def test_an_address_written_as_a_dns_name_means_nothing() -> None:
    text = Certificate.parse(ROOT.issue_server("x127.0.0.1").der.replace(b"x127.0.0.1", b"0127.0.0.1"))
    assert not is_for_name(text, "0127.0.0.1")


@pytest.mark.parametrize(
    "name", ["1.2.3", "a_b.example", "-a.example", "a-.example", "a..b", "x" * 64, "a." * 127 + "ab", "a b", "a/b"]
)
def test_what_is_no_dns_name(name: str) -> None:
    assert dns_name(name) is None


def test_what_is_one() -> None:
    assert dns_name("MD.example.") == "md.example"
    assert dns_name("127.0.0.1") is None
    assert ip_address("127.0.0.1") == bytes([127, 0, 0, 1])
    assert ip_address("md.example") is None
