"""Records of databases with one level of keys, as IPinfo sells and gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

# Any of these, and `country` is where the address is.
_PLACE_KEYS = frozenset(
    {
        *("country_code", "country_name", "continent", "continent_code"),
        *("city", "city_name", "region"),
    }
)
# The keys of files that hold networks only; with others, names have a prefix.
_NETWORK_KEYS = frozenset({"asn", "name"})
# Whom to write to about a network: name and country are that office's.
_ABUSE_KEYS = frozenset({"email", "network"})


def facts_from(record: Mapping[str, object]) -> Facts:
    """Read a record of any of IPinfo's databases.

    Raises:
        ValueError: it holds NaN or an infinity, which are no JSON.
        TypeError: it holds what JSON has no word for.
    """
    if record.keys() >= _ABUSE_KEYS:
        return Facts(
            abuse_contact=fields.mail_address(record["email"]),
            raw=fields.as_received(record),
        )
    code, country, as_code = _countries(record)
    place = fields.position(
        record.get("latitude", record.get("lat")),
        record.get("longitude", record.get("lng")),
    )
    city = fields.text(_first(record, "city", "city_name"))
    as_name, as_domain = _network(record)
    return Facts(
        country_code=code,
        country=country,
        region=fields.text(_first(record, "region_name", "region", "state1")),
        city=city,
        postal=fields.text(_first(record, "postal_code", "postcode")),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        location_precision=fields.precision(city, place),
        timezone=fields.text(record.get("timezone")),
        asn=fields.as_number(record.get("asn")),
        as_name=as_name,
        as_domain=as_domain,
        as_country_code=as_code,
        is_hosting=_flag(record, "hosting"),
        is_vpn=_flag(record, "vpn"),
        is_tor=_flag(record, "tor"),
        is_proxy=_proxy(record),
        raw=fields.as_received(record),
    )


def _countries(
    record: Mapping[str, object],
) -> tuple[str | None, str | None, str | None]:
    """Tell the address's country, code and name, from the code of its network's."""
    keys = record.keys()
    if "country_code" in keys:
        name = _first(record, "country", "country_name")
        return fields.country_code(record["country_code"]), fields.text(name), None
    # Older databases have the code where newer ones have the name.
    code = fields.country_code(record.get("country"))
    if "as_name" not in keys and keys & _NETWORK_KEYS and not keys & _PLACE_KEYS:
        return None, None, code
    return code, fields.text(record.get("country_name")), None


def _network(record: Mapping[str, object]) -> tuple[str | None, str | None]:
    """Give name and domain; without a prefix they are the network's beside its number.

    Elsewhere they are a company's.
    """
    bare = "asn" in record
    name = _first(record, *(("as_name", "name") if bare else ("as_name",)))
    domain = _first(record, *(("as_domain", "domain") if bare else ("as_domain",)))
    return fields.text(name), fields.text(domain)


def _first(record: Mapping[str, object], *keys: str) -> object:
    return next((record[key] for key in keys if key in record), None)


def _flag(record: Mapping[str, object], name: str) -> bool | None:
    return fields.flag(record.get(name), record.get(f"is_{name}"))


def _proxy(record: Mapping[str, object]) -> bool | None:
    known = fields.flag(
        record.get("proxy"), record.get("is_proxy"), record.get("is_res_proxy")
    )
    # IPinfo's file of proxies in homes has no flag: who is in it is one.
    return True if known is None and "percent_days_seen" in record else known
