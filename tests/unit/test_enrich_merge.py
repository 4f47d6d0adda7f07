"""Facts of several sources become one enrichment that does not contradict itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.enrich.merge import Answer, merge, not_looked_up
from f2b_enrich.enrich.provider import Facts
from f2b_enrich.model import Enrichment

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

FRANKFURT = Facts(
    hostname="host.example",
    country_code="DE",
    region="Hesse",
    city="Frankfurt am Main",
    postal="60306",
    latitude=50.11,
    longitude=8.68,
    location_precision="city",
    timezone="Europe/Berlin",
    asn=64496,
    as_name="Example Hosting GmbH",
    raw={"city": "Frankfurt am Main"},
)
DUTCH = Facts(
    country_code="NL",
    country="The Netherlands",
    asn=64497,
    as_name="Another Network",
    as_domain="another.example",
    raw={"country_code": "NL"},
)


def test_the_first_source_wins_and_is_named() -> None:
    found = merge(
        "192.0.2.1",
        [Answer("first", FRANKFURT), Answer("second", DUTCH)],
        looked_up_at=NOW,
    )

    assert (found.city, found.country_code, found.asn) == (
        "Frankfurt am Main",
        "DE",
        64496,
    )
    assert found.source == "first"
    assert found.field_sources["city"] == found.field_sources["asn"] == "first"
    assert found.raw == {"first": FRANKFURT.raw, "second": DUTCH.raw}
    assert found.looked_up_at == NOW
    assert found.complete


def test_a_city_is_never_put_into_another_sources_country() -> None:
    found = merge(
        "192.0.2.1",
        [Answer("first", DUTCH), Answer("second", FRANKFURT)],
        looked_up_at=NOW,
    )

    assert (found.country, found.city) == ("Germany", "Frankfurt am Main")
    assert found.latitude == 50.11
    assert found.location_precision == "city"
    assert (found.asn, found.as_name) == (64497, "Another Network")
    assert found.source == "first, second"


def test_without_any_city_the_place_is_the_first_sources_country() -> None:
    bare = Facts(country_code="DE", timezone="Europe/Berlin")

    found = merge(
        "192.0.2.1",
        [Answer("first", DUTCH), Answer("second", bare)],
        looked_up_at=NOW,
    )

    assert (found.country_code, found.timezone) == ("NL", None)
    assert found.source == "first"


def test_the_map_point_of_a_bare_country_is_its_centre() -> None:
    found = merge("192.0.2.1", [Answer("lite", DUTCH)], looked_up_at=NOW)

    assert found.country == "Netherlands"
    assert (found.latitude, found.longitude) == (52.42, 5.61)
    assert found.location_precision == "country"
    assert found.field_sources["latitude"] == "Natural Earth"
    assert found.field_sources["country"] == "lite"
    assert found.source == "lite"


def test_a_city_without_a_point_stands_at_its_countrys_centre() -> None:
    city = Facts(city="Utrecht", country_code="NL")

    found = merge("192.0.2.1", [Answer("a", city)], looked_up_at=NOW)

    assert (found.city, found.location_precision) == ("Utrecht", "country")


def test_an_unknown_country_keeps_its_sources_name_and_gets_no_point() -> None:
    odd = Facts(country_code="XX", country="Nowhere")

    found = merge("192.0.2.1", [Answer("a", odd)], looked_up_at=NOW)

    assert (found.country_code, found.country) == ("XX", "Nowhere")
    assert found.latitude is None
    assert found.location_precision is None


def test_a_city_of_no_country_does_not_hide_the_country() -> None:
    found = merged(
        Facts(city="Utrecht"), Facts(country_code="DE", region="Hesse"), DUTCH
    )

    assert (found.country_code, found.region, found.city) == ("DE", "Hesse", None)
    assert merged(Facts(city="Utrecht"), Facts(country="Old")).city == "Utrecht"


def test_a_country_known_by_name_only_is_kept() -> None:
    found = merge("192.0.2.1", [Answer("a", Facts(country="Old"))], looked_up_at=NOW)

    assert (found.country_code, found.country) == (None, "Old")


def test_a_bare_point_is_kept() -> None:
    point = Facts(latitude=1.0, longitude=2.0, location_precision="country")

    found = merge("192.0.2.1", [Answer("a", point)], looked_up_at=NOW)

    assert (found.latitude, found.longitude) == (1.0, 2.0)


def test_another_source_completes_the_same_network_only() -> None:
    domain = Facts(asn=64496, as_name="EXAMPLE", as_domain="hosting.example")

    found = merge(
        "192.0.2.1",
        [Answer("api", FRANKFURT), Answer("x", DUTCH), Answer("lite", domain)],
        looked_up_at=NOW,
    )

    assert (found.asn, found.as_name, found.as_domain) == (
        64496,
        "Example Hosting GmbH",
        "hosting.example",
    )
    assert found.field_sources["as_domain"] == "lite"
    assert found.source == "api, lite"


def test_a_network_known_by_name_only_is_kept() -> None:
    found = merge(
        "192.0.2.1", [Answer("a", Facts(as_name="Some net"))], looked_up_at=NOW
    )

    assert (found.asn, found.as_name) == (None, "Some net")


def test_nobody_knowing_anything_is_an_answer_without_a_source() -> None:
    bogon = Facts(raw={"bogon": True})

    found = merge(
        "192.0.2.1", [Answer("a", None), Answer("b", bogon)], looked_up_at=NOW
    )

    assert found.source == "none"
    assert found.field_sources == {}
    assert found.raw == {"b": {"bogon": True}}


def test_an_address_is_written_as_bans_write_it() -> None:
    assert merge("::ffff:192.0.2.1", [], looked_up_at=NOW).ip == "192.0.2.1"
    assert merge("2001:DB8:0::1", [], looked_up_at=NOW).ip == "2001:db8::1"


def test_an_address_not_looked_up_says_why() -> None:
    found = not_looked_up("::ffff:10.0.0.1", "private address", looked_up_at=NOW)

    assert (found.ip, found.source) == ("10.0.0.1", "none")
    assert found.raw == {"not looked up": "private address"}
    assert found.complete


def _maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


FACTS = st.builds(
    Facts,
    hostname=_maybe(st.just("h")),
    country_code=_maybe(st.sampled_from(["DE", "NL", "XX"])),
    country=_maybe(st.just("name")),
    region=_maybe(st.sampled_from(["r1", "r2"])),
    city=_maybe(st.sampled_from(["c1", "c2"])),
    asn=_maybe(st.sampled_from([1, 2])),
    as_name=_maybe(st.sampled_from(["n1", "n2"])),
    as_domain=_maybe(st.sampled_from(["d1", "d2"])),
)


@given(st.lists(_maybe(FACTS), max_size=4))
def test_every_fact_has_a_source_and_places_are_never_mixed(
    facts: list[Facts | None],
) -> None:
    answers = [Answer(f"s{index}", fact) for index, fact in enumerate(facts)]

    found = merge("192.0.2.1", answers, looked_up_at=NOW)

    by_name = {answer.source: answer.facts for answer in answers}
    place = {
        found.field_sources[name]
        for name in ("country_code", "country", "region", "city")
        if name in found.field_sources
    }
    assert len(place) <= 1
    for name, source in found.field_sources.items():
        assert getattr(found, name) is not None
        assert source == "Natural Earth" or by_name[source] is not None
    numbers = {
        by_name[found.field_sources[name]].asn  # type: ignore[union-attr]
        for name in ("asn", "as_name", "as_domain")
        if name in found.field_sources
    }
    assert len(numbers) <= 1


def merged(*facts: Facts) -> Enrichment:
    answers = [Answer(f"source {n}", each) for n, each in enumerate(facts, start=1)]
    return merge("192.0.2.1", answers, looked_up_at=NOW)


def test_a_name_that_leads_back_beats_others() -> None:
    found = merged(
        Facts(hostname="plain.example"),
        Facts(hostname="claimed.example", hostname_confirmed=False),
        Facts(hostname="true.example", hostname_confirmed=True),
    )

    assert (found.hostname, found.hostname_confirmed) == ("true.example", True)
    assert found.field_sources["hostname"] == "source 3"
    assert found.field_sources["hostname_confirmed"] == "source 3"


@pytest.mark.parametrize("claimed", ["plain.example", "claimed.example"])
def test_a_name_that_does_not_lead_back_beats_one_nobody_examined(claimed: str) -> None:
    found = merged(
        Facts(hostname="plain.example"),
        Facts(hostname=claimed, hostname_confirmed=False),
    )

    assert (found.hostname, found.hostname_confirmed) == (claimed, False)
    assert found.field_sources["hostname"] == "source 2"


def test_among_names_nobody_examined_the_first_stands_alone() -> None:
    found = merged(Facts(hostname="plain.example"), Facts(hostname="other.example"))

    assert (found.hostname, found.hostname_confirmed) == ("plain.example", None)


def test_a_confirmation_without_a_name_confirms_nothing() -> None:
    found = merged(Facts(hostname_confirmed=True), Facts(hostname="plain.example"))

    assert (found.hostname, found.hostname_confirmed) == ("plain.example", None)


def test_each_flag_is_from_the_first_source_that_knows_it() -> None:
    found = merged(
        Facts(is_hosting=False, scanner="Example Scan"),
        Facts(is_hosting=True, is_vpn=True, is_tor=False, abuse_contact="a@b.example"),
        Facts(is_proxy=True, is_tor=True, scanner="Other Scan"),
    )

    assert (found.is_hosting, found.is_vpn, found.is_tor, found.is_proxy) == (
        False,
        True,
        False,
        True,
    )
    assert (found.scanner, found.abuse_contact) == ("Example Scan", "a@b.example")
    assert found.field_sources == {
        "is_hosting": "source 1",
        "scanner": "source 1",
        "is_vpn": "source 2",
        "is_tor": "source 2",
        "abuse_contact": "source 2",
        "is_proxy": "source 3",
    }


def test_a_networks_country_is_of_that_network() -> None:
    found = merged(
        Facts(asn=64496),
        Facts(asn=64497, as_country_code="NL"),
        Facts(asn=64496, as_country_code="DE"),
    )

    assert (found.asn, found.as_country_code) == (64496, "DE")
    assert found.field_sources["as_country_code"] == "source 3"


def test_a_networks_country_is_not_the_addresss() -> None:
    found = merged(Facts(asn=64496, as_country_code="DE"))

    assert (found.country_code, found.latitude) == (None, None)
