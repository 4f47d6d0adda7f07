"""The digested figures of a report: pure data that names no one, to be published.

A number under `least` is told nowhere, nor is it what a table lacks of its total: with
it go others of the same table, as far as that takes. `null` is such a number, and never
a 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

VERSION = 1
"""Of the JSON that these come to; it grows when a name goes or changes its meaning."""

DayState: TypeAlias = Literal["data", "few", "gap", "quiet", "before", "after"]
"""`few`: the number is not told. The others are those of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPeriod:
    """The time from `since` to before `until`; days and hours are those of `zone`.

    `null` is the zone of a machine that has no name for it.
    """

    label: str
    since: datetime
    until: datetime
    zone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFilter:
    """What the figures are confined to, or leave out.

    Values are told of services, countries and classes alone: others name somebody.
    """

    what: str
    values: tuple[str, ...]
    leaves_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTotals:
    """Everything in the period: bans, of how many addresses, after how many attempts.

    `hosts` banned them; `days_covered` of the `days` have records. Of too few addresses
    only the `days` are told.
    """

    bans: int | None
    addresses: int | None
    attempts: int | None
    hosts: int | None
    days: int
    days_covered: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryCount:
    """Addresses in a country, and their bans."""

    country_code: str
    country: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CityCount:
    """Addresses in a city, and their bans."""

    country_code: str
    region: str
    city: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationCount:
    """Addresses of an organisation's networks, and their bans.

    `asn` is its network's number, if it has one alone: of several each may have few.
    """

    asn: int | None
    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCount:
    """What was attacked; an address may have attacked several services."""

    service: str
    addresses: int
    bans: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackClassCount:
    """Bans that a class of attack leads, of how many addresses."""

    attack: str
    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedTimesCount:
    """So many addresses were banned exactly so often."""

    bans: int
    addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """The bans of a day; `state` says why a number is missing."""

    day: date
    bans: int | None
    state: DayState


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A whole summary. Lists are the first of their kind, by addresses.

    `least` addresses stand behind each line, bans behind each day and hour. Hours are
    bans by weekday, Monday first, and by hour. If all bans are of too few addresses,
    there are no lines, days and hours.
    """

    version: int
    least: int
    period: SummaryPeriod
    filters: tuple[SummaryFilter, ...]
    totals: SummaryTotals
    services: tuple[ServiceCount, ...]
    countries: tuple[CountryCount, ...]
    organisations: tuple[OrganisationCount, ...]
    cities: tuple[CityCount, ...]
    attacks: tuple[AttackClassCount, ...]
    banned: tuple[BannedTimesCount, ...]
    days: tuple[DayCount, ...]
    hours: tuple[tuple[int | None, ...], ...]
