"""What IPinfo's API answers for its free plan: `api.ipinfo.io/lite/<ip>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address


def facts_from(answer: Mapping[str, object], asked: IPv4Address | IPv6Address) -> Facts:
    """Read an answer about `asked`: a country and a network, nothing finer.

    Raises:
        ValueError: it is about another address, or holds what is no JSON.
    """
    raw = fields.about(asked, answer)
    if raw.get("bogon"):
        return Facts(raw=raw)
    return Facts(
        country_code=fields.country_code(raw.get("country_code")),
        country=fields.text(raw.get("country")),
        asn=fields.as_number(raw.get("asn")),
        as_name=fields.text(raw.get("as_name")),
        as_domain=fields.text(raw.get("as_domain")),
        raw=raw,
    )
