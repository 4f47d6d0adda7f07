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

    from f2b_enrich.report.figures import Day, Figures, Outage

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


class _Span(NamedTuple):
    """A day, a week or a month, its bans, and why there may be none."""

    name: str
    bans: int
    state: str


def by_day(figures: Figures, width: int) -> Iterator[str]:
    """Draw the bans of each day, each week of a quarter, each month of years."""
    days = figures.times.days
    if not days:
        return
    noun, spans = _spans(days)
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
        shown = f"{span.bans:,}" if span.bans or span.state == "data" else "-"
        told = "  ".join(filter(None, (bar, TOLD.get(span.state, span.state))))
        yield f"  {span.name:<14}  {shown:>{size}}  {told}".rstrip()
    yield from _outages(figures, width)


def _spans(days: Sequence[Day]) -> tuple[str, list[_Span]]:
    if len(days) <= _DAYS:
        return "day", [_Span(_named(day.day), day.bans, day.state) for day in days]
    if len(days) <= _WEEKS:
        weeks = _together(days, lambda day: day.isocalendar()[:2], _named)
        return "week", list(weeks)
    months = _together(
        days, lambda day: (day.year, day.month), lambda day: f"{day:%Y-%m}"
    )
    return "month", list(months)


def _named(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def _together(
    days: Sequence[Day],
    key: Callable[[date], tuple[int, int]],
    name: Callable[[date], str],
) -> Iterator[_Span]:
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
        yield _Span(label, bans, state)


def _outages(figures: Figures, width: int) -> Iterator[str]:
    outages = figures.times.outages
    for outage in outages[: figures.top]:
        yield from paragraph(_outage(outage), width=width)
    if len(outages) > figures.top:
        more = words.counted(len(outages) - figures.top, "more gap")
        yield from paragraph(f"and {more} of single hosts or all", width=width)


def _outage(outage: Outage) -> str:
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
