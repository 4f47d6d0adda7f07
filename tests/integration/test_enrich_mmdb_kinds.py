"""Databases of every maker are told apart by their keys and read as they are meant."""

from __future__ import annotations

import ipaddress
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.enrich import flat_mmdb, nested_mmdb
from f2b_enrich.enrich.local import open_database
from tests.mmdb import GERMAN, write_lite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2b_enrich.enrich.provider import Facts

CORE: dict[str, object] = {
    **GERMAN,
    "city": "Berlin",
    "region": "State of Berlin",
    "region_code": "BE",
    "timezone": "Europe/Berlin",
    "postal_code": "10178",
    "latitude": 52.5244,
    "longitude": 13.4105,
    "as_type": "hosting",
    "is_anonymous": True,
    "is_hosting": True,
}
PLUS: dict[str, object] = {
    **CORE,
    "is_proxy": False,
    "is_relay": False,
    "is_tor": True,
    "is_vpn": False,
}
CITY: dict[str, object] = {
    "city": {"geoname_id": 1, "names": {"de": "M\u00fcnchen", "en": "Munich"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"de": "Deutschland", "en": "Germany"}},
    "location": {
        "latitude": 48.1374,
        "longitude": 11.5755,
        "time_zone": "Europe/Berlin",
    },
    "postal": {"code": "80331"},
    "registered_country": {"iso_code": "NL", "names": {"en": "Netherlands"}},
    "subdivisions": [{"iso_code": "BY", "names": {"en": "Bavaria"}}],
}
NETWORK: dict[str, object] = {
    "autonomous_system_number": 64496,
    "autonomous_system_organization": "Example Hosting GmbH",
}


def read(path: Path, record: Mapping[str, object], kind: str = "mine") -> Facts:
    """Put one record into a database and get it back."""
    write_lite(path, {"192.0.2.0/24": record}, database_type=kind)
    with closing(open_database(path)) as database:
        facts = database.facts(ipaddress.ip_address("192.0.2.7"))
    assert facts is not None
    assert facts.raw == record
    return facts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ipinfo_lite.mmdb"  # the name says nothing


def flags(facts: Facts) -> tuple[bool | None, ...]:
    return facts.is_hosting, facts.is_vpn, facts.is_tor, facts.is_proxy


def test_core_and_plus_of_ipinfo(path: Path) -> None:
    core, plus = read(path, CORE), read(path, PLUS)

    assert (core.region, core.city, core.postal) == (
        "State of Berlin",
        "Berlin",
        "10178",
    )
    assert (core.latitude, core.timezone) == (52.5244, "Europe/Berlin")
    assert (core.country_code, core.country, core.asn) == ("DE", "Germany", 64496)
    assert core.as_country_code is None
    assert flags(core) == (True, None, None, None)
    assert flags(plus) == (True, False, True, False)


@pytest.mark.parametrize(
    "record",
    [
        {"hosting": True, "proxy": False, "relay": True, "tor": False, "vpn": True},
        {"hosting": "true", "proxy": "", "tor": "", "vpn": "true", "service": ""},
    ],
)
def test_privacy_of_ipinfo_new_and_old(path: Path, record: dict[str, object]) -> None:
    facts = read(path, record, "ipinfo standard_privacy_new.mmdb")

    assert flags(facts) == (True, True, False, False)
    assert facts.country_code is None


@pytest.mark.parametrize(
    "more",
    [{}, {"type": "hosting"}, {"route": "192.0.2.0/24"}, {"domain": "x.example"}],
)
def test_a_networks_country_is_not_where_the_address_is(
    path: Path, more: dict[str, object]
) -> None:
    facts = read(path, {"asn": "AS64496", "name": "Example", "country": "NL", **more})

    assert (facts.as_country_code, facts.country_code) == ("NL", None)
    assert (facts.asn, facts.as_name) == (64496, "Example")


@pytest.mark.parametrize(
    "more",
    [
        {"country_name": "Netherlands"},
        {"continent": "EU"},
        {"as_name": "Example"},
        {"city": "Utrecht"},
    ],
)
def test_a_country_beside_a_place_is_where_the_address_is(
    path: Path, more: dict[str, object]
) -> None:
    facts = read(path, {"asn": "AS64496", "country": "NL", **more})

    assert (facts.as_country_code, facts.country_code) == (None, "NL")


def test_an_old_extended_location_of_ipinfo(path: Path) -> None:
    facts = read(
        path,
        {
            "city": "Sydney",
            "region": "NSW",
            "region_name": "New South Wales",
            "country": "AU",
            "country_name": "Australia",
            "latitude": "-33.86785",
            "longitude": "151.20732",
            "postal_code": "1001",
        },
    )

    assert (facts.region, facts.country) == ("New South Wales", "Australia")
    assert (facts.latitude, facts.location_precision) == (-33.86785, "city")


def test_a_city_database_of_maxmind(path: Path) -> None:
    facts = read(path, CITY, "GeoLite2-City")

    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.region, facts.city, facts.postal) == ("Bavaria", "Munich", "80331")
    assert (facts.latitude, facts.longitude) == (48.1374, 11.5755)
    assert (facts.location_precision, facts.timezone) == ("city", "Europe/Berlin")
    assert (facts.asn, facts.as_country_code) == (None, None)


