"""The answers for Core, Plus and Max are read as they are meant."""

from __future__ import annotations

import ipaddress

import pytest

from f2b_enrich.enrich.lookup import facts_from

IP = ipaddress.ip_address("192.0.2.1")

CORE: dict[str, object] = {
    "ip": "192.0.2.1",
    "hostname": "host.example",
    "geo": {
        "city": "Berlin",
        "region": "State of Berlin",
        "region_code": "BE",
        "country": "Germany",
        "country_code": "DE",
        "continent": "Europe",
        "continent_code": "EU",
        "latitude": 52.5244,
        "longitude": 13.4105,
        "timezone": "Europe/Berlin",
        "postal_code": "10178",
    },
    "as": {
        "asn": "AS64496",
        "name": "Example Hosting GmbH",
        "domain": "hosting.example",
        "type": "hosting",
    },
    "is_anonymous": False,
    "is_hosting": True,
}


def test_core_is_read_field_by_field() -> None:
    facts = facts_from(CORE, IP)

    assert facts.hostname == "host.example"
    assert facts.hostname_confirmed is None
    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.region, facts.city, facts.postal) == (
        "State of Berlin",
        "Berlin",
        "10178",
    )
    assert (facts.latitude, facts.longitude) == (52.5244, 13.4105)
    assert (facts.location_precision, facts.timezone) == ("city", "Europe/Berlin")
    assert (facts.asn, facts.as_name, facts.as_domain) == (
        64496,
        "Example Hosting GmbH",
        "hosting.example",
    )
    assert facts.is_hosting is True
    assert (facts.is_vpn, facts.is_tor, facts.is_proxy) == (None, None, None)
    assert facts.raw == CORE


def test_plus_says_how_an_address_hides() -> None:
    hidden = {"name": "X", "is_proxy": False, "is_tor": True, "is_vpn": False}

    facts = facts_from({**CORE, "anonymous": hidden}, IP)

    assert (facts.is_vpn, facts.is_tor, facts.is_proxy) == (False, True, False)


def test_a_proxy_in_a_home_is_a_proxy() -> None:
    hidden = {"is_proxy": False, "is_res_proxy": True}

    assert facts_from({**CORE, "anonymous": hidden}, IP).is_proxy is True


@pytest.mark.parametrize("odd", [None, [], "x", 5, {}])
def test_parts_that_are_no_objects_are_not_known(odd: object) -> None:
    answer = {"ip": "192.0.2.1", "geo": odd, "as": odd, "anonymous": odd}

    facts = facts_from(answer, IP)

    assert (facts.country_code, facts.asn, facts.is_tor) == (None, None, None)
    assert (facts.latitude, facts.location_precision) == (None, None)


def test_a_bogon_is_an_answer_without_facts() -> None:
    facts = facts_from({**CORE, "bogon": True}, IP)

    assert (facts.country_code, facts.hostname) == (None, None)


def test_what_the_owner_of_an_address_wrote_is_harmless() -> None:
    written = "x\x1b[31m.example"
    answer = {**CORE, "hostname": written, "geo": {"city": written}}

    facts = facts_from(answer, IP)

    assert (facts.hostname, facts.city) == (None, "x\u241b[31m.example")
    assert facts.raw == answer


@pytest.mark.parametrize("ip", ["192.0.2.2", "", None, 5])
def test_an_answer_about_another_address_is_refused(ip: object) -> None:
    with pytest.raises(ValueError, match="address"):
        facts_from({**CORE, "ip": ip}, IP)
