"""Where addresses are, and which hosts they attack."""

from __future__ import annotations

from dataclasses import dataclass

from f2b_enrich.report.figures_rankings import Cross, Measure, Ranking, Tied


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Addresses at one point of the map, in degrees: a city, or a country's middle.

    `region` and `city` are empty where only the country is known.
    """

    country_code: str
    country: str
    region: str
    city: str
    latitude: float
    longitude: float
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldMap:
    """Where addresses are, each in one place; those with the most come first.

    Of cities that are too many the smallest are told with their countries. `unplaced`
    addresses are at no known place.
    """

    places: tuple[Place, ...]
    unplaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostService:
    """What one host's jails of a service banned."""

    service: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFigures:
    """One host: who attacked it, when, and on what; `days` are bans by day of `times`.

    `country_code` is where it stands, None not known.
    """

    rank: int
    host: str
    country_code: str | None
    measure: Measure
    services: tuple[HostService, ...]
    countries: Ranking
    organisations: Ranking
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The hosts by unique addresses, with all that are tied with the last.

    `count` are there in all.
    """

    count: int
    hosts: tuple[HostFigures, ...]
    tied: Tied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who attacks whom: countries of addresses against hosts, and hosts' countries."""

    by_host: Cross
    by_host_country: Cross