def test_a_city_database_of_db_ip_has_less(path: Path) -> None:
    record = {
        "city": {"names": {"en": "Berlin (Mitte)"}},
        "country": {"iso_code": "DE", "names": {"en": "Germany"}},
        "location": {"latitude": 52.52, "longitude": 13.4},
        "subdivisions": [],
    }

    facts = read(path, record, "DBIP-City-Lite")

    assert (facts.city, facts.region, facts.postal) == ("Berlin (Mitte)", None, None)
    assert (facts.latitude, facts.timezone) == (52.52, None)


def test_a_network_database_of_maxmind(path: Path) -> None:
    facts = read(path, NETWORK, "GeoLite2-ASN")

    assert (facts.asn, facts.as_name) == (64496, "Example Hosting GmbH")
    assert facts.country_code is None


@pytest.mark.parametrize("among", ["traits", "alone"])
def test_flags_of_maxmind(path: Path, among: str) -> None:
    said: dict[str, object] = {
        **NETWORK,
        "is_anonymous": True,
        "is_anonymous_vpn": True,
        "is_hosting_provider": True,
        "is_residential_proxy": True,
    }

    facts = read(path, {"traits": said} if among == "traits" else said)

    assert flags(facts) == (True, True, None, True)
    assert facts.asn == 64496


def test_who_is_in_ipinfos_file_of_proxies_in_homes_is_one(path: Path) -> None:
    record = {"last_seen": "2026-11-01", "percent_days_seen": 7, "service": "x"}

    facts = read(path, record, "ipinfo standard_residential_proxy_30d.mmdb")

    assert flags(facts) == (None, None, None, True)
    assert read(path, {**PLUS, "percent_days_seen": 0}).is_proxy is False
    assert read(path, {**PLUS, "is_res_proxy": True}).is_proxy is True


def test_an_abuse_contact_of_ipinfo_is_nothing_else(path: Path) -> None:
    facts = read(
        path,
        {
            "address": "Example Street 1",
            "country": "CZ",
            "email": "abuse@hosting.example",
            "name": "Example Abuse Desk",
            "network": "192.0.2.0/24",
            "phone": "+00",
        },
    )

    assert facts.abuse_contact == "abuse@hosting.example"
    assert (facts.as_name, facts.country_code, facts.as_country_code) == (None,) * 3


def test_a_company_is_not_the_network_that_it_is_in(path: Path) -> None:
    company: dict[str, object] = {
        "name": "Example Shop",
        "domain": "shop.example",
        "type": "business",
    }
    network = {"asn": "AS64496", "as_name": "Example", "as_domain": "hosting.example"}

    both = read(path, {**company, **network, "country_code": "DE"})
    alone = read(path, {**company, "country_code": "DE"})

    assert (both.as_name, both.as_domain) == ("Example", "hosting.example")
    assert (alone.as_name, alone.as_domain) == (None, None)


def test_a_city_database_of_ip2location(path: Path) -> None:
    facts = read(
        path,
        {
            "country_code": "DE",
            "country_name": "Germany",
            "region_name": "Berlin",
            "city_name": "Berlin",
            "latitude": "52.52",
            "longitude": "13.4",
        },
    )

    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.region, facts.city) == ("Berlin", "Berlin")
    assert (facts.latitude, facts.location_precision) == (52.52, "city")


def test_names_in_other_languages_are_better_than_none(path: Path) -> None:
    facts = read(
        path,
        {
            "country": {"iso_code": "DE", "names": {"de": "Deutschland"}},
            "city": {"names": {"xx": 5, "de": "M\u00fcnchen", "fr": "Munich"}},
        },
    )

    assert (facts.country, facts.city) == ("Deutschland", "M\u00fcnchen")


@pytest.mark.parametrize(
    "record",
    [
        {"is_anonymous": True},
        {"registered_country": {"iso_code": "DE", "names": {"en": "Germany"}}},
    ],
)
def test_a_file_whose_first_records_say_little_is_understood(
    path: Path, record: dict[str, object]
) -> None:
    facts = read(path, record, "GeoIP2-Anonymous-IP")

    assert (facts.country_code, facts.as_country_code) == (None, None)
    assert flags(facts) == (None,) * 4


def test_records_of_several_kinds_in_one_file_are_each_understood(path: Path) -> None:
    write_lite(path, {"192.0.2.0/25": CITY, "192.0.2.128/25": GERMAN})
    with closing(open_database(path)) as database:
        first = database.facts(ipaddress.ip_address("192.0.2.1"))
        second = database.facts(ipaddress.ip_address("192.0.2.129"))

    assert first is not None
    assert second is not None
    assert (first.city, second.asn) == ("Munich", 64496)


KEYS = sorted({*CORE, *PLUS, *CITY, *NETWORK, "traits", "name", "lat", "lng"})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "names", "en", "iso_code"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_record_at_all_breaks_a_reader(record: dict[str, object]) -> None:
    assert isinstance(nested_mmdb.is_nested(record), bool)
    for reader in (flat_mmdb, nested_mmdb):
        assert reader.facts_from(record).raw == record
