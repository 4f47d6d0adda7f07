"""Charts of a report, as their specifications and their SVG say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from f2b_enrich.report import (
    charts,
    charts_bars,
    charts_cross,
    charts_map,
    charts_times,
    pictures,
)
from f2b_enrich.report.charts_drawing import Drawing
from tests.report_places import PLACES, placed
from tests.report_sample import COUNTRIES, cross, empty, hostile

if TYPE_CHECKING:
    from f2b_enrich.report.charts import Chart
    from f2b_enrich.report.figures_times import Day

FIGURES = placed()
DAYS = FIGURES.times.days


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing()


def marks(svg: str, kind: str) -> list[ET.Element]:
    """Give the marks of a kind, without those of axes and legends."""
    found = []
    for group in ET.fromstring(svg).iter("g"):  # noqa: S314 - our own
        names = group.get("class", "").split()
        if kind in names and "role-mark" in names:
            found += [one for one in group if one.tag != "g"]
    return found


def test_the_map_has_a_bubble_for_each_place(drawing: Drawing) -> None:
    chart = charts_map.world(FIGURES.world.places)
    bubbles = marks(drawing.svg(chart), "mark-symbol")

    assert len(bubbles) == len(PLACES)
    assert {bubble.get("stroke") for bubble in bubbles} == {charts.HOT}


def test_the_area_of_a_bubble_tells_its_addresses(drawing: Drawing) -> None:
    bubbles = marks(drawing.svg(charts_map.world(FIGURES.world.places)), "mark-symbol")
    radii = [
        float(re.search(r"A([\d.]+),", bubble.get("d", ""))[1])  # type: ignore[index]
        for bubble in bubbles
    ]
    of_one = [
        radius**2 / place.addresses
        for radius, place in zip(radii, FIGURES.world.places, strict=True)
    ]

    assert max(of_one) == pytest.approx(min(of_one), rel=0.02)


def test_where_only_the_country_is_known_the_bubble_is_hollow(
    drawing: Drawing,
) -> None:
    bubbles = marks(drawing.svg(charts_map.world(FIGURES.world.places)), "mark-symbol")
    hollow = [float(bubble.get("fill-opacity", "1")) < 0.2 for bubble in bubbles]

    assert hollow == [not place.city for place in FIGURES.world.places]


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (1, ["1"]),
        (3, ["1", "2", "3"]),
        (28, ["1", "5", "20"]),
        (23_299, ["1,000", "5,000", "20,000"]),
        (3_100_000, ["150,000", "750,000", "3,000,000"]),
    ],
)
def test_the_legend_of_the_map_writes_whole_numbers(
    most: int, told: list[str], drawing: Drawing
) -> None:
    place = replace(FIGURES.world.places[0], addresses=most, bans=most)
    svg = drawing.svg(charts_map.world([place]))

    texts = [one.text for one in ET.fromstring(svg).iter("text")]  # noqa: S314
    assert texts == [*told, "addresses"]


@pytest.mark.parametrize("region", charts_map.REGIONS, ids=lambda one: one.key)
def test_a_region_shows_the_places_that_are_in_it(
    region: charts_map.Region, drawing: Drawing
) -> None:
    inside = [place for place in FIGURES.world.places if region.holds(place)]
    chart = charts_map.region(region, FIGURES.world.places, most=28)

    assert len(marks(drawing.svg(chart), "mark-symbol")) == len(inside)
    assert len(chart.alt.splitlines()) == 1


def test_every_place_of_the_sample_is_in_one_region() -> None:
    for place in FIGURES.world.places:
        assert sum(region.holds(place) for region in charts_map.REGIONS) == 1, place


def test_countries_have_a_bar_each(drawing: Drawing) -> None:
    chart = charts_bars.ranking(
        "countries", FIGURES.everything.countries, noun="country", what="countries"
    )
    svg = drawing.svg(chart)

    assert len(marks(svg, "mark-rect")) == len(COUNTRIES)
    assert "38.7%" in svg
    assert chart.alt == (
        "Bar chart of countries, by addresses: United States 36, Netherlands 22, "
        "Singapore 14 and 3 others"
    )


def test_names_that_are_alike_have_a_bar_each(drawing: Drawing) -> None:
    bar = charts_bars.Bar(name="Example", count=4, label="4")
    chart = charts_bars.bars("x", [bar, bar, bar], noun="host", what="hosts")

    assert len(marks(drawing.svg(chart), "mark-rect")) == 3


def test_a_gap_is_a_field_and_no_bar(drawing: Drawing) -> None:
    svg = drawing.svg(charts_times.by_day(DAYS))
    rects = marks(svg, "mark-rect")

    bars = [one for one in rects if one.get("fill") == charts.MARK]
    gaps = [one for one in rects if one.get("fill") == charts.GAP]
    assert len(bars) == 28
    assert len(gaps) == 1
    assert "no records" in svg


def test_the_words_for_the_days_tell_the_gap() -> None:
    assert charts_times.by_day(DAYS).alt == (
        "Bans by day: most on 2024-10-15 with 12; "
        "grey from 2024-10-12 to 2024-10-14: no records"
    )


def test_days_of_two_years_have_a_bar_each(drawing: Drawing) -> None:
    first = replace(DAYS[0], day=DAYS[0].day.replace(year=2023))
    days = charts_times.by_day([first, DAYS[0]])

    assert len(marks(drawing.svg(days), "mark-rect")) == 2


@pytest.mark.parametrize(
    ("count", "noun", "bars", "most"),
    [
        (92, "day", 92, "most on 2024-04-01 with 91"),
        (366, "week", 53, "most in 2024-12-23 to 2024-12-29 with 2,520"),
        (800, "month", 27, "most in 2026-01 with 23,126"),
    ],
)
def test_a_long_time_has_a_bar_for_each_week_or_month(
    count: int, noun: str, bars: int, most: str, drawing: Drawing
) -> None:
    chart = charts_times.by_day(long(count))
    drawn = [
        one
        for one in marks(drawing.svg(chart), "mark-rect")
        if one.get("fill") == charts.MARK
    ]

    assert chart.alt == f"Bans by {noun}: {most}"
    assert len(drawn) == bars


def test_days_without_records_are_seen_on_the_bar_of_their_week(
    drawing: Drawing,
) -> None:
    days = [
        replace(day, bans=0, state="gap") if 100 <= at < 103 else day
        for at, day in enumerate(long(366))
    ]
    chart = charts_times.by_day(days)
    rects = marks(drawing.svg(chart), "mark-rect")

    assert chart.alt.endswith("grey from 2024-04-10 to 2024-04-12: no records")
    assert [one.get("fill") for one in rects] == [*(53 * [charts.MARK]), charts.GAP]


def long(count: int) -> list[Day]:
    """Give days from the year's first, a ban more on each."""
    first = replace(DAYS[0], day=date(2024, 1, 1), state="data")
    return [
        replace(first, day=first.day + timedelta(days=at), bans=at)
        for at in range(count)
    ]


