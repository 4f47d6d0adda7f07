"""Bars: who is first, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import altair as alt

from f2b_enrich.report import charts
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts import Chart
from f2b_enrich.report.text_layout import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.report.figures_rankings import Ranking

_STEP = 24
_NAMES = 190
"""Pixels that a name may take before the bar; the table has all of it."""

_MOST = 30
"""Bars of a picture; the table beside it has all of them."""

_ROOM = 92
"""Pixels behind the longest bar, for its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A name, its number, and how the number is shown; `more` is told on pointing."""

    name: str
    count: int
    label: str
    more: str = ""


def ranking(name: str, wanted: Ranking, *, noun: str, what: str) -> Chart:
    """Draw the first of a ranking, each with its percentage of the base."""
    told = [
        Bar(
            name=share.name,
            count=share.addresses,
            label=f"{share.addresses:,} ({words.percent(share.percent)})",
            more=words.counted(share.bans, "ban"),
        )
        for share in wanted.shares[:_MOST]
    ]
    return bars(name, told, noun=noun, what=what)


def bars(
    name: str, bars: Sequence[Bar], *, noun: str, what: str, unit: str = "addresses"
) -> Chart:
    """Draw a bar for each name, in their order; `unit` is what is counted."""
    values = [
        # Names may be alike, or alike once they are cut.
        {
            "at": at,
            "name": short(bar.name),
            "count": bar.count,
            "label": bar.label,
            "more": bar.more,
        }
        for at, bar in enumerate(bars)
    ]
    most = max((bar.count for bar in bars), default=1)
    across = alt.X(
        "count:Q",
        axis=None,
        scale=alt.Scale(
            domain=[0, most or 1], rangeMax=alt.ExprRef(f"max(20, width - {_ROOM})")
        ),
    )
    down = alt.Y(
        "at:O",
        sort=None,
        axis=alt.Axis(
            title=None,
            domain=False,
            ticks=False,
            labelPadding=8,
            labelLimit=alt.ExprRef(charts.NAMES),
            labelColor=charts.INK,
            labelExpr=f"data('{charts.ROWS}')[datum.value].name",
        ),
    )
    tooltip = [alt.Tooltip("name:N", title=noun), alt.Tooltip("count:Q", title=unit)]
    tooltip[1]["format"] = ","
    if any(bar.more for bar in bars):
        tooltip.append(alt.Tooltip("more:N", title="of them"))
    base = alt.Chart(charts.rows(values)).encode(y=down, x=across, tooltip=tooltip)
    drawn = base.mark_bar(color=charts.MARK, cornerRadiusEnd=3, height={"band": 0.72})
    text = base.mark_text(align="left", dx=6, color=charts.SOFT).encode(text="label:N")
    chart = alt.layer(drawn, text).properties(
        width=charts.WIDTH, height=_STEP * len(values)
    )
    told = charts.listed([(bar.name, bar.count) for bar in bars])
    spec = charts.specification(chart)
    spec["params"] = charts.room_for_names(_NAMES)
    return Chart(name=name, alt=f"Bar chart of {what}, by {unit}: {told}", spec=spec)
