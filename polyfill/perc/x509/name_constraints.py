"""Which names a CA may vouch for (RFC 5280, Section 4.2.1.10): DNS names and IP addresses.

Only the names of subjectAltName are compared, because no others count here. What cannot be compared is refused rather
than overlooked: constraints say what a CA is forbidden.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from perc.errors import CertificateError
from perc.x509.der import DerReader, Tag

DNS_NAME = Tag.CONTEXT + 2
IP_ADDRESS = Tag.CONTEXT + 7
_DIRECTORY_NAME = Tag.CONTEXT_CONSTRUCTED + 4
_PERMITTED, _EXCLUDED = Tag.CONTEXT_CONSTRUCTED, Tag.CONTEXT_CONSTRUCTED + 1

GeneralName = tuple[int, bytes]
"""A GeneralName: the tag that says which kind it is, and its contents."""


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """The subtrees of names that a CA is kept to, and those that it is kept out of."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]

    @classmethod
    def read(cls, value: DerReader) -> NameConstraints:
        """The extension's value."""
        constraints = value.sequence()
        permitted = tuple(_read_subtrees(constraints, _PERMITTED))
        excluded = tuple(_read_subtrees(constraints, _EXCLUDED))
        constraints.expect_end()
        # "Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence."
        if not permitted and not excluded:
            raise CertificateError("name constraints that constrain nothing")
        # They are about subjects, which nothing else here looks at.
        if any(tag == _DIRECTORY_NAME for tag, _ in permitted + excluded):
            raise CertificateError("constraints of subjects, which are not understood")
        return cls(permitted, excluded)

    @property
    def size(self) -> int:
        """How many subtrees a name is compared with."""
        return len(self.permitted) + len(self.excluded)

    def check(self, name: GeneralName) -> None:
        """`CertificateError` unless a certificate under this CA may have `name`."""
        kind, contents = name
        permitted = [base for tag, base in self.permitted if tag == kind]
        if permitted and not any(_is_within(kind, contents, base) for base in permitted):
            raise CertificateError("a name that its CA is not permitted to vouch for")
        if any(_touches(kind, contents, base) for tag, base in self.excluded if tag == kind):
            raise CertificateError("a name that its CA is excluded from")


def _read_subtrees(constraints: DerReader, tag: int) -> Iterator[GeneralName]:
    if not constraints.next_is(tag):
        return
    subtrees = constraints.sequence(tag)
    while not subtrees.at_end:
        subtree = subtrees.sequence()
        yield subtree.any_element()
        # "the minimum MUST be zero, and maximum MUST be absent"; whoever finds others "MUST either process these fields
        # or reject the certificate".
        subtree.expect_end()


def _is_within(kind: int, name: bytes, base: bytes) -> bool:
    if kind == DNS_NAME:
        return _is_within_domain(name.decode("ascii").lower(), _constraint_labels(base))
    if kind == IP_ADDRESS:
        return _is_within_net(name, base)
    raise CertificateError("a name constraint of a kind that is not understood")


def _touches(kind: int, name: bytes, base: bytes) -> bool:
    """Whether something that `name` stands for is in the subtree: a wildcard stands for many names."""
    if kind == DNS_NAME and name.startswith(b"*."):
        parent = name.decode("ascii").lower().split(".")[1:]
        if _constraint_labels(base)[1:] == parent:
            return True
    return _is_within(kind, name, base)


def _constraint_labels(base: bytes) -> list[str]:
    labels = base.decode("latin-1").lower().split(".")
    # "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name
    # satisfies the name constraint": neither a leading dot nor a wildcard has a meaning.
    if not all(label.isascii() and label.replace("-", "").isalnum() for label in labels):
        raise CertificateError("a name constraint that is no DNS name")
    return labels


def _is_within_domain(name: str, labels: list[str]) -> bool:
    return name.split(".")[-len(labels) :] == labels


def _is_within_net(address: bytes, base: bytes) -> bool:
    if len(base) not in {8, 32}:
        raise CertificateError("a name constraint that is no net of addresses")
    half = len(base) // 2
    prefix, mask = base[:half], int.from_bytes(base[half:], "big")
    inverse = mask ^ (1 << 8 * half) - 1
    # "in the style of RFC 4632 (CIDR)": all ones of the mask come first.
    if inverse & (inverse + 1):
        raise CertificateError("a name constraint whose mask has gaps")
    net = ipaddress.ip_network((prefix, 8 * half - inverse.bit_length()), strict=False)
    return ipaddress.ip_address(address) in net
