"""Hosts and places for spreadsheets and scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from f2b_enrich.report.figures import Figures

    Row = Sequence[object]


def hosts(figures: Figures) -> Iterator[Row]:
    """Give the hosts that are listed."""
    for each in figures.hosts.hosts:
        measure = each.measure
        yield (
            *(each.rank, each.host, each.country_code),
            *(measure.addresses, measure.bans, measure.attempts),
        )


def services(figures: Figures) -> Iterator[Row]:
    """Give the services of each."""
    for each in figures.hosts.hosts:
        for of in each.services:
            yield each.host, of.service, of.addresses, of.bans


def days(figures: Figures) -> Iterator[Row]:
    """Give the days of each, without a number where nothing was recorded."""
    silent = _silent(figures)
    for each in figures.hosts.hosts:
        for day, bans in zip(figures.times.days, each.days, strict=True):
            is_known = bans or (
                day.state == "data" and day.day not in silent.get(each.host, set())
            )
            yield each.host, day.day, bans if is_known else None


def _silent(figures: Figures) -> dict[str | None, set[date]]:
    silent: dict[str | None, set[date]] = {}
    for gap in figures.times.outages:
        silent.setdefault(gap.host, set()).update(
            gap.first + timedelta(days=number) for number in range(gap.days)
        )
    return silent


def places(figures: Figures) -> Iterator[Row]:
    """Give the places of the map."""
    for each in figures.world.places:
        yield (
            *(each.country_code, each.country, each.region, each.city),
            *(each.latitude, each.longitude, each.addresses, each.bans),
        )
