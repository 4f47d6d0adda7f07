"""The shapes of IPinfo's oldest answers are read as they are meant."""

from __future__ import annotations

import ipaddress

import pytest

from f2b_enrich.enrich.legacy import facts_from

IP = ipaddress.ip_address("192.0.2.1")

ANSWER: dict[str, object] = {
    "ip": "192.0.2.1",
    "hostname": "host.example",
    "city": "São Paulo",
    "region": "São Paulo",
    "country": "BR",
    "loc": "-23.5475,-46.6361",
    "org": "AS64496 Example Hosting GmbH",
    "postal": "01000-000",
    "timezone": "America/Sao_Paulo",
}


def test_an_answer_is_read_field_by_field() -> None:
    facts = facts_from(ANSWER, IP)

    assert facts.hostname == "host.example"
    assert (facts.city, facts.region, facts.postal) == (
        "São Paulo",
        "São Paulo",
        "01000-000",
    )
    assert (facts.latitude, facts.longitude) == (-23.5475, -46.6361)
    assert facts.location_precision == "city"
    assert (facts.country_code, facts.timezone) == ("BR", "America/Sao_Paulo")
    assert (facts.asn, facts.as_name) == (64496, "Example Hosting GmbH")
    assert facts.raw == ANSWER


@pytest.mark.parametrize(
    ("org", "asn", "name"),
    [
        ("AS64496 Example Hosting GmbH", 64496, "Example Hosting GmbH"),
        ("AS64496", 64496, None),
        ("Some Network", None, "Some Network"),
        ("", None, None),
        (None, None, None),
        (5, None, None),
    ],
)
def test_a_network_is_split_once(
    org: object, asn: int | None, name: str | None
) -> None:
    facts = facts_from({**ANSWER, "org": org}, IP)

    assert (facts.asn, facts.as_name) == (asn, name)


def test_a_network_taken_apart_is_read() -> None:
    network = {"asn": "AS64498", "name": "Firma", "domain": "firma.example"}

    facts = facts_from({"ip": "192.0.2.1", "asn": network}, IP)

    assert (facts.asn, facts.as_name, facts.as_domain) == (
        64498,
        "Firma",
        "firma.example",
    )


def test_a_bogon_is_an_answer_without_facts() -> None:
    facts = facts_from({"ip": "192.0.2.1", "bogon": True}, IP)

    assert facts.country_code is None
    assert facts.raw == {"ip": "192.0.2.1", "bogon": True}


def test_a_point_without_a_city_is_of_the_country() -> None:
    facts = facts_from({"ip": "192.0.2.1", "country": "DE", "loc": "51.0,9.0"}, IP)

    assert (facts.latitude, facts.location_precision) == (51.0, "country")


@pytest.mark.parametrize("loc", ["", "here", "1", "1,2,3", "nan,nan", 5, None, "91,0"])
def test_a_point_that_is_none_is_left_out(loc: object) -> None:
    facts = facts_from({**ANSWER, "loc": loc}, IP)

    assert facts.latitude is None
    assert facts.location_precision is None


@pytest.mark.parametrize("ip", ["192.0.2.2", "", None, 5, "2001:db8::1"])
def test_an_answer_about_another_address_is_refused(ip: object) -> None:
    with pytest.raises(ValueError, match=r"address"):
        facts_from({**ANSWER, "ip": ip}, IP)


def test_an_exploded_address_is_the_same_address() -> None:
    asked = ipaddress.ip_address("2001:db8::1")

    facts = facts_from({"ip": asked.exploded, "country": "DE"}, asked)

    assert facts.country_code == "DE"


def test_a_companys_plan_says_more() -> None:
    answer: dict[str, object] = {
        "ip": "192.0.2.1",
        "asn": {"asn": "AS64498", "name": "Firma", "type": "isp"},
        "privacy": {"vpn": True, "proxy": False, "tor": False, "hosting": True},
        "abuse": {"email": "abuse@firma.example", "country": "CZ"},
    }

    facts = facts_from(answer, IP)

    assert (facts.is_vpn, facts.is_proxy, facts.is_tor, facts.is_hosting) == (
        True,
        False,
        False,
        True,
    )
    assert facts.abuse_contact == "abuse@firma.example"
    assert facts.raw == answer


def test_what_the_owner_of_an_address_wrote_is_harmless() -> None:
    written = "x\x1b]0;title\x07\u202e .example"
    answer = {"ip": "192.0.2.1", "hostname": written, "org": f"AS64496 {written}"}

    facts = facts_from(answer, IP)

    assert facts.hostname is None
    assert facts.as_name == "x\u241b]0;title\u2407\ufffd .example"
    assert facts.raw == answer


@pytest.mark.parametrize("odd", [None, [], "x", 5, {}])
def test_parts_of_a_companys_plan_that_are_no_objects_are_not_known(
    odd: object,
) -> None:
    answer = {"ip": "192.0.2.1", "asn": odd, "privacy": odd, "abuse": odd}

    facts = facts_from(answer, IP)

    assert (facts.asn, facts.is_vpn, facts.abuse_contact) == (None, None, None)
