"""Bans for a data set that names no one: six values of each, in cells of enough.

Docs: docs/reference/export.md, docs/adr/0019.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np

from f2b_enrich.address import read_address
from f2b_enrich.model import Service
from f2b_enrich.report import cells, making, publishable, sharing
from f2b_enrich.report.counting import QUARTER_SECONDS
from f2b_enrich.store import selected
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from f2b_enrich.report.columns import BriefColumns, Location
    from f2b_enrich.report.request import Request

    Numbers = NDArray[np.int64]
    Small = NDArray[np.signedinteger]
    _Step = Callable[[Numbers], Numbers]

VERSION = 1
"""Of the columns; it grows when one goes or changes its meaning."""

COARSENED = ("whole", "city", "region", "network", "day", "country")
"""What each step leaves out of a ban, beside what those before it do."""

_DAY = 24 * 3600 // QUARTER_SECONDS
_UNKNOWN_SERVICE = "other"
_MONTH = len("2024-10")
_EPOCH = date(1970, 1, 1).toordinal()


class Row(NamedTuple):
    """A ban as it is told; None is not known, or not told."""

    country_code: str | None
    region: str | None
    city: str | None
    asn: int | None
    date: str
    service: str


class _Place(NamedTuple):
    country_code: str
    region: str
    city: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymised:
    """The bans that are told, by cell, and how many there are.

    `steps` are the bans told at each step of coarsening, in the order of `COARSENED`.
    """

    least: int
    bans: int
    left_out: int
    steps: tuple[int, ...]
    _cells: Numbers
    _counts: Numbers
    _names: _Names

    @property
    def cell_count(self) -> int:
        """Count the rows that differ."""
        return len(self._cells)

    def cells(self) -> Iterator[tuple[Row, int]]:
        """Give rows that differ, ordered by their values, each with its bans."""
        for cell, bans in zip(self._cells, self._counts, strict=True):
            yield self._names.row(int(cell)), int(bans)


def anonymise(
    store: Path, request: Request, *, least: int, by_month: bool = False
) -> Anonymised:
    """Read the bans that a report of the same request counts, and name no one.

    Raises:
        StoreError: the store cannot be read.
    """
    with open_reader(store) as connection, selected.unchanging(connection):
        newest = selected.newest(connection)
        wanted, _ = selected.chosen(connection, making.selection_of(request, newest))
        asked = making.wanted_of(request, wanted)
        # Names that somebody tried are not even read.
        bans = sharing.brief_bans_that_count(connection, asked)
        services = selected.services(connection)
    of_jails = [_service(services.get(jail, "")) for jail in bans.jails]
    return _anonymised(bans, of_jails, least=least, by_month=by_month)


def _service(name: str) -> str:
    return name if name in get_args(Service) else _UNKNOWN_SERVICE


def _anonymised(
    bans: BriefColumns, services: Sequence[str], *, least: int, by_month: bool
) -> Anonymised:
    names, steps, kinds = _numbered(bans, services, by_month=by_month)
    told, many, counts = cells.told(steps, _who(bans), kinds, least=least)
    return Anonymised(
        least=least,
        bans=len(bans),
        left_out=len(bans) - int(many.sum()),
        steps=tuple(counts),
        _cells=told,
        _counts=many,
        _names=names,
    )


def _who(bans: BriefColumns) -> Small:
    """Number those that were banned: an IPv6 address is one of a subnet's."""
    numbers: dict[str, int] = {}
    found = [
        numbers.setdefault((":" in ip and read_address(ip).subnet) or ip, len(numbers))
        for ip in bans.addresses.ips
    ]
    who: Small = np.array(found, np.int32)[bans.address]
    return who


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the numbers of a cell stand for; each kind in its order, nothing first."""

    places: list[_Place]
    asns: list[int]
    dates: list[str]
    services: list[str]

    def site(self, place: Numbers, asn: Numbers) -> Numbers:
        """Number places, each with a network, in the order of their rows."""
        return place * len(self.asns) + asn

    def cell(self, site: Numbers, day: Numbers, service: Numbers) -> Numbers:
        """Number cells in the order of their rows, in place of their sites."""
        site *= len(self.dates)
        site += day
        site *= len(self.services)
        site += service
        return site

    def row(self, cell: int) -> Row:
        """Say what a cell stands for."""
        cell, service = divmod(cell, len(self.services))
        cell, day = divmod(cell, len(self.dates))
        number, asn = divmod(cell, len(self.asns))
        place = self.places[number]
        return Row(
            country_code=place.country_code or None,
            region=place.region or None,
            city=place.city or None,
            asn=self.asns[asn] or None,
            date=self.dates[day],
            service=self.services[service],
        )


def _numbered(
    bans: BriefColumns, services: Sequence[str], *, by_month: bool
) -> tuple[_Names, list[_Step], Small]:
    """Name what there is, and give the steps of coarsening in their order.

    In the end comes of each ban what they all tell, its month and service, as a number.
    """
    of = bans.addresses
    places, levels = _places(of.locations)
    asns, numbers = _ordered([0, *(each.asn for each in of.networks)])
    networks = numbers[1:][of.network]
    none = np.zeros_like(networks)
    dates, day, (daily, monthly) = _dates(bans.quarter, by_month=by_month)
    kinds, of_jails = _ordered(services)
    names = _Names(places=places, asns=asns, dates=dates, services=kinds)

    def step(level: int, network: Numbers, dated: Numbers) -> _Step:
        sites = names.site(levels[level][of.location], network)

        def cell(rest: Numbers) -> Numbers:
            of_bans = sites[bans.address[rest]]
            return names.cell(of_bans, dated[day[rest]], of_jails[bans.jail[rest]])

        return cell

    steps = [
        step(0, networks, daily),
        step(1, networks, daily),
        step(2, networks, daily),
        step(2, none, daily),
        step(2, none, monthly),
        step(3, none, monthly),
    ]
    kind = monthly.astype(np.int32)[day] * len(kinds)
    kind += of_jails.astype(np.int32)[bans.jail]
    return names, steps, kind


def _places(locations: Sequence[Location]) -> tuple[list[_Place], Numbers]:
    """Name places, and number those of locations: whole, then less and less of them."""
    whole = list(map(_place, locations))
    levels = (
        whole,
        [_Place(each.country_code, each.region, "") for each in whole],
        [_Place(each.country_code, "", "") for each in whole],
        [_Place("", "", "")] * len(whole),
    )
    places, numbers = _ordered([each for level in levels for each in level])
    return places, numbers.reshape(len(levels), len(whole))


def _place(location: Location) -> _Place:
    """Say where that is; a city of no known country may be any."""
    code = publishable.country_code(location.country_code)
    if not code:
        return _Place("", "", "")
    region, city = map(publishable.name, (location.region, location.city))
    return _Place(code, region, city)


def _dates(
    quarters: Small, *, by_month: bool
) -> tuple[list[str], Small, tuple[Numbers, Numbers]]:
    """Name days and months of UTC, and tell of each ban which day it is.

    In the end come the numbers of the days themselves, and of their months.
    """
    of_bans = quarters // _DAY
    days = np.unique(of_bans)
    texts = [str(date.fromordinal(_EPOCH + day)) for day in days.tolist()]
    months = [text[:_MONTH] for text in texts]
    dates, numbers = _ordered([*(months if by_month else texts), *months])
    daily, monthly = numbers.reshape(2, len(days))
    return dates, np.searchsorted(days, of_bans).astype(np.int32), (daily, monthly)


def _ordered(values: Sequence[Any]) -> tuple[list[Any], Numbers]:
    """Give values once each in their order, and the number of each."""
    there = sorted(set(values))
    numbers = {value: number for number, value in enumerate(there)}
    return there, np.array([numbers[value] for value in values], np.int64)
