"""Bans by day, with what was not recorded, and by weekday and hour."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import altair as alt

from f2b_enrich.report import charts
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts import Chart
from f2b_enrich.report.text_times import TOLD, WEEKDAYS, each_day, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from f2b_enrich.report.figures_times import Day, Times
    from f2b_enrich.report.text_times import Span

_HEIGHT = 180
_STEP = 26
_FEW = 62
_MOST_DAYS = 100
"""So many days have a bar each, those of a quarter at least."""

_DAYS = timedelta(days=1)
_READABLE = 0.04
"""Of the width: what a field needs to have a word in it."""

_SHORT = {
    "gap": "no records",
    "quiet": "gap or calm",
    "before": "before the records",
    "after": "after the records",
}


def by_day(
    days: Sequence[Day],
    *,
    name: str = "days",
    what: str = "Bans",
    height: int = _HEIGHT,
) -> Chart:
    """Draw a bar for each day, or for each week or month of more than a quarter.

    Days that nothing is known of are a grey field.
    """
    noun, spans = bars_of(days)
    begins, ends = _across(len(days))
    gaps = list(_gaps(days))
    bars = (
        alt.Chart(charts.rows(_bars(spans, noun)))
        .mark_rect(color=charts.MARK, **_edge(len(spans)))
        .encode(
            x=begins,
            x2=ends,
            y=_up(spans),
            y2=alt.Y2Datum(0),
            tooltip=[
                alt.Tooltip("when:N", title=noun),
                alt.Tooltip("bans:Q", format=","),
            ],
        )
    )
    fields = (
        alt.Chart(alt.InlineData(values=gaps, name="gaps"))
        .mark_rect(color=charts.GAP, opacity=0.28)
        .encode(x=begins, x2=ends, tooltip=[alt.Tooltip("told:N", title="grey")])
    )
    wide = [gap for gap in gaps if gap["wide"]]
    told = (
        alt.Chart(alt.InlineData(values=wide, name="wide"))
        .mark_text(angle=270, align="left", color=charts.SOFT, fontSize=12)
        .encode(x=alt.X("middle:T"), y=alt.value(height - 8), text="short:N")
    )
    # A week's bar stands where some of its days are not known: they are shown on it.
    chart = alt.layer(bars, fields, told).properties(width=charts.WIDTH, height=height)
    return Chart(
        name=name,
        alt=f"{what} by {noun}: {_told(spans, noun, gaps)}",
        spec=charts.specification(chart),
    )


def _bars(spans: Sequence[Span], noun: str) -> list[dict[str, Any]]:
    return [
        {
            "from": _utc(span.first),
            "to": _utc(span.last + _DAYS),
            "when": _when(span, noun),
            "bans": span.bans,
        }
        for span in spans
        if span.state == "data" or span.bans
    ]


def _across(days: int) -> tuple[alt.X, alt.X2]:
    # Whole days of UTC, whatever the clock of the browser.
    begins, ends = alt.X("from:T", title=None), alt.X2("to:T")
    begins["scale"] = alt.Scale(type="utc", nice=False)
    begins["axis"] = alt.Axis(
        format="%-d %b" if days <= 400 else "%b %Y",
        grid=False,
        labelOverlap=True,
        tickCount={"interval": "day", "step": 7} if days <= _FEW else 8,
    )
    return begins, ends


def _up(spans: Sequence[Span]) -> alt.Y:
    most = max((span.bans for span in spans), default=0)
    return alt.Y(
        "bans:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(most, 1)], nice=True),
        axis=alt.Axis(tickCount=4, format="~s" if most >= 10_000 else ",d"),
    )


def bars_of(days: Sequence[Day]) -> tuple[str, list[Span]]:
    """Give what has a bar each, and say what it is: a day, a week or a month."""
    return ("day", each_day(days)) if len(days) <= _MOST_DAYS else spans_of(days)


def _when(span: Span, noun: str) -> str:
    return f"{span.first} to {span.last}" if noun == "week" else span.name


def _edge(bars: int) -> dict[str, Any]:
    """Set bars apart, where they are wide enough."""
    return {"stroke": charts.CARD, "strokeWidth": 1} if bars <= _FEW else {}


def _gaps(days: Sequence[Day]) -> Iterator[dict[str, Any]]:
    for state, some in groupby(days, key=lambda day: "" if day.bans else day.state):
        if state in {"", "data"}:
            continue
        group = list(some)
        first, last = group[0].day, group[-1].day
        when = f"{first}" if first == last else f"{first} to {last}"
        noon = "12" if len(group) % 2 else "00"
        yield {
            "from": _utc(first),
            "to": _utc(last + _DAYS),
            "middle": f"{first + len(group) // 2 * _DAYS}T{noon}:00:00Z",
            "wide": len(group) > _READABLE * len(days),
            "short": _SHORT[state],
            "told": f"{when}: {TOLD[state].removeprefix('gap: ')}",
        }


def _told(spans: Sequence[Span], noun: str, gaps: Sequence[dict[str, Any]]) -> str:
    known = [span for span in spans if span.state == "data" or span.bans]
    if not known:
        return "no records"
    most = max(known, key=lambda span: span.bans)
    when = f"on {most.first}" if noun == "day" else f"in {_when(most, noun)}"
    told = f"most {when} with {most.bans:,}"
    if gaps:
        told += f"; grey from {'; '.join(gap['told'] for gap in gaps[:3])}"
    return told


def _utc(day: date) -> str:
    return f"{day}"  # a date alone is read as UTC, a time without zone is not


def by_hour(times: Times) -> Chart:
    """Draw a field for each hour of each weekday, darker with more bans."""
    most, weekday, hour = max(
        (
            (bans, -weekday, -hour)
            for weekday, row in enumerate(times.hours)
            for hour, bans in enumerate(row)
        )
    )
    chart = (
        alt.Chart(charts.rows(_fields(times)))
        .mark_rect(color=charts.MARK, cornerRadius=2)
        .encode(
            x=alt.X(
                "hour:O",
                title=None,
                scale=alt.Scale(paddingInner=0.06),
                axis=alt.Axis(
                    domain=False,
                    ticks=False,
                    labelAngle=0,
                    labelExpr="datum.value % (width < 420 ? 6 : 3)"
                    " ? '' : datum.label + ':00'",
                    labelOverlap=False,
                ),
            ),
            y=alt.Y(
                "weekday:O",
                title=None,
                sort=list(WEEKDAYS),
                scale=alt.Scale(paddingInner=0.08),
                axis=alt.Axis(domain=False, ticks=False, labelColor=charts.INK),
            ),
            fillOpacity=charts.shade("bans", most),
            tooltip=[
                alt.Tooltip("weekday:N"),
                alt.Tooltip("from:N", title="hour"),
                alt.Tooltip("bans:Q", format=","),
            ],
        )
        .properties(width=charts.WIDTH, height=_STEP * len(WEEKDAYS))
    )
    when = f"{WEEKDAYS[-weekday]} from {_clock(-hour)}"
    return Chart(
        name="hours",
        alt="Bans by weekday and hour, darker with more: "
        f"most on {when}, {words.counted(most, 'ban')}",
        spec=charts.specification(chart),
    )


def _fields(times: Times) -> list[dict[str, Any]]:
    return [
        {
            "weekday": WEEKDAYS[weekday],
            "hour": hour,
            "bans": bans,
            "from": _clock(hour),
        }
        for weekday, row in enumerate(times.hours)
        for hour, bans in enumerate(row)
    ]


def _clock(hour: int) -> str:
    return f"{hour:02}:00 to {hour:02}:59"
