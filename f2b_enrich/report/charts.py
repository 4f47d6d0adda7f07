"""What the charts of a report have in common: their form, colours and type.

A chart is one Vega-Lite specification, from which the page, SVG and PNG are drawn. Its
colours are names, `var(--mark)`: the page's style gives them their values, one for
light and one for dark; a PNG gets those of light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"
LAND, CARD = "var(--land)", "var(--card)"
MARK, HOT, GAP = "var(--mark)", "var(--hot)", "var(--gap)"

LIGHT: Mapping[str, str] = {
    INK: "#1f2933",
    SOFT: "#52606d",
    LINE: "#d9dee4",
    LAND: "#d3dae1",
    CARD: "#ffffff",
    MARK: "#0b6fa4",
    HOT: "#c2410c",
    GAP: "#9aa5b1",
}
"""Blue and vermilion, which the colour-blind tell apart as well (Okabe, Ito)."""

DARK: Mapping[str, str] = {
    INK: "#e6eaee",
    SOFT: "#a9b4bf",
    LINE: "#3a444f",
    LAND: "#3b4652",
    CARD: "#1d232a",
    MARK: "#58b0e3",
    HOT: "#ff9a5c",
    GAP: "#7b8794",
}

WIDTH = 640
"""Pixels of a static chart; one that a script draws takes the width that it finds."""

ROWS = "rows"
NAMES = "names"

_NAMED = 3
"""Names that stand in the words for a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A specification, and in words what it shows, for those who do not see it."""

    name: str
    alt: str
    spec: dict[str, Any]


def config() -> dict[str, Any]:
    """Give what all charts are drawn with."""
    text = {"labelColor": SOFT, "titleColor": SOFT, "labelFontSize": 12}
    return {
        # The words for the whole chart say more than a thousand marks read aloud.
        "aria": False,
        "background": None,
        "font": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
        "padding": 4,
        "text": {"color": INK, "fontSize": 12},
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "domainColor": LINE,
            "gridColor": LINE,
            "tickColor": LINE,
            "labelLimit": 200,
        },
        "legend": {
            **text,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "symbolStrokeColor": SOFT,
        },
    }


def rows(values: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Put the values of a chart in its specification; expressions find them there."""
    return alt.InlineData(values=list(values), name=ROWS)


def room_for_names(pixels: int) -> list[dict[str, Any]]:
    """Give the parameter that holds how wide names may be; phones have less room."""
    return [{"name": NAMES, "value": pixels}]


def shade(field: str, most: int) -> alt.FillOpacity:
    """Fill a field the more, the larger its number; letters on it stay readable."""
    return alt.FillOpacity(
        f"{field}:Q",
        scale=alt.Scale(domain=[0, max(most, 1)], range=[0.04, 0.55]),
        legend=None,
    )


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Write a chart down, without what `config` says of all of them."""
    spec: dict[str, Any] = chart.to_dict()
    for what in ("$schema", "config"):
        spec.pop(what, None)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def listed(counts: Sequence[tuple[str, int]]) -> str:
    """Say the first names with their numbers, and how many more there are."""
    told = ", ".join(f"{short(name)} {count:,}" for name, count in counts[:_NAMED])
    more = len(counts) - _NAMED
    return f"{told} and {words.counted(more, 'other')}" if more > 0 else told
