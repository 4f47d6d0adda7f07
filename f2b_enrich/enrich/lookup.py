"""What IPinfo's API answers for Core, Plus and Max: `api.ipinfo.io/lookup/<ip>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address


def facts_from(answer: Mapping[str, object], asked: IPv4Address | IPv6Address) -> Facts:
    """Read an answer about `asked`; the plan decides which parts it has.

    Raises:
        ValueError: it is about another address, or holds what is no JSON.
    """
    raw = fields.about(asked, answer)
    if raw.get("bogon"):
        return Facts(raw=raw)
    geo = fields.mapping(raw.get("geo"))
    network = fields.mapping(raw.get("as"))
    hidden = fields.mapping(raw.get("anonymous"))
    place = fields.position(geo.get("latitude"), geo.get("longitude"))
    city = fields.text(geo.get("city"))
    return Facts(
        hostname=fields.host_name(raw.get("hostname")),
        country_code=fields.country_code(geo.get("country_code")),
        country=fields.text(geo.get("country")),
        region=fields.text(geo.get("region")),
        city=city,
        postal=fields.text(geo.get("postal_code")),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        location_precision=fields.precision(city, place),
        timezone=fields.text(geo.get("timezone")),
        asn=fields.as_number(network.get("asn")),
        as_name=fields.text(network.get("name")),
        as_domain=fields.text(network.get("domain")),
        is_hosting=fields.flag(raw.get("is_hosting")),
        is_vpn=fields.flag(hidden.get("is_vpn")),
        is_tor=fields.flag(hidden.get("is_tor")),
        # Max tells proxies in homes apart from others.
        is_proxy=fields.flag(hidden.get("is_proxy"), hidden.get("is_res_proxy")),
        raw=raw,
    )
