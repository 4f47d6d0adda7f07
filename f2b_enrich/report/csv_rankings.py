"""Rankings for spreadsheets and scripts, and what no table lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_rankings import Cross, Ranking, Scope, Tied

    Row = Sequence[object]

RANKINGS = ("countries", "organisations", "cities", "networks")

ALL = "all"
"""In the place of a service."""


def shares(figures: Figures, name: str) -> Iterator[Row]:
    """Give the lines of a kind of ranking, of all bans and of each service."""
    for service, ranking in _rankings(figures, name):
        for each in ranking.shares:
            yield (
                *(service, each.rank, each.key, each.name, each.note),
                *(each.addresses, round(each.percent, 2), ranking.base, each.bans),
            )


def _rankings(figures: Figures, name: str) -> Iterator[tuple[str, Ranking]]:
    for scope in (figures.everything, *figures.services):
        yield scope.service or ALL, _of(scope, name)


def _of(scope: Scope, name: str) -> Ranking:
    return {
        "countries": scope.countries,
        "organisations": scope.organisations,
        "cities": scope.cities,
        "networks": scope.subnets,
    }[name]


def rest(figures: Figures) -> Iterator[Row]:
    """Tell of each table what it leaves out: no list says itself that it is cut."""
    for name in RANKINGS:
        for service, ranking in _rankings(figures, name):
            yield (
                *(name, service, ranking.base, ranking.count, len(ranking.shares)),
                *(*_tied(ranking.tied), ranking.unknown, None),
            )
    found = figures.addresses
    came_back = sum(each.addresses for each in found.banned if each.bans > 1)
    base = sum(each.addresses for each in found.banned)
    listed = len(found.offenders)
    yield "offenders", ALL, base, came_back, listed, *_tied(found.tied), None, None
    names = figures.names
    listed = len(names.names)
    yield "user_names", ALL, names.base, None, listed, *_tied(names.tied), None, None
    hosts, base = figures.hosts, figures.totals.measure.addresses
    listed, tied = len(hosts.hosts), _tied(hosts.tied)
    yield "hosts", ALL, base, hosts.count, listed, *tied, None, None
    places = figures.world
    listed = len(places.places)
    yield "places", ALL, base, listed, listed, *_tied(None), places.unplaced, None
    for name, cross in _crosses(figures):
        yield name, ALL, *7 * (None,), cross.others


def _crosses(figures: Figures) -> Iterator[tuple[str, Cross]]:
    yield "attacks_by_country", figures.attacks.by_country
    yield "attacks_by_service", figures.attacks.by_service
    yield "countries_by_host", figures.whom.by_host
    yield "countries_by_host_country", figures.whom.by_host_country


def _tied(tied: Tied | None) -> tuple[int | None, int | None, int | None]:
    return (None, None, None) if tied is None else (tied.rank, tied.count, tied.each)
