"""The answers of IPinfo's free plan are read as they are meant."""

from __future__ import annotations

import ipaddress

import pytest

from f2b_enrich.enrich.lite import facts_from

IP = ipaddress.ip_address("192.0.2.1")

ANSWER: dict[str, object] = {
    "ip": "192.0.2.1",
    "asn": "AS64496",
    "as_name": "Example Hosting GmbH",
    "as_domain": "hosting.example",
    "country_code": "DE",
    "country": "Germany",
    "continent_code": "EU",
    "continent": "Europe",
}


def test_an_answer_is_read_field_by_field() -> None:
    facts = facts_from(ANSWER, IP)

    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.asn, facts.as_name, facts.as_domain) == (
        64496,
        "Example Hosting GmbH",
        "hosting.example",
    )
    assert (facts.city, facts.latitude, facts.as_country_code) == (None, None, None)
    assert facts.raw == ANSWER


def test_an_answer_without_a_network_is_read() -> None:
    facts = facts_from({"ip": "192.0.2.1", "country_code": "NL"}, IP)

    assert (facts.country_code, facts.country, facts.asn) == ("NL", None, None)


def test_a_bogon_is_an_answer_without_facts() -> None:
    facts = facts_from({"ip": "192.0.2.1", "bogon": True, "country_code": "DE"}, IP)

    assert facts.country_code is None


@pytest.mark.parametrize("ip", ["192.0.2.2", "", None, 5])
def test_an_answer_about_another_address_is_refused(ip: object) -> None:
    with pytest.raises(ValueError, match="address"):
        facts_from({**ANSWER, "ip": ip}, IP)
