"""What is known of an address, in words, each fact with its source."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from f2b_enrich.cli.show_known import known as parts
from f2b_enrich.cli.show_known import scanner
from f2b_enrich.enrich.merge import not_looked_up
from f2b_enrich.model import Enrichment
from tests.stores import NOW


def told(found: Enrichment) -> str:
    return "  ".join(filter(None, parts(found.ip, found, UTC)))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "place not known  [here, 2026-11-21]"),
        ({"country_code": "NL"}, "NL  [here, 2026-11-21]"),
        (
            {"country": "Netherlands", "location_precision": "country"},
            "Netherlands (country level)  [here, 2026-11-21]",
        ),
        (
            {"as_name": "Example", "is_vpn": False, "is_tor": True},
            "place not known  Example  VPN: no, Tor: yes  [here, 2026-11-21]",
        ),
        (
            {"hostname": "a.example.net"},
            "place not known  a.example.net  [here, 2026-11-21]",
        ),
        (
            {"hostname": "a.example.net", "hostname_confirmed": False},
            "place not known  a.example.net (not confirmed)  [here, 2026-11-21]",
        ),
    ],
)
def test_what_is_not_known_is_left_out(known: dict[str, Any], expected: str) -> None:
    found = Enrichment(ip="192.0.2.7", looked_up_at=NOW, source="here", **known)

    assert told(found) == expected


def test_facts_of_several_sources_say_which_is_whose() -> None:
    found = Enrichment(
        ip="192.0.2.7",
        looked_up_at=NOW,
        source="Lite, DNS",
        complete=False,
        country="Netherlands",
        as_name="Example",
        hostname="a.example.net",
        field_sources={"country": "Lite", "as_name": "Lite", "hostname": "DNS"},
    )

    assert told(found).endswith(
        "  [place, network: Lite; name: DNS; not every source answered, 2026-11-21]"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("list of 2026-11-22, name", "known scanner: Example Scan (list of"),
        (
            "list of 2026-11-22, name, not confirmed",
            "perhaps a scanner: Example Scan (list of 2026-11-22, name, not",
        ),
    ],
)
def test_a_scanner_is_named_with_what_shows_it(source: str, expected: str) -> None:
    found = Enrichment(
        ip="192.0.2.7",
        looked_up_at=NOW,
        source="Lite",
        scanner="Example Scan",
        field_sources={"scanner": source},
    )

    assert str(scanner(found)).startswith(expected)
    assert told(found) == "place not known  [Lite, 2026-11-21]"


def test_an_address_nobody_asks_about_says_why() -> None:
    found = not_looked_up("10.0.0.1", "private address", looked_up_at=NOW)

    assert told(found) == "not looked up: private address"
