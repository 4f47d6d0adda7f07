"""The page of a report, as its HTML says; tests/e2e shows it to a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.report import as_html, as_text
from f2b_enrich.report.figures import Figures
from tests.report_places import placed
from tests.report_sample import empty, hostile, worst

if TYPE_CHECKING:
    from collections.abc import Callable

_ALONE = {"meta", "br"}


class Read(HTMLParser):
    """Takes a page apart: its elements, and the text of all but scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _ALONE:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"}.intersection(self._open):
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return as_html.page(placed(), zone=UTC)


@pytest.fixture(scope="module")
def page(html: str) -> Read:
    return Read(html)


def test_headings_are_in_order(page: Read) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_each_section_can_be_linked_to(page: Read) -> None:
    ids = [found["id"] for _, found in page.elements if "id" in found]
    links = [str(found["href"]) for found in page.named("a")]
    within = {link for link in links if link.startswith("#")}

    assert len(set(ids)) == len(ids)
    assert within <= {f"#{each}" for each in ids}
    # The licence of the data asks for it; whose page links, it does not learn.
    assert set(links) - within == {"https://ipinfo.io"}
    assert {"name": "referrer", "content": "no-referrer"} in page.named("meta")
    assert len(links) > 10


def test_a_cell_that_names_others_says_of_what(page: Read) -> None:
    assert {found.get("scope") for found in page.named("th")} == {"col", "row"}
    tables = len(page.named("table"))
    assert len(page.named("caption")) == tables > 30


def test_each_picture_is_told_in_words(page: Read) -> None:
    pictures = [of for _, of in page.elements if of.get("role") == "img"]

    assert len(pictures) == len(page.named("svg")) > 20
    for picture in pictures:
        assert picture["aria-label"], picture
    assert all(svg["aria-hidden"] == "true" for svg in page.named("svg"))


def test_nothing_is_fetched(html: str, page: Read) -> None:
    for tag, attributes in page.elements:
        assert "src" not in attributes, tag
        assert tag not in {"link", "img", "iframe", "object", "base", "form"}
    # The names of formats and of Vega's own schemas are no addresses to fetch.
    style = html.split("<style>")[1].split("</style>", maxsplit=1)[0]
    assert "url(" not in style
    assert "@import" not in style


def test_only_the_script_that_is_named_may_run(html: str, page: Read) -> None:
    [policy] = [
        str(found["content"])
        for found in page.named("meta")
        if found.get("http-equiv") == "Content-Security-Policy"
    ]
    script = html.rsplit("<script>", 1)[1].split("</script>", maxsplit=1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy
    assert "unsafe-eval" not in policy
    assert not any(name.startswith("on") for _, of in page.elements for name in of)


def test_the_data_is_json_that_ends_no_script(html: str) -> None:
    data = html.split('id="data">')[1].split("</script>", maxsplit=1)[0]

    assert not re.search("[<>&\u2028\u2029]", data)
    charts = json.loads(data)["charts"]
    assert {"map", "countries", "organisations", "days", "hours"} <= charts.keys()


def test_text_and_page_say_the_same(page: Read) -> None:
    """Each sentence of the text is on the page; tables have other lines."""
    shown = " ".join(page.text.split())
    for told in (
        "A ban shuts an address out after failed attempts; it is not a break-in.",
        "Not counted: 41 bans that only repeat others, such as those of recidive.",
        "5 addresses were banned on more than one service",
        "Note on SSH: SSH looks low because it listens on port 2222",
        "Gap: no records of any host from 2024-10-12 to 2024-10-14 (3 days)",
        "and 120 more with 2 addresses each, tied for rank 4",
        "IPinfo: 77 addresses, looked up from 2024-10-01 to 2024-10-31",
        "IP address data powered by IPinfo",
        "shop-login",
        "Left out: jail apache-overflows",
    ):
        assert told in shown
    text = " ".join(" ".join(as_text.lines(placed(), zone=UTC, width=999)).split())
    for finding in placed().findings:
        assert finding.text in shown
        assert finding.text in text


def test_findings_come_before_all_tables(html: str) -> None:
    assert html.index('id="findings"') < html.index("<table")


def test_every_host_has_its_own_section(page: Read) -> None:
    ids = {found.get("id") for found in page.named("section")}

    assert {"host-1", "host-2", "host-3"} <= ids
    for host in placed().hosts.hosts:
        assert host.host in page.text


@pytest.mark.parametrize("make", [empty, worst], ids=lambda one: one.__name__)
def test_figures_of_any_kind_have_a_page(make: Callable[[], Figures]) -> None:
    html = as_html.page(make(), zone=UTC)

    assert Read(html).named("main")
    assert len(html.encode()) < 8_000_000


def test_a_page_without_charts_has_no_script() -> None:
    html = as_html.page(empty(), zone=UTC)

    assert "<script" not in html
    [policy] = [of for of in Read(html).named("meta") if "http-equiv" in of]
    assert "script-src 'none';" in str(policy["content"])


ATTACKS = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '" onmouseover="alert(1)',
    "{{ figures }}{% raw %}",
    "\x1b[2J\u202e\u2028\ud800\x00",
    "]]></svg><style>*{display:none}</style>",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_the_text_of_attackers_changes_no_element(text: str) -> None:
    bad, nice = (
        Read(as_html.page(hostile(each), zone=UTC)) for each in (text, "x" * len(text))
    )

    assert [tag for tag, _ in bad.elements] == [tag for tag, _ in nice.elements]
    assert [of.keys() for _, of in bad.elements] == [
        of.keys() for _, of in nice.elements
    ]
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e]", bad.text
    )
