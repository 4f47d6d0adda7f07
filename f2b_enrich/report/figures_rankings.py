"""What rankings and tables of two sides are made of, whatever they are about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Bans, of how many addresses, after how many failed attempts."""

    bans: int
    addresses: int
    attempts: int


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
