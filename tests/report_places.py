"""Places and hosts for the sample of a report, invented."""

from __future__ import annotations

from dataclasses import replace

from f2b_enrich.report.figures import Figures
from f2b_enrich.report.figures_places import (
    HostFigures,
    Hosts,
    HostService,
    Place,
    WorldMap,
)
from f2b_enrich.report.figures_rankings import Measure
from tests.report_sample import COUNTRIES, ORGANISATIONS, ranking, sample

PLACES = (
    ("US", "United States", "Virginia", "Ashburn", 39.04, -77.49, 28, 50),
    ("NL", "Netherlands", "North Holland", "Amsterdam", 52.37, 4.89, 20, 52),
    ("SG", "Singapore", "Singapore", "Singapore", 1.29, 103.85, 14, 20),
    ("DE", "Germany", "Hesse", "Frankfurt am Main", 50.12, 8.68, 8, 14),
    ("US", "United States", "", "", 39.5, -97.4, 8, 20),
    ("TR", "Türkiye", "Istanbul", "Istanbul", 41.01, 28.95, 4, 9),
    ("GB", "United Kingdom", "England", "London", 51.51, -0.13, 4, 7),
    ("NL", "Netherlands", "", "", 52.2, 5.3, 2, 6),
    ("DE", "Germany", "", "", 51.0, 10.4, 1, 2),
)
"""Of 89 of the sample's 93 addresses."""


def world() -> WorldMap:
    """Put the sample's addresses on a map."""
    return WorldMap(
        places=tuple(
            Place(
                country_code=code,
                country=country,
                region=region,
                city=city,
                latitude=latitude,
                longitude=longitude,
                addresses=addresses,
                bans=bans,
            )
            for code, country, region, city, latitude, longitude, addresses, bans in (
                PLACES
            )
        ),
        unplaced=4,
    )


def hosts() -> Hosts:
    """Tell the sample's bans by host."""
    days = [day.bans for day in sample().times.days]
    parts = (
        ("web1.example.org", "US", 100, 60, (("web", 60, 100),)),
        ("mail1.example.org", "SG", 55, 28, (("mail", 24, 49), ("ssh", 4, 6))),
        ("web2.example.org", None, 31, 17, (("web", 17, 31),)),
    )
    return Hosts(
        count=3,
        hosts=tuple(
            HostFigures(
                rank=rank,
                host=host,
                country_code=country,
                measure=Measure(bans=bans, addresses=addresses, attempts=6 * bans),
                services=tuple(
                    HostService(service=service, addresses=of, bans=many)
                    for service, of, many in services
                ),
                countries=ranking([COUNTRIES[rank - 1]], addresses, count=6),
                organisations=ranking([ORGANISATIONS[rank - 1]], addresses, count=9),
                days=tuple(count * (4 - rank) // 6 for count in days),
            )
            for rank, (host, country, bans, addresses, services) in enumerate(parts, 1)
        ),
    )


def placed() -> Figures:
    """Give the sample with a map and its hosts."""
    return replace(sample(), world=world(), hosts=hosts())
