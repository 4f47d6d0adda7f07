"""What an alert says of place and network, and whom it names as source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from f2b_enrich.model import Enrichment
from tests.alerts import CITY, COUNTRY, T, an_alert
from tests.reading import text


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            COUNTRY,
            "WHERE   Brazil\n        "
            "(country level: a map shows the country's centre, not the machine)",
        ),
        (replace(COUNTRY, country=None), "WHERE   BR (country level: "),
        (replace(COUNTRY, location_precision=None), "WHERE   Brazil\nYOURS?"),
        (replace(CITY, region="Amsterdam"), "WHERE   Amsterdam, Netherlands (city"),
        (replace(CITY, hostname_confirmed=None), "NAME    vps7.example.net\n"),
        (
            replace(CITY, scanner="Shodan"),
            "SCANNER Shodan (scans the whole internet, not you alone)\n",
        ),
        (
            replace(CITY, hostname_confirmed=False),
            "vps7.example.net\n        (not conf",
        ),
        (replace(CITY, asn=None), "NETWORK Example Hosting B.V., example.net; hosting"),
        (replace(CITY, is_hosting=None, is_vpn=None, is_tor=None), "example.net\nNAME"),
        (replace(COUNTRY, complete=False), "not every source answered; "),
        (
            replace(COUNTRY, country_code=None, country=None, field_sources={}),
            "WHERE   not known\n",
        ),
        (
            replace(
                COUNTRY,
                country_code=None,
                country=None,
                field_sources={},
                complete=False,
            ),
            "WHERE   not known, a source did not answer\n",
        ),
    ],
)
def test_the_place_is_as_precise_as_it_is_known(
    found: Enrichment, expected: str
) -> None:
    assert expected in text(an_alert(enrichment=found))


def test_facts_that_are_not_known_are_left_out() -> None:
    body = text(an_alert(enrichment=COUNTRY))

    assert "NETWORK" not in body
    assert "NAME" not in body
    assert "elsewhere" not in body


def test_ipinfo_is_credited_only_for_what_it_gave() -> None:
    credit = "IP address data powered by IPinfo"
    other = replace(COUNTRY, field_sources={"country": "another database"})

    assert credit in text(an_alert(enrichment=COUNTRY))
    assert credit not in text(an_alert(enrichment=other))
    assert credit not in text(an_alert(enrichment=None))


def test_an_address_that_is_not_asked_about_says_why() -> None:
    private = Enrichment(
        ip="10.0.0.1",
        looked_up_at=T,
        source="none",
        raw={"not looked up": "private address"},
    )

    body = text(an_alert(enrichment=private, ban={"ip": "10.0.0.1"}))

    assert "WHERE   not looked up: private address\n" in body
    assert "SOURCES fail2ban only\n" in body
    assert "ipinfo.io" not in body
