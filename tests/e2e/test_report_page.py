"""The page of a report as its readers have it, in Debian's Chromium.

With `--basetemp FOLDER -o tmp_path_retention_policy=all` pictures of it stay there.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from itertools import pairwise, product
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from f2b_enrich.report.as_html import page as write
from f2b_enrich.report.figures_rankings import Cell
from tests.browser import Browser
from tests.report_places import PLACES, placed
from tests.report_sample import COUNTRIES, cross, empty, hostile, worst

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from f2b_enrich.report.figures import Figures
    from tests.browser import Opened

MARKS = """name => document.querySelectorAll(
  `#chart-${name} svg .role-mark.${name === "map" ? "mark-symbol" : "mark-rect"} > path`
).length"""
ATTACK = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="module")
def html() -> str:
    return write(placed(), zone=UTC)


@contextmanager
def read(browser: Browser, html: str, **more: object) -> Iterator[Opened]:
    """Open a page and scroll through it, so that each chart is drawn."""
    with browser.open(html, **more) as opened:  # type: ignore[arg-type]
        page = opened.page
        boxes = page.locator("[data-chart]")
        for at in range(boxes.count()):
            boxes.nth(at).scroll_into_view_if_needed()
        page.wait_for_function(
            "() => document.querySelectorAll('[data-chart]:not(.live)').length === 0"
        )
        yield opened


def test_charts_have_a_mark_for_each_number(browser: Browser, html: str) -> None:
    with read(browser, html) as opened:
        assert opened.page.evaluate(MARKS, "map") == len(PLACES)
        assert opened.page.evaluate(MARKS, "countries") == len(COUNTRIES)
        assert opened.page.evaluate(MARKS, "hours") == 7 * 24
        assert opened.page.evaluate(MARKS, "whom-hosts") == len(COUNTRIES) * 3
        days = opened.page.locator("#chart-days path[fill='var(--mark)']").count()
        gaps = opened.page.locator("#chart-days path[fill='var(--gap)']").count()
        assert (days, gaps) == (28, 1)


@pytest.mark.parametrize("width", [360, 900])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_reads_well(
    *, width: int, dark: bool, browser: Browser, html: str, album: Path
) -> None:
    picture = album / f"report-{width}-{'dark' if dark else 'light'}.png"
    with read(browser, html, width=width, dark=dark) as opened:
        opened.page.screenshot(path=picture, full_page=True)
        assert opened.requests == []
        assert opened.complaints == []
    seen = browser.look(html, width=width, dark=dark)
    assert seen.wide <= seen.room == width
    assert seen.contrast >= 4.5, seen.faintest
    assert seen.smallest >= 12
    assert seen.background == ("rgb(20, 24, 29)" if dark else "rgb(241, 243, 245)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_checker_of_accessibility_finds_no_fault(
    *, dark: bool, browser: Browser, html: str
) -> None:
    with read(browser, html, dark=dark) as opened:
        found = Axe().run(opened.page)

    assert [
        (each["id"], each["nodes"][0]["html"])
        for each in found.response["violations"]
        if each["impact"] in {"serious", "critical", "moderate"}
    ] == []


@pytest.mark.parametrize("width", [320, 375, 900])
@pytest.mark.parametrize("figures", [placed(), worst()], ids=["month", "worst"])
def test_what_scrolls_is_reached_by_keyboard(
    figures: Figures, width: int, browser: Browser
) -> None:
    """WCAG 2.2, 2.1.1; what does not scroll is no stop on the way."""
    with read(browser, write(figures, zone=UTC), width=width) as opened:
        for summary in opened.page.locator("summary").all():
            summary.click()
        opened.page.wait_for_timeout(100)
        boxes = opened.page.evaluate(BOXES)
        found = Axe().run(opened.page)

    stops = [label for scrolls, _, label in boxes if scrolls]
    assert [box for box in boxes if box[0] != box[1]] == []
    assert all(stops)
    assert len({*stops}) == len(stops) > 1
    assert not {each["id"] for each in found.response["violations"]} & {
        *("scrollable-region-focusable", "landmark-unique", "aria-allowed-attr"),
    }


BOXES = """() => [...document.querySelectorAll("main .scroll")].map(one => [
  one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight,
  one.tabIndex === 0 && one.getAttribute("role") === "region",
  one.getAttribute("aria-label"),
])"""


def test_a_table_that_fits_once_the_screen_is_turned_is_no_stop(
    browser: Browser, html: str
) -> None:
    with read(browser, html, width=375) as opened:
        hosts = opened.page.locator("#hosts > .scroll")
        assert hosts.get_attribute("tabindex") == "0"
        hosts.focus()
        opened.page.keyboard.press("ArrowRight")
        opened.page.wait_for_function(
            "() => document.querySelector('#hosts > .scroll').scrollLeft > 0"
        )
        opened.page.set_viewport_size({"width": 812, "height": 375})
        opened.page.wait_for_selector("#hosts > .scroll:not([tabindex])")

        assert hosts.get_attribute("role") is None


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_what_scrolls_on_most_phones_is_reached_without_scripts(
    *, scripts: bool, browser: Browser, html: str
) -> None:
    with browser.open(html, width=375, scripts=scripts) as opened:
        boxes = opened.page.evaluate(BOXES)

    assert [label for scrolls, is_stop, label in boxes if scrolls and not is_stop] == []


def test_a_month_without_bans_has_a_page(browser: Browser) -> None:
    with browser.open(write(empty(), zone=UTC)) as opened:
        found = Axe().run(opened.page)
        assert "No ban in this time." in opened.page.inner_text("main")
        assert opened.complaints == []

    assert found.response["violations"] == []


def test_the_page_is_whole_without_scripts(browser: Browser, html: str) -> None:
    with browser.open(html, scripts=False) as opened:
        pictures = opened.page.locator("[role=img] svg")
        tables = opened.page.locator("table")

        assert opened.page.locator(
            "#chart-map svg .mark-symbol.role-mark > path"
        ).count()
        assert pictures.count() == opened.page.locator("[role=img]").count() > 20
        assert opened.page.locator("[data-chart] ~ .scroll table").count() == (
            opened.page.locator("[data-chart]").count()
            - 1  # the map's are its regions'
        )
        assert tables.get_by_text("United States (US)").first.is_visible()
        opened.page.get_by_text("Europe", exact=True).click()
        assert opened.page.get_by_text("Places in Europe").is_visible()


def test_a_region_opens_larger_by_keyboard(browser: Browser, html: str) -> None:
    with browser.open(html, width=1000) as opened:
        page = opened.page
        chart = page.locator("#chart-map-europe")
        before = chart.bounding_box()
        page.locator("summary", has_text="Europe").focus()
        page.keyboard.press("Enter")
        after = chart.bounding_box()

    assert before is not None
    assert after is not None
    assert after["width"] > 1.8 * before["width"]


def test_the_map_comes_closer_and_goes_back(browser: Browser, html: str) -> None:
    with read(browser, html) as opened:
        page = opened.page
        whole = _bubbles(page)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(100)
        near = _bubbles(page)
        page.get_by_role("button", name="Move west").click()
        page.wait_for_timeout(100)
        west = _bubbles(page)
        page.get_by_role("button", name="whole world").click()
        page.wait_for_timeout(100)

        assert near != whole
        assert west != near
        assert _bubbles(page) == whole


def _bubbles(page: Page) -> list[str]:
    found = page.evaluate(
        "() => [...document.querySelectorAll("
        "'#chart-map .mark-symbol.role-mark > path'"
        ")].map(one => one.getAttribute('transform'))"
    )
    assert isinstance(found, list)
    return found


def test_pointing_tells_the_numbers(browser: Browser, html: str) -> None:
    with read(browser, html) as opened:
        opened.page.locator("#chart-countries .mark-rect > path").first.hover()
        told = opened.page.locator("#vg-tooltip-element.visible")
        told.wait_for()

        assert "United States" in told.inner_text()
        assert "36" in told.inner_text()


@pytest.mark.parametrize("text", [ATTACK, "<!--<script>", "\u202e{{7*7}}\u2028`${1}"])
def test_the_text_of_attackers_does_nothing(text: str, browser: Browser) -> None:
    html = write(hostile(text), zone=UTC)
    with read(browser, html) as opened:
        page = opened.page
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
        assert opened.requests == []
        assert opened.complaints == []
        page.locator("#chart-countries .mark-rect > path").first.hover()
        page.locator("#vg-tooltip-element.visible").wait_for()
        assert (
            page.locator("#vg-tooltip-element :not(table, tbody, tr, td)").count() == 0
        )


def test_a_script_that_is_not_ours_does_not_run(browser: Browser, html: str) -> None:
    foreign = html.replace("<main", "<script>document.title='owned'</script><main")
    with browser.open(foreign) as opened:
        assert opened.page.title() == "Bans: October 2024"
        assert any("Content Security Policy" in told for told in opened.complaints)


@pytest.mark.parametrize("width", [360, 900])
def test_numbers_in_fields_do_not_touch(width: int, browser: Browser) -> None:
    with read(browser, write(crowded(), zone=UTC), width=width) as opened:
        boxes = opened.page.evaluate(NUMBERS, "whom-hosts")

    assert len(boxes) == (0 if width == 360 else 16)
    for (_, right, row), (left, _, next_row) in pairwise(boxes):
        assert row != next_row or right < left


NUMBERS = """name => [...document.querySelectorAll(
  `#chart-${name} .mark-text.role-mark > text`
)].filter(one => one.getAttribute("opacity") !== "0").map(one => {
  const { left, right, top } = one.getBoundingClientRect();
  return [left, right, Math.round(top)];
})"""


def crowded() -> Figures:
    """Give figures with as many hosts in a table as there may be, and long numbers."""
    hosts = [(name, f"{name}.of-a-long-name.example") for name in "abcdefgh"]
    wanted = cross([("US", "United States"), ("NL", "Netherlands")], hosts)
    cells = tuple(
        Cell(row=row, column=column, addresses=12_345, bans=20_000)
        for (row, _), (column, _) in product(wanted.rows, wanted.columns)
    )
    month = placed()
    return replace(
        month, whom=replace(month.whom, by_host=replace(wanted, cells=cells))
    )


def test_the_worst_figures_stay_within_the_page(browser: Browser) -> None:
    with read(browser, write(worst(), zone=UTC), width=360) as opened:
        assert opened.complaints == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
