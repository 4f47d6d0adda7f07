"""What IPinfo's plans make of one record: the shapes of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Record = dict[str, object]

ROUTES: Mapping[str, frozenset[str]] = {
    "tok-free": frozenset({"lite"}),
    "tok-legacy": frozenset({"legacy", "lite"}),
    "tok-core": frozenset({"lookup", "legacy", "lite"}),
    "tok-plus": frozenset({"lookup", "legacy", "lite"}),
    "tok-max": frozenset({"lookup", "legacy", "lite"}),
    "tok-biz": frozenset({"legacy", "lite"}),
}
"""Where each token is accepted; any other is refused, none is keyless."""

_COUNTRIES = {"DE": "Germany", "NL": "Netherlands", "BR": "Brazil", "CZ": "Czech Rep."}


def shape(record: Mapping[str, object], route: str, token: str | None) -> Record:
    """Say a record of the legacy shape as a route says it to a token."""
    if "bogon" in record:
        return dict(record)
    if route == "lite":
        return lite(record)
    if route == "lookup":
        return lookup(record, token or "")
    return business(record) if token == "tok-biz" else dict(record)


def lite(record: Mapping[str, object]) -> Record:
    """Leave country and network, with a name where others have the code."""
    asn, name = _network(record)
    code = record.get("country")
    whole = {
        "ip": record["ip"],
        "asn": asn,
        "as_name": name,
        "as_domain": asn and "hosting.example",
        "country_code": code,
        "country": _COUNTRIES.get(str(code)),
        "continent_code": "EU",
        "continent": "Europe",
    }
    return {key: value for key, value in whole.items() if value}


def lookup(record: Mapping[str, object], token: str) -> Record:
    """Take place and network apart, and add what Core, Plus and Max add."""
    asn, name = _network(record)
    latitude, _, longitude = str(record.get("loc", "")).partition(",")
    geo = {
        "city": record.get("city"),
        "region": record.get("region"),
        "country": _COUNTRIES.get(str(record.get("country"))),
        "country_code": record.get("country"),
        "continent": "Europe",
        "continent_code": "EU",
        "latitude": float(latitude) if latitude else None,
        "longitude": float(longitude) if longitude else None,
        "timezone": record.get("timezone"),
        "postal_code": record.get("postal"),
    }
    network = {
        "asn": asn,
        "name": name,
        "domain": "hosting.example",
        "type": "hosting",
    }
    answer: Record = {
        "ip": record["ip"],
        "hostname": record.get("hostname"),
        "geo": {key: value for key, value in geo.items() if value is not None},
        "as": network if asn else None,
        "is_anonymous": True,
        "is_anycast": False,
        "is_hosting": True,
        "is_mobile": False,
        "is_satellite": False,
    }
    if token in {"tok-plus", "tok-max"}:
        hidden = {"is_proxy": False, "is_relay": False, "is_tor": True, "is_vpn": False}
        extra = {"is_res_proxy": True, "percent_days_seen": 7}
        answer["mobile"] = {}
        answer["anonymous"] = hidden | (extra if token == "tok-max" else {})
    return {key: value for key, value in answer.items() if value is not None}


def business(record: Mapping[str, object]) -> Record:
    """Put objects in the place of `org`."""
    asn, name = _network(record)
    network = {"asn": asn, "name": name, "domain": "hosting.example", "type": "isp"}
    bare = {key: value for key, value in record.items() if key != "org"}
    return {
        "asn": network,
        "company": {"name": name, "domain": "hosting.example", "type": "isp"},
        "privacy": {
            "vpn": True,
            "proxy": False,
            "tor": False,
            "relay": False,
            "hosting": True,
            "service": "HideMe",
        },
        "abuse": {"email": "abuse@hosting.example", "country": "DE"},
        **bare,
    }


def _network(record: Mapping[str, object]) -> tuple[str | None, str | None]:
    asn, _, name = str(record.get("org", "")).partition(" ")
    return asn or None, name or None
