"""The figures of a report: pure data that every form of it reads.

Bans, unique addresses and attempts are three numbers, and each figure says which it is.
An address counts once, wherever it counts; percentages are of `base`, the addresses
that a table is about, and stand between 0 and 100. Bans that only repeat others, those
of recidive, are in `repeats` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

VERSION = 1
"""Of the JSON that these come to; it grows when a name goes or changes its meaning."""

LAST_NUMBER = 10
"""Up to this one bans are told apart by which of their address they are."""

DayState: TypeAlias = Literal["data", "gap", "quiet", "before", "after"]
"""`gap`: nothing at all was recorded, for longer than usual. `quiet`: nothing either,
where bans are too rare to tell what is usual. `before` and `after`: the records begin
later, or end earlier. Other days without bans are `data`, with 0."""

FindingKind: TypeAlias = Literal[
    "change", "network", "new-class", "quiet-jail", "several-hosts", "gap"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Bans, of how many addresses, after how many failed attempts."""

    bans: int
    addresses: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """The time from `since` to before `until`, told in a time zone.

    `label` is how people say it, `October 2024`. Days and hours are those of `zone`,
    folded from quarter-hours of UTC: an IANA name, or the rule or the path of a
    machine's zone file that has no name.
    """

    label: str
    since: datetime
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a report is confined to, or leaves out: `service`, ('web', 'mail')."""

    what: str
    values: tuple[str, ...]
    leaves_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Everything in a period, and how many of its days have records."""

    measure: Measure
    hosts: int
    days: int
    days_covered: int
    repeats: int
    cidr_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A line of a ranking. Equal addresses give equal ranks: 1, 2, 2, 4.

    `key` tells it from all others: a country's code, AS numbers, a subnet. `note` says
    what the name alone does not, "multiple ASNs".
    """

    rank: int
    key: str
    name: str
    addresses: int
    percent: float
    bans: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """So many at the end of a ranking are equal that none of them is listed.

    They have `each` what the ranking is by: addresses, and of repeat offenders bans.
    """

    rank: int
    count: int
    each: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The first of a kind by unique addresses, with all that are tied with the last.

    `unknown` addresses, among the `base`, are of no known one; `count` are there in
    all.
    """

    base: int
    unknown: int
    count: int
    shares: tuple[Share, ...]
    tied: Tied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The rankings of all bans, or of one service's; `note` is the administrator's."""

    service: str | None
    measure: Measure
    note: str
    countries: Ranking
    organisations: Ranking
    cities: Ranking
    subnets: Ranking


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
class Day:
    """The bans of a day of the report's zone; `state` says what no bans mean."""

    day: date
    bans: int
    state: DayState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Days of which there are no records; of one host, or of all of them: None.

    `usual` are the bans of an ordinary day there.
    """

    host: str | None
    first: date
    last: date
    usual: float

    @property
    def days(self) -> int:
        """Count them."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When bans began. `hours` are bans by weekday, Monday first, and by hour."""

    days: tuple[Day, ...]
    outages: tuple[Outage, ...]
    hours: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedTimes:
    """So many addresses were banned exactly so often."""

    bans: int
    addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """An address that was banned more than once; its neighbours are in its subnet.

    `hosts` and `jails` are those of most of its bans, of as many as the counts tell.
    Ban times are seconds, -1 for ever, None not known; the first and the longest.
    """

    rank: int
    ip: str
    bans: int
    attempts: int
    host_count: int
    hosts: tuple[str, ...]
    jail_count: int
    jails: tuple[str, ...]
    country_code: str | None
    organisation: str | None
    scanner: str | None
    first_at: datetime
    last_at: datetime
    first_bantime: int | None
    longest_bantime: int | None
    neighbours: int
    neighbours_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BanTime:
    """How long bans were that were the `number`th of their address, as fail2ban counts.

    The tenth is that and all that follow; bans of which it is not known are the first.
    The median in seconds is of those with an end; `for_ever` have none.
    """

    number: int
    bans: int
    median_seconds: int | None
    for_ever: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Who came back: how many were banned once, twice, and so on, and the worst."""

    banned: tuple[BannedTimes, ...]
    offenders: tuple[Offender, ...]
    tied: Tied | None
    ban_times: tuple[BanTime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCount:
    """A class of attack: bans that it leads, of how many addresses, and its log lines.

    `lines` are those of all bans that show it, also where another class leads, as one
    may in all of them: then it leads no bans. They stay when the lines themselves go.
    """

    attack: str
    name: str
    bans: int
    addresses: int
    percent: float
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A field of a table of two sides."""

    row: str
    column: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """A table of two sides: the first of each, as keys and names; cells without 0.

    Rows that are tied with the last one are there, too; columns are all services,
    or eight at most.
    `others` are what stands in neither: bans outside the shown rows and columns.
    """

    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacks:
    """What was tried, by class; the classes against countries and services."""

    classes: tuple[AttackCount, ...]
    by_country: Cross
    by_service: Cross


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTried:
    """A user name that at least two addresses tried; others may be passwords."""

    rank: int
    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """User names that were tried; `base` are the addresses that tried any.

    `left_out` names came from one address alone, and are not told.
    """

    base: int
    left_out: int
    names: tuple[NameTried, ...]
    tied: Tied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who attacks whom: countries of addresses against hosts, and hosts' countries."""

    by_host: Cross
    by_host_country: Cross


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerCount:
    """A known scanner: it looks at everybody."""

    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanners:
    """Known scanners, and both totals; whether the other figures leave them out."""

    left_out: bool
    everything: Measure
    without: Measure
    scanners: tuple[ScannerCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where places come from, of how many addresses, looked up from when to when."""

    source: str
    addresses: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Of how many addresses the place is known; the three add up to all.

    `looked_up_later` bans began more than 30 days before their address was looked up.
    """

    to_city: int
    to_country: int
    unknown: int
    looked_up_later: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JailCount:
    """A jail; `is_known` tells that something says what service it guards."""

    jail: str
    service: str
    bans: int
    addresses: int
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Jails:
    """The jails of the report, and bans of those that it was told to leave out."""

    jails: tuple[JailCount, ...]
    left_out: tuple[JailCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is worth a sentence; `numbers` are those that stand in it."""

    kind: FindingKind
    text: str
    numbers: dict[str, int | float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A whole report. `before` is the period before, where it is all in the store.

    `several_services` addresses were banned on more than one service: the services'
    addresses less these repetitions are those of `totals`.
    """

    version: int
    made_at: datetime
    period: ReportPeriod
    filters: tuple[Filter, ...]
    top: int
    findings: tuple[Finding, ...]
    totals: Totals
    before: Totals | None
    before_label: str
    everything: Scope
    services: tuple[Scope, ...]
    several_services: int
    times: Times
    addresses: Addresses
    attacks: Attacks
    names: Names
    whom: Whom
    scanners: Scanners
    coverage: Coverage
    jails: Jails
    world: WorldMap
    hosts: Hosts
