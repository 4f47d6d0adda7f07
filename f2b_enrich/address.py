"""What the text that fail2ban bans stands for: an address, a network, or neither."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from socket import AF_INET6, inet_ntop, inet_pton

# Python takes any text behind the `%` of an IPv6 address for the name of a zone.
_ODD_ZONE = re.compile(r"%(?![A-Za-z0-9._-]{1,32}(?:/|\Z))")

# What almost all of them are; an import reads millions.
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What a ban's `ip` text stands for; `version` and `subnet` are None for a name."""

    text: str
    version: int | None
    subnet: str | None
    is_network: bool = False


def read_address(text: str) -> Address:
    """Name an address as Python's `ipaddress` prints it, else keep the text as it is.

    IPv4-mapped IPv6 becomes IPv4. The subnet is the /24 or /64 around it; a CIDR ban
    keeps its own text and, when wider than that, its own network as subnet. What names
    a zone (`fe80::1%eth0`) as no interface is called is a text like any other.
    """
    if _PLAIN.fullmatch(text):
        return Address(text=text, version=4, subnet=f"{text.rpartition('.')[0]}.0/24")
    if _ODD_ZONE.search(text):
        return Address(text=text, version=None, subnet=None)
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return _read_network(text)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    name = str(ip)
    if isinstance(ip, ipaddress.IPv4Address):
        subnet = f"{name.rpartition('.')[0]}.0/24"
    else:
        subnet = f"{ipaddress.IPv6Address(int(ip) >> 64 << 64)}/64"
    return Address(text=name, version=ip.version, subnet=subnet)


def name_of(text: str) -> str:
    """Name an address alone, of millions in a row."""
    if _PLAIN.fullmatch(text):
        return text
    # What is written as the system writes it is written so here too, but for addresses
    # that begin with `::`, some of which hold one of IPv4.
    if ":" in text and not text.startswith("::"):
        try:
            if inet_ntop(AF_INET6, inet_pton(AF_INET6, text)) == text:
                return text
        except OSError:
            pass
    return read_address(text).text


def subnet_of(text: str) -> str | None:
    """Name the subnet alone, of millions in a row."""
    if _PLAIN.fullmatch(text):
        return f"{text.rpartition('.')[0]}.0/24"
    return read_address(text).subnet


def _read_network(text: str) -> Address:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return Address(text=text, version=None, subnet=None)
    bits = _subnet_bits(network.version)
    subnet = network if network.prefixlen <= bits else network.supernet(new_prefix=bits)
    return Address(
        text=text, version=network.version, subnet=str(subnet), is_network=True
    )


def _subnet_bits(version: int) -> int:
    return 24 if version == 4 else 64
