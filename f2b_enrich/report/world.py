"""Where addresses stand on a map: at their city, or in the middle of their country."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.enrich.countries import countries
from f2b_enrich.report.figures_places import Place, WorldMap
from f2b_enrich.report.naming import country_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.report.part import Part

MOST_CITIES = 500
"""More than these are one cloud on a map, and a page that is slow to open."""

_LATITUDES, _LONGITUDES = 90.0, 180.0


@dataclass(slots=True, kw_only=True)
class _City:
    """A city's counts, and how many of its addresses each look-up puts where."""

    addresses: int = 0
    bans: int = 0
    positions: Counter[tuple[float, float]] = field(default_factory=Counter)

    def position(self) -> tuple[float, float]:
        """Give the point of most of its addresses, of equal ones the least."""
        points = self.positions
        return min(points, key=lambda point: (-points[point], point))


def world(part: Part) -> WorldMap:
    """Put each address in one place, or in none if its country is not known."""
    cities: dict[tuple[str, str, str], _City] = {}
    rest, rest_bans = Counter[str](), Counter[str]()
    for point, addresses in part.points.addresses.items():
        bans = part.points.bans[point]
        if point.position is None or not _is_on_earth(point.position):
            rest[point.country_code] += addresses
            rest_bans[point.country_code] += bans
            continue
        city = cities.setdefault(point[:3], _City())
        city.addresses += addresses
        city.bans += bans
        city.positions[point.position] += addresses
    ordered = sorted(cities, key=lambda key: (-cities[key].addresses, key))
    for key in ordered[MOST_CITIES:]:
        rest[key[0]] += cities[key].addresses
        rest_bans[key[0]] += cities[key].bans
    names = country_names(part)
    places = [
        *_cities({key: cities[key] for key in ordered[:MOST_CITIES]}, names),
        *_countries(rest, rest_bans, names),
    ]
    places.sort(
        key=lambda one: (-one.addresses, one.country_code, one.region, one.city)
    )
    middles = countries()
    return WorldMap(
        places=tuple(places),
        unplaced=sum(found for code, found in rest.items() if code not in middles),
    )


def _is_on_earth(position: tuple[float, float]) -> bool:
    latitude, longitude = position
    return abs(latitude) <= _LATITUDES and abs(longitude) <= _LONGITUDES


def _cities(
    cities: Mapping[tuple[str, str, str], _City], names: Mapping[str, str]
) -> Iterator[Place]:
    for (code, region, name), city in cities.items():
        latitude, longitude = city.position()
        yield Place(
            country_code=code,
            country=names[code],
            region=region,
            city=name,
            latitude=latitude,
            longitude=longitude,
            addresses=city.addresses,
            bans=city.bans,
        )


def _countries(
    addresses: Mapping[str, int], bans: Mapping[str, int], names: Mapping[str, str]
) -> Iterator[Place]:
    middles = countries()
    for code, found in addresses.items():
        if code in middles:
            yield Place(
                country_code=code,
                country=names[code],
                region="",
                city="",
                latitude=middles[code].latitude,
                longitude=middles[code].longitude,
                addresses=found,
                bans=bans[code],
            )
