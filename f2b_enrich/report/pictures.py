"""The pictures of a report for a mail: PNG, light, each with what it shows in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.report import charts_bars, charts_map, charts_times
from f2b_enrich.report.charts_drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.charts import Chart
    from f2b_enrich.report.figures import Figures

_SCALE = 2.0
"""Of 640 pixels, for screens with small ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG of 640 pixels' width, drawn twice as fine; `alt` says what it shows."""

    name: str
    alt: str
    png: bytes


def pictures(figures: Figures) -> tuple[Picture, ...]:
    """Draw the map, the days and the countries, those of them that show anything."""
    drawing = Drawing()
    return tuple(
        Picture(name=each.name, alt=each.alt, png=drawing.png(each, scale=_SCALE))
        for each in _charts(figures)
    )


def _charts(figures: Figures) -> Iterator[Chart]:
    if figures.world.places:
        yield charts_map.world(figures.world.places)
    if any(day.bans for day in figures.times.days):
        yield charts_times.by_day(figures.times.days)
    if figures.everything.countries.shares:
        yield charts_bars.ranking(
            "countries",
            figures.everything.countries,
            noun="country",
            what="countries",
        )
