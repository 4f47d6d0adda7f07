"""Tables of two sides as fields, darker with more addresses."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import altair as alt

from f2b_enrich.report import charts
from f2b_enrich.report.charts import Chart
from f2b_enrich.report.text_layout import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from f2b_enrich.report.figures_rankings import Cell, Cross

_STEP = 28
_NAMES = 170
_HEAD = 160
_SLANTED = 64
"""Pixels of the last slanting name, right of the fields."""

_DIGIT = 8
"""Pixels of a digit; in fields that are narrower than their numbers are none."""

_SIGNS = 5
"""Of the longest number, 12.3k."""

_UPRIGHT = "upright"
"""The parameter that names over the fields stand upright; a phone's script sets it."""

_MOST_ROWS = 30
"""Of a picture; the table beside it has all of them."""

_PLAIN: dict[str, Any] = {"domain": False, "ticks": False, "labelColor": charts.INK}


def matrix(
    name: str, wanted: Cross, *, what: str, sides: tuple[str, str], between: str = "on"
) -> Chart:
    """Draw the fields of a table, each with its number; `sides` say what they are."""
    rows, columns = wanted.rows[:_MOST_ROWS], wanted.columns
    found = {(cell.row, cell.column): cell for cell in wanted.cells}
    values = _fields(found, rows, columns)
    most = max((cell.addresses for cell in found.values()), default=1)
    x, y = _sides(len(columns))
    base = alt.Chart(charts.rows(values)).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("from:N", title=sides[0]),
            alt.Tooltip("to:N", title=sides[1]),
            alt.Tooltip("addresses:Q", format=","),
            alt.Tooltip("bans:Q", format=","),
        ],
    )
    fields = base.mark_rect(color=charts.MARK, cornerRadius=2).encode(
        fillOpacity=charts.shade("addresses", most)
    )
    needed = _DIGIT * min(len(str(most)), _SIGNS)
    numbers = (
        base.transform_filter("datum.addresses > 0")
        .mark_text(
            color=charts.INK,
            opacity=alt.ExprRef(f"bandwidth('x') < {needed} ? 0 : 1"),
        )
        .encode(text=alt.Text("addresses:Q", format=_format(most)))
    )
    chart = alt.layer(fields, numbers).properties(
        width=charts.WIDTH, height=_STEP * len(rows)
    )
    spec = charts.specification(chart)
    spec["params"] = [
        *charts.room_for_names(_NAMES),
        {"name": _UPRIGHT, "value": False},
    ]
    spec["padding"] = {"left": 4, "top": 4, "right": _SLANTED, "bottom": 4}
    told = _told(wanted, between)
    return Chart(
        name=name, alt=f"{what}, darker with more addresses: {told}", spec=spec
    )


def _fields(
    found: Mapping[tuple[str, str], Cell],
    rows: Sequence[tuple[str, str]],
    columns: Sequence[tuple[str, str]],
) -> list[dict[str, Any]]:
    values = []
    for (at, row), (across, column) in product(enumerate(rows), enumerate(columns)):
        cell = found.get((row[0], column[0]))
        values.append(
            {
                "row": at,
                "column": across,
                "from": short(row[1]),
                "to": short(column[1]),
                "addresses": cell.addresses if cell else 0,
                "bans": cell.bans if cell else 0,
            }
        )
    return values


def _sides(columns: int) -> tuple[alt.X, alt.Y]:
    """Name what is above the fields and what is left of them."""
    x = alt.X(
        "column:O",
        title=None,
        sort=None,
        scale=alt.Scale(paddingInner=0.03),
        axis=alt.Axis(
            orient="top",
            labelAngle=alt.ExprRef(f"{_UPRIGHT} ? -90 : -35"),
            labelBaseline=alt.ExprRef(f"{_UPRIGHT} ? 'middle' : 'bottom'"),
            labelAlign="left",
            labelLimit=_HEAD,
            labelOverlap=False,
            labelExpr=f"data('{charts.ROWS}')[datum.value].to",
            **_PLAIN,
        ),
    )
    y = alt.Y(
        "row:O",
        title=None,
        sort=None,
        scale=alt.Scale(paddingInner=0.06),
        axis=alt.Axis(
            labelLimit=alt.ExprRef(charts.NAMES),
            labelExpr=f"data('{charts.ROWS}')[datum.value * {columns}].from",
            **_PLAIN,
        ),
    )
    return x, y


def _told(wanted: Cross, between: str) -> str:
    names_of, names_to = dict(wanted.rows), dict(wanted.columns)
    in_order = sorted(wanted.cells, key=lambda cell: -cell.addresses)
    return charts.listed(
        [
            (f"{names_of[cell.row]} {between} {names_to[cell.column]}", cell.addresses)
            for cell in in_order
        ]
    )


def _format(most: int) -> str:
    return ".3~s" if most >= 10_000 else ",d"
