"""What IPinfo's API answers at its oldest address: `ipinfo.io/<ip>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address


def facts_from(answer: Mapping[str, object], asked: IPv4Address | IPv6Address) -> Facts:
    """Read an answer about `asked`; companies' plans say more than others.

    Raises:
        ValueError: it is about another address, or holds what is no JSON.
    """
    raw = fields.about(asked, answer)
    if raw.get("bogon"):
        return Facts(raw=raw)
    latitude, _, longitude = str(raw.get("loc")).partition(",")
    place = fields.position(latitude, longitude)
    city = fields.text(raw.get("city"))
    asn, as_name, as_domain = _network(raw)
    privacy = fields.mapping(raw.get("privacy"))
    return Facts(
        hostname=fields.host_name(raw.get("hostname")),
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
        is_hosting=fields.flag(privacy.get("hosting")),
        is_vpn=fields.flag(privacy.get("vpn")),
        is_tor=fields.flag(privacy.get("tor")),
        is_proxy=fields.flag(privacy.get("proxy")),
        abuse_contact=fields.mail_address(
            fields.mapping(raw.get("abuse")).get("email")
        ),
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
