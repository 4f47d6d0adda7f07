"""The page of a report as it is printed, by Debian's Chromium."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.report.as_html import page as write
from tests.browser import Browser
from tests.report_places import placed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def test_paper_has_what_a_click_opens(browser: Browser) -> None:
    html = write(placed(), zone=UTC)
    with browser.open(html, width=680, dark=True) as opened:
        page = opened.page
        before = page.get_by_role("table").count()
        page.emulate_media(media="print", color_scheme="dark")

        hidden = [
            each.get_attribute("id")
            for each in page.locator("main table").all()
            if not each.bounding_box()
        ]
        colours = page.evaluate(
            "['body', 'main > section', 'thead'].map(name =>"
            " getComputedStyle(document.querySelector(name)).backgroundColor)"
        )
        assert page.get_by_role("table").count() > before
        assert hidden == []
        assert page.locator("nav, .controls").first.is_hidden()
        assert {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"} >= set(colours)
        assert page.evaluate("document.documentElement.scrollWidth") <= 680


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_regions_begin_on_the_page_of_the_map(
    *, scripts: bool, paper: str, browser: Browser
) -> None:
    """Their row is higher than what the map leaves, but their pictures fit."""
    html = write(replace(placed(), findings=()), zone=UTC)
    hidden = "<style>.regions { visibility: hidden }</style></head>"
    shown, without = (
        _first_sheet(browser, each, paper, scripts=scripts)
        for each in (html, html.replace("</head>", hidden, 1))
    )

    assert len(shown) > len(without)


def _first_sheet(browser: Browser, html: str, paper: str, *, scripts: bool) -> bytes:
    """Print the first page, and give what is drawn on it, in PDF's own words."""
    with browser.open(html, scripts=scripts) as opened:
        if scripts:
            opened.page.wait_for_selector("#chart-map.live")
        printed = opened.page.pdf(format=paper, page_ranges="1")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL)
    drawn = [zlib.decompress(each) for each in streams if each[:1] == b"x"]
    return b"".join(each for each in drawn if b" re\n" in each)
