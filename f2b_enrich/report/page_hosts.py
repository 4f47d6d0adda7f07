"""Each host by itself: who attacked it, when, and on what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.report import charts_times
from f2b_enrich.report import text_hosts as told_hosts
from f2b_enrich.report import text_rankings as rankings
from f2b_enrich.report import text_words as words
from f2b_enrich.report.page_parts import Section, table
from f2b_enrich.report.page_where import ranking
from f2b_enrich.report.text_layout import short
from f2b_enrich.report.text_times import outage_told
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_places import HostFigures
    from f2b_enrich.report.figures_times import Day

_HEIGHT = 90
_DRAWN = 40
"""Hosts with a chart; each takes some time to draw, and the numbers are there."""

_HOSTS = (
    *(Column("rank", right=True), Column("host"), Column("country")),
    *(Column("addresses", right=True), Column("bans", right=True)),
    Column("attempts", right=True),
)
_SERVICES = (
    Column("service"),
    *(Column("addresses", right=True), Column("bans", right=True)),
)


def hosts(figures: Figures) -> Section:
    """Compare the hosts, and give each a section of its own."""
    found = figures.hosts
    return Section(
        name="hosts",
        title="Hosts",
        about=told_hosts.about(figures) if found.hosts else "",
        table=table(
            "Hosts by unique addresses",
            _HOSTS,
            [_row(host) for host in found.hosts],
            head=1,
        ),
        notes=tuple(told_hosts.more(found)),
        parts=tuple(
            _host(figures, host, f"host-{number}", is_drawn=number <= _DRAWN)
            for number, host in enumerate(found.hosts, start=1)
        ),
    )


def _row(host: HostFigures) -> list[str]:
    measure = host.measure
    return [
        *(f"{host.rank:,}", host.host, host.country_code or "not known"),
        *(f"{measure.addresses:,}", f"{measure.bans:,}", f"{measure.attempts:,}"),
    ]


def _host(figures: Figures, host: HostFigures, name: str, *, is_drawn: bool) -> Section:
    measure = host.measure
    days = list(_days(figures, host))
    chart = None
    if is_drawn and any(day.bans for day in days):
        chart = charts_times.by_day(
            days,
            name=f"{name}-days",
            what=f"Bans of {short(host.host)}",
            height=_HEIGHT,
        )
    where = f" in {host.country_code}" if host.country_code else ""
    services = [
        [words.service(each.service), f"{each.addresses:,}", f"{each.bans:,}"]
        for each in host.services
    ]
    kinds = (
        (rankings.COUNTRY, host.countries),
        (rankings.ORGANISATION, host.organisations),
    )
    return Section(
        name=name,
        title=f"{host.host}{where}",
        about=f"{words.counted(measure.bans, 'ban')} of "
        f"{words.counted(measure.addresses, 'address')}, "
        f"{words.counted(measure.attempts, 'attempt')}",
        chart=chart,
        table=table(f"Services of {host.host}", _SERVICES, services),
        notes=tuple(
            outage_told(outage)
            for outage in figures.times.outages
            if outage.host == host.host
        ),
        parts=tuple(
            ranking(f"{name}-{kind.noun}", kind, of, is_drawn=False)
            for kind, of in kinds
        ),
    )


def _days(figures: Figures, host: HostFigures) -> Iterator[Day]:
    """Give the days of one host; its own gaps are gaps as those of all."""
    gaps = [one for one in figures.times.outages if one.host == host.host]
    for day, bans in zip(figures.times.days, host.days, strict=False):
        is_gap = any(gap.first <= day.day <= gap.last for gap in gaps)
        yield replace(day, bans=bans, state="gap" if is_gap else day.state)
