"""Whether a certificate is for a name: RFC 9525, for TLS servers named by DNS name or IP address.

Only subjectAltName counts; the common name is never looked at.
"""

from __future__ import annotations

import ipaddress
import re

from perc.x509.certificate import Certificate

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label has a letter, so that nothing which looks like an IPv4 address passes for a name.
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?=[^.]*[a-z]){_LABEL}", re.ASCII)


def ip_address(name: str) -> bytes | None:
    """The octets of an IP address of either version in text form; None for anything else."""
    try:
        return ipaddress.ip_address(name).packed
    except ValueError:
        return None


def dns_name(name: str) -> str | None:
    """A DNS name in lower case and without its final dot; None for an IP address and for what is not a DNS name."""
    normal = name.lower().removesuffix(".")
    return normal if _DNS_NAME.fullmatch(normal) and ip_address(normal) is None else None


def is_for_name(certificate: Certificate, name: str) -> bool:
    """Whether `certificate` is for `name`, a DNS name in A-label form or an IP address; False also for other text."""
    address = ip_address(name)
    if address is not None:
        return address in certificate.extensions.ip_addresses
    reference = dns_name(name)
    if reference is None:
        return False
    return any(_matches(presented.lower(), reference) for presented in certificate.extensions.dns_names)


def _matches(presented: str, reference: str) -> bool:
    if not presented.startswith("*."):
        return presented == reference
    # RFC 9525, Section 6.3: a wildcard "appears only as the complete content of the left-most label", and stands for
    # exactly one.
    _, _, parent = reference.partition(".")
    return bool(parent) and parent == presented.removeprefix("*.")
