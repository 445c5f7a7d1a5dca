"""Everything that can be done to a good chain, by its label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import ExtensionOID

from perc.x509.der import Tag, encode, encode_sequence
from tests.x509.authority import CA_USAGE, NOW, SERVER_USAGE, PrivateKey, alternative_names, key_usage
from tests.x509.chains import NAME, Chain, ca_draft, good_chain
from tests.x509.forge import KEYS, Draft, Extension, generalized_time, name

P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP384R1(), ec.SECP521R1()))
RSA_2048, RSA_1024 = (rsa.generate_private_key(65537, bits) for bits in (2048, 1024))

BASIC_CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
KEY_USAGE = ExtensionOID.KEY_USAGE.dotted_string
PURPOSE = ExtensionOID.EXTENDED_KEY_USAGE.dotted_string
NAMES = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string
SUBJECT_KEY = ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string
AUTHORITY_KEY = ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string


Change = Callable[[Chain], None]
CHANGES: dict[str, Change] = {}


def _to(which: str, change: Callable[[Draft], Draft]) -> Change:
    def apply(chain: Chain) -> None:
        setattr(chain, which, change(getattr(chain, which)))

    return apply


def _having(content: x509.ExtensionType, critical: bool = False) -> Callable[[Draft], Draft]:
    return lambda draft: draft.having(Extension.of(content, critical))


def _without(oid: str) -> Callable[[Draft], Draft]:
    return lambda draft: draft.without(oid)


def _with_raw(oid: str, value: bytes, critical: bool = False) -> Callable[[Draft], Draft]:
    return lambda draft: draft.having(Extension(oid, value, critical))


def _set(**fields: object) -> Callable[[Draft], Draft]:
    return lambda draft: replace(draft, **fields)  # type: ignore[arg-type]


def _rekeyed(draft: Draft, key: PrivateKey) -> Draft:
    return replace(draft.having(Extension.of(x509.SubjectKeyIdentifier.from_public_key(key.public_key()))), key=key)


def _twice(draft: Draft) -> Draft:
    return replace(draft, extensions=draft.extensions + draft.extensions[-1:])


def _add(label: str, *changes: Change) -> None:
    def apply(chain: Chain) -> None:
        for change in changes:
            change(chain)

    CHANGES[label] = apply


def _each(label: str, change: Callable[[Draft], Draft], *which: str) -> None:
    for one in which or ("server", "ca", "root"):
        _add(f"{one}: {label}", _to(one, change))


# Time
_each("expired", _set(not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)))
_each("not yet valid", _set(not_before=NOW + timedelta(1)))
_each("valid until now", _set(not_after=NOW))
_each("valid from now", _set(not_before=NOW))
_each("ends before it begins", _set(not_before=NOW, not_after=NOW - timedelta(1)))
_each("times in the longer form", _set(write_time=generalized_time))
_each(
    "a time without seconds", _set(write_time=lambda time: encode(Tag.UTC_TIME, time.strftime("%y%m%d%H%MZ").encode()))
)

# Form
_each("version 1 with extensions", _set(version=b""))
_each("version 1 without extensions", _set(version=b"", extensions=()))
_each("version 2", _set(version=encode(Tag.CONTEXT_CONSTRUCTED, encode(Tag.INTEGER, b"\x01"))))
_each("no extensions", _set(extensions=()))
_each("an extension twice", _twice)
_each("serial number 0", _set(serial=b"\x00"))
_each("negative serial number", _set(serial=b"\x81"))
_each("serial number of 20 octets", _set(serial=b"\x7f" * 20))
_each("serial number of 21 octets", _set(serial=b"\x7f" * 21))
_each("another algorithm inside", _set(inner_algorithm=encode_sequence(encode(Tag.OBJECT_IDENTIFIER, b"\x2a"))))
_each("trailing octets", _set(spoil=lambda der: der + b"\x00"))
_each("a changed signature", _set(spoil=lambda der: der[:-1] + bytes([der[-1] ^ 1])))
_each("an empty subject", _set(subject=encode_sequence()))
_each("an empty issuer", _set(issuer=encode_sequence()), "server", "ca")

# Keys and signatures
for _digest in (hashes.SHA1(), hashes.SHA224(), hashes.SHA384(), hashes.SHA512()):
    _each(f"signed with {_digest.name}", _set(digest=_digest))
_each("signed by another key", _set(issuer_key=KEYS["other"]))
for _label, _key in (("P-384", P384), ("P-521", P521), ("RSA 2048", RSA_2048), ("RSA 1024", RSA_1024)):
    _each(f"a key of {_label}", lambda draft, key=_key: _rekeyed(draft, key), "server")
    _add(
        f"ca: a key of {_label}",
        _to("ca", lambda draft, key=_key: _rekeyed(draft, key)),
        _to("server", _set(issuer_key=_key)),
        _to("server", _having(x509.AuthorityKeyIdentifier.from_issuer_public_key(_key.public_key()))),
    )

# Who may issue
_each("not a CA", _having(x509.BasicConstraints(False, None), True), "ca", "root")
_each("basic constraints not critical", _having(x509.BasicConstraints(True, None)), "ca", "root")
_each("no basic constraints", _without(BASIC_CONSTRAINTS))
_each("basic constraints not critical", _having(x509.BasicConstraints(False, None)), "server")
_each("a CA", _having(x509.BasicConstraints(True, None), True), "server")
_each("path length 0", _having(x509.BasicConstraints(True, 0), True), "ca", "root")
_each("path length 1", _having(x509.BasicConstraints(True, 1), True), "ca", "root")
_each("a path length without a CA", _with_raw(BASIC_CONSTRAINTS, b"\x30\x03\x02\x01\x00", True))
_each("a negative path length", _with_raw(BASIC_CONSTRAINTS, b"\x30\x06\x01\x01\xff\x02\x01\xff", True), "ca", "root")
_each("basic constraints that are not DER", _with_raw(BASIC_CONSTRAINTS, b"\x30\x03\x01\x01\x01", True))

# What for
_each("no key usage", _without(KEY_USAGE))
_each("key usage not critical", _having(CA_USAGE), "ca", "root")
_each("may sign data only", _having(SERVER_USAGE, True), "ca", "root")
_each("may sign certificates", _having(CA_USAGE, True), "server")
_each("may encipher keys only", _having(key_usage(key_encipherment=True), True), "server")
_each("a key usage of nothing", _with_raw(KEY_USAGE, b"\x03\x02\x07\x00", True))
_each("no purpose", _without(PURPOSE), "server")
for _label, _purposes in (
    ("clients", [Purpose.CLIENT_AUTH]),
    ("servers and clients", [Purpose.CLIENT_AUTH, Purpose.SERVER_AUTH]),
    ("anything", [Purpose.ANY_EXTENDED_KEY_USAGE]),
    ("servers", [Purpose.SERVER_AUTH]),
):
    _each(f"for {_label}", _having(x509.ExtendedKeyUsage(_purposes)))
_each("for servers, critical", _having(x509.ExtendedKeyUsage([Purpose.SERVER_AUTH]), True))
_each("an unknown critical extension", _with_raw("1.2.3.4", b"\x05\x00", True))
_each("an unknown extension", _with_raw("1.2.3.4", b"\x05\x00"))
_each("no subject key identifier", _without(SUBJECT_KEY))
_each("no authority key identifier", _without(AUTHORITY_KEY))
_each("a critical subject key identifier", lambda draft: replace(draft.having(*_critical(draft, SUBJECT_KEY))))
_each("a critical authority key identifier", lambda draft: replace(draft.having(*_critical(draft, AUTHORITY_KEY))))
_each("the identifier of another authority key", _with_raw(AUTHORITY_KEY, b"\x30\x04\x80\x02ab"), "server", "ca")
_each("an authority key identifier without a key", _with_raw(AUTHORITY_KEY, b"\x30\x00"))
_each("a policy", _with_raw("2.5.29.32", b"\x30\x06\x30\x04\x06\x02\x2a\x03"))
_each("a critical policy", _with_raw("2.5.29.32", b"\x30\x06\x30\x04\x06\x02\x2a\x03", True))


def _critical(draft: Draft, oid: str) -> list[Extension]:
    return [replace(each, critical=True) for each in draft.extensions if each.oid == oid]


# Names
def _named(label: str, asked: str, *presented: str) -> None:
    _add(
        f"name: {label}",
        _to("server", _having(alternative_names(*presented))),
        lambda chain: setattr(chain, "name", asked),
    )


_named("another", "other.example", NAME)
_named("in upper case", "md.example", "MD.Example")
_named("the second of two", "b.example", "a.example", "b.example")
_named("a wildcard", "a.md.example", "*.md.example")
_named("a wildcard and no label for it", "md.example", "*.md.example")
_named("a wildcard two labels away", "a.b.md.example", "*.md.example")
_named("a wildcard in the middle", "a.b.example", "a.*.example")
_named("a wildcard within a label", "abc.example", "a*.example")
_named("a wildcard for a top-level domain", "md.example", "*.example")
_named("a wildcard alone", "example", "*")
_named("A-labels", "xn--bcher-kva.example", "xn--bcher-kva.example")
_named("a wildcard before A-labels", "a.xn--bcher-kva.example", "*.xn--bcher-kva.example")
_named("one label", "localhost", "localhost")
_named("an underscore", "a_b.example", "a_b.example")
_named("a part of it", "md.example.org", "md.example")
_named("an address", "192.0.2.1", "192.0.2.1")
_named("another address", "192.0.2.1", "192.0.2.2")
_named("an address of version 6", "2001:db8::1", "2001:db8::1")
_named("a name that looks like an address", "192.0.2.1", "md.example")
_add("name: an address as a DNS name", lambda c: setattr(c, "name", "192.0.2.1"),
     _to("server", _having(x509.SubjectAlternativeName([x509.DNSName("192.0.2.1")]))))  # fmt: skip
_each("name: no alternative names", _without(NAMES), "server")
_each("name: no alternative names but an e-mail address",
      _having(x509.SubjectAlternativeName([x509.RFC822Name("a@md.example")])), "server")  # fmt: skip
_each("name: critical alternative names", _having(alternative_names(NAME), True), "server")
_each("name: an empty list", _with_raw(NAMES, b"\x30\x00"), "server")
_each("name: not ASCII", _with_raw(NAMES, encode_sequence(encode(0x82, "bücher.example".encode("latin-1")))), "server")
_each("name: a NUL inside", _with_raw(NAMES, encode_sequence(encode(0x82, b"md.example\0.org"))), "server")
_each("name: a final dot", _with_raw(NAMES, encode_sequence(encode(0x82, b"md.example."))), "server")
_each("name: an address of five octets", _with_raw(NAMES, encode_sequence(encode(0x87, bytes(5)))), "server")
_add("name: only critical names, no subject", _to("server", _having(alternative_names(NAME), True)),
     _to("server", _set(subject=encode_sequence())))  # fmt: skip


# Name constraints
def _constrained(label: str, constraints: x509.NameConstraints, critical: bool = True) -> None:
    _each(f"constrained to {label}", _having(constraints, critical), "ca", "root")


def _dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(each) for each in names]


_constrained("its name", x509.NameConstraints(_dns("md.example"), None))
_constrained("its domain", x509.NameConstraints(_dns("example"), None))
_constrained("its domain, not critical", x509.NameConstraints(_dns("example"), None), critical=False)
_constrained("names below its own", x509.NameConstraints(_dns(".example"), None))
_constrained("another domain", x509.NameConstraints(_dns("example.org"), None))
_constrained("the end of a label", x509.NameConstraints(_dns("ample"), None))
_constrained("one of two domains", x509.NameConstraints(_dns("example.org", "example"), None))
_constrained("all but its name", x509.NameConstraints(None, _dns("md.example")))
_constrained("all but its domain", x509.NameConstraints(None, _dns("example")))
_constrained("all but another", x509.NameConstraints(None, _dns("other.example")))
_constrained("its domain but not its name", x509.NameConstraints(_dns("example"), _dns("md.example")))
_constrained("every name", x509.NameConstraints(_dns(""), None))
_constrained("addresses", x509.NameConstraints([x509.IPAddress(ip_network("192.0.2.0/24"))], None))
_constrained("other addresses", x509.NameConstraints([x509.IPAddress(ip_network("198.51.100.0/24"))], None))
_constrained("no addresses of a net", x509.NameConstraints(None, [x509.IPAddress(ip_network("192.0.2.0/24"))]))
_constrained("a net of version 6", x509.NameConstraints([x509.IPAddress(ip_network("2001:db8::/32"))], None))
_constrained("a subject", x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None))
_constrained("an e-mail domain", x509.NameConstraints([x509.RFC822Name("example")], None))


def _permitting(*subtree: bytes) -> Callable[[Draft], Draft]:
    return _with_raw("2.5.29.30", encode_sequence(encode(0xA0, encode_sequence(*subtree))), True)


_each("constrained to a wildcard", _permitting(encode(0x82, b"*.example")), "ca")
_each("constrained to nothing at all", _with_raw("2.5.29.30", encode_sequence(), True), "ca")
_each("constrained with a minimum", _permitting(encode(0x82, b"example"), encode(0x80, b"\x01")), "ca")
_each("constrained to a net without end", _permitting(encode(0x87, bytes(4) + b"\xff\x00\xff\x00")), "ca")
_each("constrained", _having(x509.NameConstraints(_dns("example"), None), True), "server")
_add("names: a CA with a name that the root forbids", _to("ca", _having(alternative_names("evil.org"))),
     _to("root", _having(x509.NameConstraints(_dns("example"), None), True)))  # fmt: skip


# Who is there
def _sends(label: str, *which: str) -> None:
    _add(f"sent: {label}", lambda chain: setattr(chain, "sends", which))


_sends("the server alone", "server")
_sends("with the root", "server", "ca", "root")
_sends("the root before the CA", "server", "root", "ca")
_sends("the server twice", "server", "server", "ca")
_sends("the CA first", "ca", "server")
_sends("the CA alone", "ca")
_sends("the root alone", "root")
_add("trusted: the CA", lambda chain: setattr(chain, "anchors", ("ca",)))
_add("trusted: CA and root", lambda chain: setattr(chain, "anchors", ("root", "ca")))
_add("trusted: the server itself", lambda chain: setattr(chain, "anchors", ("server",)))
_add("sent: a stranger's root of the same name", lambda chain: chain.extras.append(
    ca_draft("Root", "Root", KEYS["other"], KEYS["other"]).der()))  # fmt: skip
_add("sent: a stranger's CA of the same name", lambda chain: chain.extras.insert(
    0, ca_draft("CA", "Root", KEYS["other"], KEYS["other"]).der()))  # fmt: skip
_add("sent: a cross-certificate of another root", lambda chain: chain.extras.insert(
    0, ca_draft("CA", "Other Root", KEYS["ca"], KEYS["other"]).der()))  # fmt: skip
_add("sent: two that signed each other", lambda chain: chain.extras.extend(
    [ca_draft("CA", "Loop", KEYS["ca"], KEYS["second"]).der(),
     ca_draft("Loop", "CA", KEYS["second"], KEYS["ca"]).der()]))  # fmt: skip
_add("issuer: the root itself", _to("server", _set(issuer=name("Root"), issuer_key=KEYS["root"])), _to(
    "server", _having(x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS["root"].public_key()))))  # fmt: skip
_add("issuer: itself", _to("server", _set(issuer=name(NAME), issuer_key=KEYS["server"])))
_add("issuer: another name", _to("server", _set(issuer=name("Somebody"))))
_add("issuer: a name in another case", _to("server", _set(issuer=name("ca"))))


def _renewed(chain: Chain) -> None:
    """The CA has a new key, which its old one has signed."""
    key = KEYS["second"]
    chain.extras.append(ca_draft("CA", "CA", key, KEYS["ca"]).der())
    chain.server = replace(chain.server, issuer_key=key)


_add("issuer: a CA that renewed its key", _renewed)


def chain_with(*labels: str) -> Chain:
    chain = good_chain()
    for label in labels:
        CHANGES[label](chain)
    return chain
