"""What the bans of some addresses come to: counts that add up with those of others.

Each address is in one part with all of its subnet, so that unique addresses, too, add
up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from f2b_enrich.report.tops import Tops

if TYPE_CHECKING:
    from collections.abc import Iterable

Scope: TypeAlias = "str | None"
"""A service, or all of them."""


@dataclass(slots=True, kw_only=True)
class Pair:
    """Addresses and bans of the same things, by their keys."""

    addresses: Counter[Any] = field(default_factory=Counter)
    bans: Counter[Any] = field(default_factory=Counter)

    def add(self, other: Pair) -> None:
        """Take another in."""
        self.addresses.update(other.addresses)
        self.bans.update(other.bans)


class Point(NamedTuple):
    """Where a look-up puts addresses: at a city's latitude and longitude, if known."""

    country_code: str
    region: str
    city: str
    position: tuple[float, float] | None


NO_POINT = Point("", "", "", None)


@dataclass(slots=True, kw_only=True)
class OfHost:
    """What is told of a host that is listed; days are counted from the first one."""

    attempts: int = 0
    services: Pair = field(default_factory=Pair)
    countries: Pair = field(default_factory=Pair)
    networks: Pair = field(default_factory=Pair)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, other: OfHost) -> None:
        """Take another part in."""
        self.attempts += other.attempts
        self.services.add(other.services)
        self.countries.add(other.countries)
        self.networks.add(other.networks)
        self.days.update(other.days)


@dataclass(slots=True, kw_only=True)
class Subnets:
    """Those with the most addresses, and their bans, and how many there are."""

    tops: Tops[str] = field(default_factory=Tops)
    bans: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def add(self, other: Subnets) -> None:
        """Take another part in."""
        self.tops.add(other.tops)
        self.bans.update(other.bans)
        self.count += other.count


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of an address that is named, and its whole subnet's counts."""

    country_code: str
    asn: int
    as_name: str
    scanner: str
    subnet: str
    subnet_addresses: int
    subnet_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Widest:
    """The address that the most hosts banned; `others` were banned on as many.

    Of those it is the one with the most bans, of equal ones the first by its text.
    """

    hosts: int
    bans: int
    ip: str
    others: int


@dataclass(slots=True, kw_only=True)
class LookedUp:
    """How many addresses a source told of, from when to when in the store's words."""

    addresses: int
    oldest_at: str
    newest_at: str

    def add(self, other: LookedUp) -> None:
        """Take another in."""
        self.addresses += other.addresses
        self.oldest_at = min(self.oldest_at, other.oldest_at)
        self.newest_at = max(self.newest_at, other.newest_at)


@dataclass(slots=True, kw_only=True)
class Part:
    """The counts, by keys that the store has; `None` as a service is all of them.

    Countries are by code and name, networks by AS number and name, cities by country
    code, region and name; what is not known by empty ones. `offenders` are addresses
    that were banned more than once, `known` is of them; `widest` is the one that the
    most hosts banned, if several did. `of_hosts` are those that are listed. `recorded`
    is all that was banned, by host, if that matters, and by the first quarter of the
    hour.
    """

    attempts: Counter[Scope] = field(default_factory=Counter)
    services: Pair = field(default_factory=Pair)
    several_services: int = 0
    countries: dict[Scope, Pair] = field(default_factory=dict)
    networks: dict[Scope, Pair] = field(default_factory=dict)
    cities: dict[Scope, Pair] = field(default_factory=dict)
    subnets: dict[Scope, Subnets] = field(default_factory=dict)
    recorded: Counter[tuple[str, int]] = field(default_factory=Counter)
    quarters: Counter[int] = field(default_factory=Counter)
    banned: Counter[int] = field(default_factory=Counter)
    offenders: Tops[str] = field(default_factory=Tops)
    widest: Widest | None = None
    known: dict[str, Known] = field(default_factory=dict)
    ban_times: Counter[tuple[int, int]] = field(default_factory=Counter)
    attacks: Pair = field(default_factory=Pair)
    attack_countries: Pair = field(default_factory=Pair)
    attack_services: Pair = field(default_factory=Pair)
    points: Pair = field(default_factory=Pair)
    hosts: Pair = field(default_factory=Pair)
    jails: Pair = field(default_factory=Pair)
    precisions: Counter[str] = field(default_factory=Counter)
    sources: dict[str, LookedUp] = field(default_factory=dict)
    looked_up_later: int = 0
    between_countries: Pair = field(default_factory=Pair)
    scanners: Pair = field(default_factory=Pair)
    scanner_attempts: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    names: Pair = field(default_factory=Pair)
    addresses_with_names: int = 0
    repeats: int = 0
    cidr_bans: int = 0
    left_out: Pair = field(default_factory=Pair)
    of_hosts: dict[str, OfHost] = field(default_factory=dict)


def add_source(sources: dict[str, LookedUp], source: str, looked_up: LookedUp) -> None:
    """Count what a source told of."""
    if source in sources:
        sources[source].add(looked_up)
    else:
        sources[source] = looked_up


def sum_of(parts: Iterable[Part]) -> Part:
    """Add parts up."""
    whole = Part()
    for part in parts:
        add(whole, part)
    return whole


def _wider(one: Widest | None, other: Widest | None) -> Widest | None:
    if one is None or other is None:
        return one or other
    first, second = sorted((one, other), key=lambda it: (-it.hosts, -it.bans, it.ip))
    if first.hosts > second.hosts:
        return first
    return replace(first, others=first.others + second.others + 1)


_COUNTERS = (
    *("attempts", "quarters", "banned", "ban_times", "precisions"),
    *("lines", "recorded"),
)
_ADDED = (
    *("services", "attacks", "attack_countries", "attack_services"),
    *("points", "between_countries", "hosts", "jails", "offenders"),
    *("scanners", "names", "left_out"),
)
_NUMBERS = (
    *("several_services", "looked_up_later", "scanner_attempts", "repeats"),
    *("cidr_bans", "addresses_with_names"),
)
_BY_SCOPE = {"countries": Pair, "networks": Pair, "cities": Pair, "subnets": Subnets}


def add(whole: Part, part: Part) -> None:
    """Take a part in."""
    whole.known.update(part.known)
    whole.widest = _wider(whole.widest, part.widest)
    for name in _NUMBERS:
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    for source, looked_up in part.sources.items():
        add_source(whole.sources, source, looked_up)
    for name in _COUNTERS:
        getattr(whole, name).update(getattr(part, name))
    for name in _ADDED:
        getattr(whole, name).add(getattr(part, name))
    for name, kind in _BY_SCOPE.items():
        for scope, counted in getattr(part, name).items():
            getattr(whole, name).setdefault(scope, kind()).add(counted)
    for host, of_host in part.of_hosts.items():
        whole.of_hosts.setdefault(host, OfHost()).add(of_host)
