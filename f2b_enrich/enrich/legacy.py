"""What IPinfo's API answers at its oldest address: `ipinfo.io/<ip>`."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address

# The official client writes these into the answer; they are not IPinfo's words.
_ADDED = frozenset(
    {
        "continent",
        "country_currency",
        "country_flag",
        "country_flag_url",
        "country_name",
        "isEU",
        "latitude",
        "longitude",
    }
)


def facts_from(answer: Mapping[str, object], asked: IPv4Address | IPv6Address) -> Facts:
    """Read an answer about `asked`.

    Raises:
        ValueError: it is about another address, or holds what is no JSON.
    """
    raw = fields.as_received({k: v for k, v in answer.items() if k not in _ADDED})
    if ipaddress.ip_address(str(raw.get("ip"))) != asked:
        raise ValueError("the answer is about another address")
    if raw.get("bogon"):
        return Facts(raw=raw)
    latitude, _, longitude = str(raw.get("loc")).partition(",")
    place = fields.position(latitude, longitude)
    city = fields.text(raw.get("city"))
    asn, as_name, as_domain = _network(raw)
    return Facts(
        hostname=fields.text(raw.get("hostname")),
        country_code=fields.country_code(raw.get("country")),
        region=fields.text(raw.get("region")),
        city=city,
        postal=fields.text(raw.get("postal")),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        location_precision=fields.precision(city, place),
        timezone=fields.text(raw.get("timezone")),
        asn=asn,
        as_name=as_name,
        as_domain=as_domain,
        raw=raw,
    )


def _network(raw: Mapping[str, object]) -> tuple[int | None, str | None, str | None]:
    network = raw.get("asn")
    if isinstance(network, dict):  # plans of companies have it taken apart already
        return (
            fields.as_number(network.get("asn")),
            fields.text(network.get("name")),
            fields.text(network.get("domain")),
        )
    first, _, rest = (fields.text(raw.get("org")) or "").partition(" ")
    number = fields.as_number(first)
    name = rest if number else f"{first} {rest}"
    return number, fields.text(name), None
