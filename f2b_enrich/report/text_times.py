"""When bans began, as text: by day or week, by weekday and hour."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import heading, paragraph, short, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_times import Day, Outage

_DAYS = 31
_WEEKS = 400
"""So many days are shown one by one, or by weeks; more of them by months."""

_BAR = 30
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_AT_ONCE = 2
_WIDEST = 4
"""Digits of a field by weekday and hour; more are told in thousands."""

TOLD = {
    "data": "",
    "gap": "gap: no records",
    "quiet": "no bans: a gap or a calm, too few to tell",
    "before": "before the records begin",
    "after": "after the records end",
}


class Span(NamedTuple):
    """A day, a week or a month, its bans, and why there may be none."""

    name: str
    bans: int
    state: str
    first: date
    last: date

    @property
    def shown(self) -> str:
        """Write the number, where there is one."""
        return f"{self.bans:,}" if self.bans or self.state == "data" else "-"

    @property
    def told(self) -> str:
        """Say why there is none."""
        return TOLD.get(self.state, self.state)


def by_day(figures: Figures, width: int) -> Iterator[str]:
    """Draw the bans of each day, each week of a quarter, each month of years."""
    days = figures.times.days
    if not days:
        return
    noun, spans = spans_of(days)
    most = max(span.bans for span in spans)
    state = days[0].state
    if state != "data" and all(day.state == state for day in days):
        yield from heading("Bans by day", width=width)
        yield from paragraph(f"All days: {TOLD[state]}", width=width)
        return
    yield from heading(
        f"Bans by {noun}", width=width, about=f"calendar of {figures.period.zone}"
    )
    size = max(len(f"{most:,}"), 4)
    for span in spans:
        bar = "#" * -(-span.bans * _BAR // most) if most else ""
        told = "  ".join(filter(None, (bar, span.told)))
        yield f"  {span.name:<14}  {span.shown:>{size}}  {told}".rstrip()
    for told in outages(figures):
        yield from paragraph(told, width=width)


def spans_of(days: Sequence[Day]) -> tuple[str, list[Span]]:
    """Put days together to weeks or months, so that they can be read; say to what."""
    if len(days) <= _DAYS:
        return "day", each_day(days)
    if len(days) <= _WEEKS:
        weeks = _together(days, lambda day: day.isocalendar()[:2], _named)
        return "week", list(weeks)
    months = _together(
        days, lambda day: (day.year, day.month), lambda day: f"{day:%Y-%m}"
    )
    return "month", list(months)


def each_day(days: Sequence[Day]) -> list[Span]:
    """Give each day by itself."""
    return [
        Span(_named(day.day), day.bans, day.state, day.day, day.day) for day in days
    ]


def _named(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def _together(
    days: Sequence[Day],
    key: Callable[[date], tuple[int, int]],
    name: Callable[[date], str],
) -> Iterator[Span]:
    for _, some in groupby(days, key=lambda day: key(day.day)):
        group = list(some)
        label = name(group[0].day)
        missing = [day for day in group if day.state != "data"]
        states = {day.state for day in missing}
        bans = sum(day.bans for day in group)
        if len(missing) == len(group) and len(states) == 1:
            state: str = missing[0].state
        elif missing:
            state = f"{words.counted(len(missing), 'day')} without records"
        else:
            state = "data"
        yield Span(label, bans, state, group[0].day, group[-1].day)


def outages(figures: Figures) -> Iterator[str]:
    """Name the days without records, of all hosts and of single ones."""
    found = figures.times.outages
    for outage in found[: figures.top]:
        yield outage_told(outage)
    if len(found) > figures.top:
        more = words.counted(len(found) - figures.top, "more gap")
        yield f"and {more} of single hosts or all"


def outage_told(outage: Outage) -> str:
    """Say where there are no records, since when, and what is usual."""
    where = "any host" if outage.host is None else short(outage.host)
    when = (
        f"on {outage.first}"
        if outage.first == outage.last
        else f"from {outage.first} to {outage.last} "
        f"({words.counted(outage.days, 'day')})"
    )
    return f"Gap: no records of {where} {when}; usually {outage.usual:,.1f} bans a day"


def by_hour(figures: Figures, width: int) -> Iterator[str]:
    """Count bans by weekday and two hours of the clock."""
    hours = figures.times.hours
    if not any(map(any, hours)):
        return
    fields = [
        [sum(day[at : at + _AT_ONCE]) for at in range(0, len(day), _AT_ONCE)]
        for day in hours
    ]
    in_thousands = max(map(max, fields)) >= 10**_WIDEST
    yield from heading(
        "Bans by weekday and hour",
        about=f"clock of {figures.period.zone}, two hours a column"
        + (", in thousands" if in_thousands else ""),
        width=width,
    )
    columns = [Column("")] + [
        Column(f"{at:02}", right=True) for at in range(0, 24, _AT_ONCE)
    ]
    columns.append(Column("all", right=True))
    rows = [
        [
            name,
            *(_short(field, in_thousands=in_thousands) for field in (*day, sum(day))),
        ]
        for name, day in zip(WEEKDAYS, fields, strict=True)
    ]
    yield from table(columns, rows, width=width, gap=1)


def _short(count: int, *, in_thousands: bool) -> str:
    if not in_thousands:
        return str(count)
    return f"{count / 1000:.0f}" if count >= 10_000 else f"{count / 1000:.1f}"