def test_the_heatmap_has_a_field_for_each_hour_of_the_week(drawing: Drawing) -> None:
    chart = charts_times.by_hour(FIGURES.times)
    fields = marks(drawing.svg(chart), "mark-rect")

    assert len(fields) == 7 * 24
    assert {field.get("fill") for field in fields} == {charts.MARK}


def test_a_matrix_has_a_field_for_each_pair(drawing: Drawing) -> None:
    wanted = cross([("a", "One"), ("b", "Two")], [("x", "Here"), ("y", "There")])
    chart = charts_cross.matrix(
        "whom", wanted, what="Who attacks which host", sides=("country", "host")
    )
    svg = drawing.svg(chart)

    assert len(marks(svg, "mark-rect")) == 4
    for name in ("One", "Two", "Here", "There"):
        assert f">{name}<" in svg
    assert chart.alt.endswith(
        "Two on There 3, One on There 2, Two on Here 2 and 1 other"
    )


def test_a_svg_has_no_colour_but_the_names_of_the_page(drawing: Drawing) -> None:
    for chart in every():
        svg = drawing.svg(chart)
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert used - {"none", "transparent"} <= set(charts.LIGHT), chart.name


def test_pictures_of_one_page_do_not_clip_each_other(drawing: Drawing) -> None:
    for chart in every():
        svg = drawing.svg(chart)
        for clip in re.findall(r'id="([^"]+)"|url\(#([^)]+)\)', svg):
            assert "".join(clip).startswith(f"{chart.name}-")


def test_light_and_dark_name_the_same_colours() -> None:
    assert charts.LIGHT.keys() == charts.DARK.keys()


def test_a_picture_of_a_mail_is_a_png_of_twice_the_width() -> None:
    found = pictures.pictures(FIGURES)

    assert [each.name for each in found] == ["map", "days", "countries"]
    for each in found:
        assert each.png.startswith(b"\x89PNG\r\n\x1a\n")
        assert int.from_bytes(each.png[16:20]) == 1280
        assert len(each.png) < 250_000


def test_a_month_without_bans_has_no_pictures() -> None:
    assert pictures.pictures(empty()) == ()


@pytest.mark.parametrize(
    "text",
    ["</svg><script>alert(1)</script>", "var(--mark)", '\']"+alert(1)+"', "\x1b"],
)
def test_the_text_of_attackers_is_text(text: str, drawing: Drawing) -> None:
    figures = hostile(text)
    chart = charts_bars.ranking(
        "countries", figures.everything.countries, noun="country", what="countries"
    )
    root = ET.fromstring(drawing.svg(chart))  # noqa: S314 - our own

    shown = [one.text for one in root.iter("text")]
    assert shown.count(text.replace("\x1b", "\u241b")) == len(COUNTRIES)
    assert {one.tag for one in root.iter()} <= {
        *("svg", "g", "path", "line", "text", "defs", "clipPath")
    }


def every() -> list[Chart]:
    everything = FIGURES.everything
    return [
        charts_map.world(FIGURES.world.places),
        *(
            charts_map.region(region, FIGURES.world.places, most=28)
            for region in charts_map.REGIONS
        ),
        charts_times.by_day(DAYS),
        charts_times.by_hour(FIGURES.times),
        charts_bars.ranking("c", everything.countries, noun="country", what="them"),
        charts_cross.matrix(
            "m", FIGURES.whom.by_host, what="Who", sides=("country", "host")
        ),
    ]


def test_a_specification_names_no_address_to_fetch() -> None:
    for chart in every():
        text = json.dumps(chart.spec)
        assert "http" not in text
        assert set(re.findall(r'"url": "([^"]*)"', text)) <= {charts_map.OUTLINES}
