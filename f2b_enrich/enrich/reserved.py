"""Which texts of bans are never looked up, and why."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Written out, because `is_global` and `is_private` of `ipaddress` change between
# releases of Python (3.11 takes 3fff::/20 and 192.88.99.0/24 for public). From the
# registries of special-purpose addresses (RFC 6890, RFC 9637).
_NETWORKS = tuple(
    (ipaddress.ip_network(network), reason)
    for reason, networks in (
        ("unspecified address", "0.0.0.0/32 ::/128"),
        ("address of this network", "0.0.0.0/8"),
        ("private address", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"),
        ("carrier-grade NAT address", "100.64.0.0/10"),
        ("loopback address", "127.0.0.0/8 ::1/128"),
        ("link-local address", "169.254.0.0/16 fe80::/10"),
        ("protocol assignment", "192.0.0.0/24 2001::/23"),
        (
            "documentation address",
            "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        ),
        ("6to4 relay address", "192.88.99.0/24"),
        ("6to4 address", "2002::/16"),
        ("benchmarking address", "198.18.0.0/15"),
        ("multicast address", "224.0.0.0/4 ff00::/8"),
        ("broadcast address", "255.255.255.255/32"),
        ("reserved address", "240.0.0.0/4"),
        ("NAT64 address", "64:ff9b::/96 64:ff9b:1::/48"),
    )
    for network in networks.split()
)
_ALL_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


def reason_not_to_look_up(
    text: str, *, lifted: Sequence[IPv4Network | IPv6Network] = ()
) -> str | None:
    """Say why a ban's address is not asked about; None when it is.

    `lifted` are reserved networks that are looked up all the same.
    """
    address = read_address(text)
    if address.is_network:
        return "a network, not an address"
    if address.version is None:
        return "not an address"
    if "%" in address.text:
        return "address with a zone"
    ip = ipaddress.ip_address(address.text)
    if any(ip in network for network in lifted):
        return None
    return _reserved(ip)


def _reserved(ip: IPv4Address | IPv6Address) -> str | None:
    for network, reason in _NETWORKS:
        if ip in network:
            return reason
    if ip.version == 6 and ip not in _ALL_PUBLIC_IPV6:
        return "reserved address"
    return None
