"""SQL functions for countries and addresses, as a plugin of sqlite-utils.

None of them raises: what has no answer, NULL first of all, gives NULL.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from sqlite_utils import hookimpl

from f2b_enrich.address import read_address
from f2b_enrich.enrich.countries import countries

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.enrich.countries import Country

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REGIONAL_A = 0x1F1E6
"""The regional indicator A: two of them show as a flag (Unicode, UTS 51)."""

_LONGEST = 64
"""No text of an address or network is longer, so longer ones are not even read."""


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Add the functions to a connection."""
    for function, arguments in ((flag, 1), (country_name, 1), (subnet, 2), (ip_key, 1)):
        conn.create_function(function.__name__, arguments, function, deterministic=True)


def flag(country_code: object) -> str | None:
    """Show the flag of a country as a terminal or page draws it."""
    country = _country(country_code)
    if country is None:
        return None
    return "".join(chr(_REGIONAL_A + ord(char) - ord("A")) for char in country.code)


def country_name(country_code: object) -> str | None:
    """Name a country by its ISO 3166-1 code, XK among them, in English."""
    country = _country(country_code)
    return None if country is None else country.name


def subnet(ip: object, bits: object) -> str | None:
    """Give the network of so many bits around an address, as text.

    A network that is wider already is its own.
    """
    network, size = _network(ip), _number(bits)
    if network is None or size is None or size > network.max_prefixlen:
        return None
    if size >= network.prefixlen:
        return str(network)
    return str(network.supernet(new_prefix=size))


def ip_key(ip: object) -> str | None:
    """Give a text that sorts as addresses do: IPv4 first, each kind by its number.

    A network stands behind the first address in it.
    """
    network = _network(ip)
    if network is None:
        return None
    key = f"{network.version}{network.network_address.packed.hex()}"
    whole = network.prefixlen == network.max_prefixlen
    return key if whole else f"{key}/{network.prefixlen:03}"


def _country(code: object) -> Country | None:
    return countries().get(code.upper()) if isinstance(code, str) else None


def _network(ip: object) -> Network | None:
    """Read what the store may hold as an address; an address is its own network."""
    # A number would be taken for the number of an address.
    if not isinstance(ip, str) or len(ip) > _LONGEST:
        return None
    # Its text has no IPv4-mapped address; ip_network takes no zone (`%eth0`).
    text = read_address(ip).text.partition("%")[0]
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _number(bits: object) -> int | None:
    """Read a whole number, also as text: parameters on a command line are text."""
    if isinstance(bits, str) and bits.isascii() and bits.isdigit() and len(bits) < 4:
        return int(bits)
    return bits if isinstance(bits, int) and bits >= 0 else None
