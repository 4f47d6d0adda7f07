"""Records of databases with objects inside, as MaxMind and DB-IP make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.enrich import fields
from f2b_enrich.enrich.provider import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

_OBJECTS = ("country", "registered_country", "city", "location", "continent", "traits")
_MAXMINDS_OWN = frozenset(
    {
        "autonomous_system_number",
        "autonomous_system_organization",
        "is_anonymous_vpn",
        "is_hosting_provider",
        "is_public_proxy",
        "is_residential_proxy",
        "is_tor_exit_node",
    }
)


def is_nested(record: Mapping[str, object]) -> bool:
    """Tell by its keys whether a record is of this kind."""
    return bool(_MAXMINDS_OWN & record.keys()) or any(
        isinstance(record.get(key), dict) for key in _OBJECTS
    )


def says_little(record: Mapping[str, object]) -> bool:
    """Tell a record that is understood but holds no fact that is kept.

    MaxMind's files have many such, for a network that is only registered somewhere, or
    of which only the sum of the flags is said.
    """
    registered = fields.mapping(record.get("registered_country"))
    return (
        fields.country_code(registered.get("iso_code")) is not None
        or fields.flag(record.get("is_anonymous")) is not None
    )


def facts_from(record: Mapping[str, object]) -> Facts:
    """Read a record.

    Raises:
        ValueError: it holds NaN or an infinity, which are no JSON.
        TypeError: it holds what JSON has no word for.
    """
    country = fields.mapping(record.get("country"))
    location = fields.mapping(record.get("location"))
    place = fields.position(location.get("latitude"), location.get("longitude"))
    city = _name(record.get("city"))
    # Network and flags stand in files of their own, or among the traits.
    traits = {**fields.mapping(record.get("traits")), **_own(record)}
    return Facts(
        country_code=fields.country_code(country.get("iso_code")),
        country=_name(country),
        region=_name(_first(record.get("subdivisions"))),
        city=city,
        postal=fields.text(fields.mapping(record.get("postal")).get("code")),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        location_precision=fields.precision(city, place),
        timezone=fields.text(location.get("time_zone")),
        asn=fields.as_number(traits.get("autonomous_system_number")),
        as_name=fields.text(traits.get("autonomous_system_organization")),
        is_hosting=fields.flag(traits.get("is_hosting_provider")),
        is_vpn=fields.flag(traits.get("is_anonymous_vpn")),
        is_tor=fields.flag(traits.get("is_tor_exit_node")),
        is_proxy=fields.flag(
            traits.get("is_public_proxy"), traits.get("is_residential_proxy")
        ),
        raw=fields.as_received(record),
    )


def _own(record: Mapping[str, object]) -> Mapping[str, object]:
    return {key: record[key] for key in _MAXMINDS_OWN & record.keys()}


def _name(value: object) -> str | None:
    names = fields.mapping(fields.mapping(value).get("names"))
    found = (fields.text(name) for name in (names.get("en"), *names.values()))
    return next((name for name in found if name is not None), None)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None
