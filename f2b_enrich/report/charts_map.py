"""The map of the world, and of its regions: a bubble for each place."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import altair as alt

from f2b_enrich.report import charts
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts import Chart
from f2b_enrich.report.text_layout import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.report.figures_places import Place

OUTLINES = "world.json"
"""Of the package world-atlas; NOTICE says whose it is."""

_HEIGHT = 0.46
"""Of the width: what the projection needs of the inhabited world."""

_MIDDLE = 0.2645
"""Of the width: how far down the equator is."""

_ANTARCTICA = "010"
_LARGEST, _LARGEST_OF_REGION = "width * width / 270", "width * width / 160"
"""Square pixels of the largest bubble; the area tells the addresses."""

_OF_CITY = 0.4
"""How much a bubble covers; one of a country alone covers less."""

_LEGEND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the world, in degrees; east of 180 is written so."""

    key: str
    name: str
    west: float
    east: float
    south: float
    north: float

    def holds(self, place: Place) -> bool:
        """Tell whether a place is within the picture."""
        longitude = place.longitude + (360 if place.longitude < self.west else 0)
        return (
            self.west <= longitude <= self.east
            and self.south <= place.latitude <= self.north
        )


REGIONS = (
    Region(key="europe", name="Europe", west=-12, east=42, south=34, north=66),
    Region(
        key="north-america",
        name="North America",
        west=-130,
        east=-58,
        south=13,
        north=57,
    ),
    Region(
        key="south-america",
        name="South America",
        west=-84,
        east=-33,
        south=-46,
        north=13,
    ),
    Region(key="africa", name="Africa", west=-20, east=54, south=-36, north=38),
    Region(key="asia", name="Asia", west=42, east=148, south=-10, north=56),
    Region(key="oceania", name="Oceania", west=110, east=182, south=-48, north=2),
)


def outlines() -> dict[str, Any]:
    """Read the outlines of all countries, TopoJSON."""
    text = resources.files("f2b_enrich.report").joinpath(OUTLINES).read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    # Their names are not shown, and both sets are drawn from the same lines.
    countries = found["objects"]["countries"]
    for each in countries["geometries"]:
        each.pop("properties", None)
    found["objects"] = {"countries": countries}
    return found


def world(places: Sequence[Place]) -> Chart:
    """Draw all places; the parameters zoom and move it where a script runs."""
    height = round(charts.WIDTH * _HEIGHT)
    projection = alt.Projection(
        type="naturalEarth1",
        # The whole width is 5.47 times the scale of this projection.
        scale=alt.ExprRef("zoom * width / 5.5"),
        translate=alt.ExprRef(
            "[width / 2 + zoom * shift_x * width,"
            f" {_MIDDLE} * width + zoom * shift_y * width]"
        ),
    )
    spec = _map(places, projection, size=(charts.WIDTH, height))
    spec["params"] = [
        {"name": "zoom", "value": 1},
        {"name": "shift_x", "value": 0},
        {"name": "shift_y", "value": 0},
    ]
    return Chart(name="map", alt=f"World map: {_told(places)}", spec=spec)


def region(wanted: Region, places: Sequence[Place], most: int) -> Chart:
    """Draw one region; `most` are the addresses of the world's largest bubble."""
    width, height = 480, 360
    top, bottom = _mercator(wanted.north), _mercator(wanted.south)
    across = math.radians(wanted.east - wanted.west)
    scale = min(width / across, height / (top - bottom))
    middle = math.degrees(math.atan(math.sinh((top + bottom) / 2)))
    projection = alt.Projection(
        type="mercator",
        scale=scale,
        rotate=[-(wanted.west + wanted.east) / 2, 0, 0],
        center=[0, middle],
        translate=[width / 2, height / 2],
        # What lies outside would be most of the picture's bytes.
        clipExtent=[[0, 0], [width, height]],
    )
    inside = [place for place in places if wanted.holds(place)]
    spec = _map(
        inside,
        projection,
        size=(width, height),
        most=most,
        has_legend=False,
    )
    return Chart(
        name=f"map-{wanted.key}",
        alt=f"Map of {wanted.name}: {_told(inside)}",
        spec=spec,
    )


def _mercator(latitude: float) -> float:
    return math.asinh(math.tan(math.radians(latitude)))


def _told(places: Sequence[Place]) -> str:
    if not places:
        return "no address"
    counts = [(name_of(place), place.addresses) for place in places]
    bubbles = words.counted(len(places), "bubble")
    return f"{bubbles} by unique addresses: {charts.listed(counts)}"


def name_of(place: Place) -> str:
    """Write the city with its country, or the country alone."""
    names = [place.city, place.country] if place.city else [place.country]
    return short(", ".join(filter(None, names)) or place.country_code)


def _map(
    places: Sequence[Place],
    projection: alt.Projection,
    *,
    size: tuple[int, int],
    most: int = 0,
    has_legend: bool = True,
) -> dict[str, Any]:
    width, height = size
    most = most or max((place.addresses for place in places), default=1)
    layers = [
        alt.Chart(_countries())
        .transform_filter(f"datum.id !== '{_ANTARCTICA}'")
        .mark_geoshape(
            fill=charts.LAND, stroke=charts.CARD, strokeWidth=0.6, clip=True
        ),
        _bubbles(places, most, has_legend=has_legend),
    ]
    chart = alt.layer(*layers).properties(
        width=width, height=height, projection=projection
    )
    spec = charts.specification(chart)
    spec["autosize"] = {"type": "none"}
    spec["padding"] = 0
    return spec


def _countries() -> alt.UrlData:
    return alt.UrlData(
        url=OUTLINES, format=alt.TopoDataFormat(type="topojson", feature="countries")
    )


def _bubbles(places: Sequence[Place], most: int, *, has_legend: bool) -> alt.Chart:
    largest = _LARGEST if has_legend else _LARGEST_OF_REGION
    values = [
        {
            "name": name_of(place),
            "addresses": place.addresses,
            "bans": place.bans,
            "x": round(place.longitude, 3),
            "y": round(place.latitude, 3),
            "is": "city" if place.city else "country alone known",
        }
        for place in places
    ]
    legend = alt.Legend(
        title="addresses",
        orient="none",
        legendX=12,
        legendY=alt.ExprRef("height - 60 - width / 12"),
        direction="vertical",
        values=_steps(most),
        format=",d",
        symbolOpacity=_OF_CITY,
    )
    bubbles: alt.Chart = (
        alt.Chart(charts.rows(values))
        .mark_circle(
            color=charts.HOT, stroke=charts.HOT, strokeWidth=1, opacity=1, clip=True
        )
        .encode(
            longitude="x:Q",
            latitude="y:Q",
            size=alt.Size(
                "addresses:Q",
                scale=alt.Scale(
                    domain=[0, most], rangeMin=0, rangeMax=alt.ExprRef(largest)
                ),
                legend=legend if has_legend else None,
            ),
            fillOpacity=alt.condition(
                "datum.is == 'city'", alt.value(_OF_CITY), alt.value(0.08)
            ),
            tooltip=[
                alt.Tooltip("name:N", title="place"),
                alt.Tooltip("addresses:Q", format=","),
                alt.Tooltip("bans:Q", format=","),
                alt.Tooltip("is:N", title="as exact as"),
            ],
        )
    )
    return bubbles


def _steps(most: int) -> list[int]:
    """Give round numbers up to the most, for the legend."""
    if most < 4:
        return list(range(1, most + 1))
    size = 10 ** (len(str(most)) - 1)
    top = most // size * size
    steps = {top, max(1, top // 4), max(1, top // 20)}
    return sorted(steps)[-_LEGEND:]
