"""When: bans by day, with what is missing, and by weekday and hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import charts_times
from f2b_enrich.report import text_times as times
from f2b_enrich.report.page_parts import Section, table
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
    drawn, _ = charts_times.bars_of(days)
    return Section(
        name="days",
        title=f"Bans by {drawn}",
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
        Column("hour"),
        *(Column(name, right=True) for name in times.WEEKDAYS),
        Column("all", right=True),
    )
    counts = [(f"{at:02}:00", of) for at, of in enumerate(zip(*hours, strict=True))]
    counts.append(("all", tuple(map(sum, hours))))
    rows = [[name, *(f"{bans:,}" for bans in (*of, sum(of)))] for name, of in counts]
    return Section(
        name="hours",
        title="Bans by weekday and hour",
        about=f"clock of {figures.period.zone}",
        chart=charts_times.by_hour(figures.times),
        is_broad=True,
        table=table("Bans by weekday and hour", columns, rows),
    )
