"""The tables of a report for spreadsheets and scripts: names, columns and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.inert import listed
from f2b_enrich.report import csv_hosts
from f2b_enrich.report.csv_rankings import RANKINGS, rest, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from f2b_enrich.report.figures import Figures, Totals
    from f2b_enrich.report.figures_rankings import Cross, Measure

    Row = Sequence[object]

ALL_HOSTS = "(all)"
"""In the place of a host; no host is called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file: its columns, and what gives its rows."""

    columns: tuple[str, ...]
    rows: Callable[[Figures], Iterable[Row]]


def _report(figures: Figures) -> Iterator[Row]:
    period = figures.period
    yield "version", figures.version
    yield "made_at", figures.made_at
    yield "period", period.label
    yield "since", period.since
    yield "until", period.until
    yield "timezone", period.zone
    yield "period_before", figures.before_label
    yield "top", figures.top
    for each in figures.filters:
        name = f"without_{each.what}" if each.leaves_out else f"only_{each.what}"
        yield name, _names(each.values) or "all"
    yield "several_services", figures.several_services
    yield "names_by_one_address", figures.names.left_out
    yield "looked_up_later_bans", figures.coverage.looked_up_later
    scanners = "left out" if figures.scanners.left_out else "counted"
    yield "known_scanners", scanners


def _findings(figures: Figures) -> Iterator[Row]:
    for number, each in enumerate(figures.findings, start=1):
        yield number, each.kind, each.text


def _totals(figures: Figures) -> Iterator[Row]:
    yield _total("period", figures.totals)
    if figures.before is not None:
        yield _total("before", figures.before)
    scanners = figures.scanners
    yield "with-scanners", *_measure(scanners.everything), *5 * (None,)
    yield "without-scanners", *_measure(scanners.without), *5 * (None,)


def _total(of: str, totals: Totals) -> Row:
    counts = totals.hosts, totals.days, totals.days_covered
    return of, *_measure(totals.measure), *counts, totals.repeats, totals.cidr_bans


def _measure(measure: Measure) -> tuple[int, int, int]:
    return measure.addresses, measure.bans, measure.attempts


def _services(figures: Figures) -> Iterator[Row]:
    base = figures.totals.measure.addresses
    for each in figures.services:
        addresses, bans, attempts = _measure(each.measure)
        percent = _percent(addresses, base)
        yield each.service, addresses, percent, base, bans, attempts, each.note


def _percent(part: int, base: int) -> float | None:
    """Give a part in percent, to two places; of nothing there is none."""
    return round(100 * part / base, 2) if base else None


def _days(figures: Figures) -> Iterator[Row]:
    for each in figures.times.days:
        # No number where nothing was recorded: it would be summed up as a 0.
        is_known = each.state == "data" or each.bans
        yield each.day, each.bans if is_known else None, each.state


def _outages(figures: Figures) -> Iterator[Row]:
    for each in figures.times.outages:
        host = ALL_HOSTS if each.host is None else each.host
        yield host, each.first, each.last, each.days, each.usual


def _hours(figures: Figures) -> Iterator[Row]:
    for weekday, day in enumerate(figures.times.hours, start=1):
        for hour, bans in enumerate(day):
            yield weekday, hour, bans


def _offenders(figures: Figures) -> Iterator[Row]:
    for each in figures.addresses.offenders:
        yield (
            *(each.rank, each.ip, each.bans, each.attempts),
            *(each.host_count, _names(each.hosts), each.jail_count, _names(each.jails)),
            *(each.country_code, each.organisation, each.scanner),
            *(each.first_at, each.last_at, each.first_bantime, each.longest_bantime),
            *(each.neighbours, each.neighbours_bans),
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(listed, names))


def _attacks(figures: Figures) -> Iterator[Row]:
    base = figures.totals.measure.addresses
    for each in figures.attacks.classes:
        percent = round(each.percent, 2)
        yield (
            *(each.attack, each.name, each.addresses, percent, base),
            *(each.bans, each.lines),
        )


def _cross(table: Cross) -> Iterator[Row]:
    rows, columns = dict(table.rows), dict(table.columns)
    for each in table.cells:
        yield (
            *(each.row, rows.get(each.row), each.column, columns.get(each.column)),
            *(each.addresses, each.bans),
        )


def _coverage(figures: Figures) -> Iterator[Row]:
    found = figures.coverage
    base = found.to_city + found.to_country + found.unknown
    parts = (("city", found.to_city), ("country", found.to_country))
    for place, addresses in (*parts, ("unknown", found.unknown)):
        yield place, addresses, _percent(addresses, base), base


def _jails(figures: Figures) -> Iterator[Row]:
    found = figures.jails
    for jails, is_left_out in ((found.jails, False), (found.left_out, True)):
        for each in jails:
            known, left_out = int(each.is_known), int(is_left_out)
            yield each.jail, each.service, known, left_out, each.addresses, each.bans


def _crossed(row: str, column: str, of: Callable[[Figures], Cross]) -> Table:
    return Table(
        columns=(row, f"{row}_name", column, f"{column}_name", "addresses", "bans"),
        rows=lambda figures: _cross(of(figures)),
    )


def _ranked(name: str) -> Table:
    return Table(
        columns=(
            *("service", "rank", "key", "name", "note"),
            *("addresses", "percent", "base", "bans"),
        ),
        rows=lambda figures: shares(figures, name),
    )


TABLES: dict[str, Table] = {
    "report": Table(columns=("name", "value"), rows=_report),
    "findings": Table(columns=("number", "kind", "text"), rows=_findings),
    "totals": Table(
        columns=(
            *("of", "addresses", "bans", "attempts", "hosts", "days"),
            *("days_covered", "repeats", "cidr_bans"),
        ),
        rows=_totals,
    ),
    "services": Table(
        columns=(
            *("service", "addresses", "percent", "base", "bans", "attempts", "note"),
        ),
        rows=_services,
    ),
    **{name: _ranked(name) for name in RANKINGS},
    "not_listed": Table(
        columns=(
            *("table", "service", "base", "count", "listed", "tied_rank"),
            *("tied", "tied_each", "unknown_addresses", "other_bans"),
        ),
        rows=rest,
    ),
    "days": Table(columns=("day", "bans", "state"), rows=_days),
    "outages": Table(
        columns=("host", "first", "last", "days", "usual_bans"), rows=_outages
    ),
    "hours": Table(columns=("weekday", "hour", "bans"), rows=_hours),
    "bans_per_address": Table(
        columns=("bans", "addresses"),
        rows=lambda figures: [
            (each.bans, each.addresses) for each in figures.addresses.banned
        ],
    ),
    "offenders": Table(
        columns=(
            *("rank", "ip", "bans", "attempts", "host_count", "hosts", "jail_count"),
            *("jails", "country_code", "organisation", "scanner", "first_at"),
            *("last_at", "first_bantime_seconds", "longest_bantime_seconds"),
            *("neighbours", "neighbours_bans"),
        ),
        rows=_offenders,
    ),
    "ban_times": Table(
        columns=("number", "bans", "median_seconds", "for_ever"),
        rows=lambda figures: [
            (each.number, each.bans, each.median_seconds, each.for_ever)
            for each in figures.addresses.ban_times
        ],
    ),
    "attacks": Table(
        columns=(
            *("attack", "name", "addresses", "percent", "base", "bans", "log_lines"),
        ),
        rows=_attacks,
    ),
    "attacks_by_country": _crossed(
        "attack", "country", lambda figures: figures.attacks.by_country
    ),
    "attacks_by_service": _crossed(
        "attack", "service", lambda figures: figures.attacks.by_service
    ),
    "countries_by_host": _crossed(
        "country", "host", lambda figures: figures.whom.by_host
    ),
    "countries_by_host_country": _crossed(
        "country", "host_country", lambda figures: figures.whom.by_host_country
    ),
    "hosts": Table(
        columns=("rank", "host", "country_code", "addresses", "bans", "attempts"),
        rows=csv_hosts.hosts,
    ),
    "hosts_services": Table(
        columns=("host", "service", "addresses", "bans"), rows=csv_hosts.services
    ),
    "hosts_days": Table(columns=("host", "day", "bans"), rows=csv_hosts.days),
    "places": Table(
        columns=(
            *("country_code", "country", "region", "city", "latitude", "longitude"),
            *("addresses", "bans"),
        ),
        rows=csv_hosts.places,
    ),
    "user_names": Table(
        columns=("rank", "name", "addresses", "bans"),
        rows=lambda figures: [
            (each.rank, each.name, each.addresses, each.bans)
            for each in figures.names.names
        ],
    ),
    "scanners": Table(
        columns=("name", "addresses", "bans"),
        rows=lambda figures: [
            (each.name, each.addresses, each.bans) for each in figures.scanners.scanners
        ],
    ),
    "places_known": Table(
        columns=("place", "addresses", "percent", "base"), rows=_coverage
    ),
    "sources": Table(
        columns=("source", "addresses", "oldest_at", "newest_at"),
        rows=lambda figures: [
            (each.source, each.addresses, each.oldest_at, each.newest_at)
            for each in figures.coverage.sources
        ],
    ),
    "jails": Table(
        columns=("jail", "service", "is_known", "is_left_out", "addresses", "bans"),
        rows=_jails,
    ),
}
"""All of them, by the names of their files."""
