"""When: bans by day, with what is missing, and by weekday and hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import charts_times
from f2b_enrich.report import text_times as times
from f2b_enrich.report.page_parts import Section, Table, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures


def when(figures: Figures) -> Section:
    """Show days and hours."""
    return Section(name="when", title="When", parts=(_days(figures), _hours(figures)))


def _days(figures: Figures) -> Section:
    days = figures.times.days
    if not days:
        return Section(name="days", title="Bans by day")
    if days[0].state != "data" and len({day.state for day in days}) == 1:
        told = f"All days: {times.TOLD[days[0].state]}"
        return Section(name="days", title="Bans by day", texts=(told,))
    noun, spans = times.spans_of(days)
    rows = [[span.name, span.shown, span.told] for span in spans]
    columns = [Column(noun), Column("bans", right=True)]
    if any(row[2] for row in rows):
        columns.append(Column(""))
    rows = [row[: len(columns)] for row in rows]
    return Section(
        name="days",
        title="Bans by day",
        about=f"calendar of {figures.period.zone}",
        chart=charts_times.by_day(days),
        table=table(f"Bans by {noun}", tuple(columns), rows),
        notes=tuple(times.outages(figures)),
    )


def _hours(figures: Figures) -> Section:
    hours = figures.times.hours
    if not any(map(any, hours)):
        return Section(name="hours", title="Bans by weekday and hour")
    columns = (
        Column("weekday"),
        *(Column(f"{at:02}", right=True) for at in range(24)),
        Column("all", right=True),
    )
    rows = tuple(
        (name, *(f"{bans:,}" for bans in (*row, sum(row))))
        for name, row in zip(times.WEEKDAYS, hours, strict=True)
    )
    return Section(
        name="hours",
        title="Bans by weekday and hour",
        about=f"clock of {figures.period.zone}, an hour a column",
        chart=charts_times.by_hour(figures.times),
        is_broad=True,
        table=Table(
            caption="Bans by weekday and hour",
            columns=columns,
            rows=rows,
            is_wide=True,
        ),
    )
