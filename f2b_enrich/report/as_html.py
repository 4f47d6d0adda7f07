"""A report as one page that asks for nothing else: charts, tables and words.

Everything is readable without scripts; with them, charts are drawn anew, as wide as
the page, and tell their numbers on pointing. No script runs but the one whose hash the
page names, whatever the text of attackers is.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from f2b_enrich import inert
from f2b_enrich.report import charts, charts_map, text_sources
from f2b_enrich.report import text_summary as summary
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts_drawing import Drawing
from f2b_enrich.report.page_back import back
from f2b_enrich.report.page_hosts import hosts
from f2b_enrich.report.page_parts import Section
from f2b_enrich.report.page_rest import findings, rest, tiles, totals
from f2b_enrich.report.page_what import what, whom
from f2b_enrich.report.page_when import when
from f2b_enrich.report.page_where import services, where, whose
from f2b_enrich.report.text_zone import by_clocks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

    from f2b_enrich.report.charts import Chart
    from f2b_enrich.report.figures import Figures

_TEMPLATE = "report.html.jinja"
_SCRIPT, _STYLE = "report.js", "report.css"

_SECTIONS = (
    *(findings, where, whose, totals, when, what),
    *(whom, back, services, hosts, rest),
)

_BESIDE = 480
"""Pixels of a chart that has its table beside it."""

_IN_SCRIPTS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}
"""None of them ends the element that JSON stands in, or begins a comment."""


def page(figures: Figures, *, zone: tzinfo) -> str:
    """Write a report as HTML; times are those of `zone`."""
    figures = by_clocks_of(zone, figures)
    sections = [section for make in _SECTIONS for section in _filled([make(figures)])]
    drawn = [chart for section in sections for chart in section.charts()]
    script = _script() if drawn else ""
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            figures=figures,
            since=words.minute(figures.period.since),
            until=words.minute(figures.period.until),
            made_at=words.minute(figures.made_at),
            filters=[summary.filter_told(each) for each in figures.filters],
            tiles=tiles(figures),
            sections=sections,
            pictures=_pictures(sections),
            attribution=text_sources.IPINFO,
            style=Markup(_own(_STYLE)),  # noqa: S704 - a file of ours
            colours=Markup(_colours()),  # noqa: S704 - ours too
            script=Markup(script),  # noqa: S704 - Vega's, and a file of ours
            script_hash=_hash(script),
            data=Markup(_data(drawn)) if drawn else "",  # noqa: S704 - escaped there
        )
    )


def _pictures(sections: Iterable[Section]) -> dict[str, Markup]:
    """Draw all charts for readers without scripts, and for print."""
    drawing = Drawing()
    found: dict[str, Markup] = {}
    for section in sections:
        if section.chart is not None:
            width = None if section.is_broad else _BESIDE
            svg = drawing.svg(section.chart, width=width)
            found[section.chart.name] = Markup(svg)  # noqa: S704 - it escapes names
        for detail in section.details:
            svg = drawing.svg(detail.chart)
            found[detail.chart.name] = Markup(svg)  # noqa: S704
        found |= _pictures(section.parts)
    return found


def _filled(sections: Iterable[Section]) -> Iterator[Section]:
    """Leave out what has a heading and nothing below it."""
    for section in sections:
        kept = replace(section, parts=tuple(_filled(section.parts)))
        if not kept.is_empty:
            yield kept


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("f2b_enrich.report"),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _harmless(value: object) -> object:
    """Put what a template prints on one line that hides nothing; markup is ours."""
    return inert.printable(value) if type(value) is str else value


def _script() -> str:
    """Put Vega and what draws the charts together, so that nothing is fetched."""
    bundled: str = vl_convert.javascript_bundle(_own(_SCRIPT))
    # Neither is in it otherwise than in a text, where this means the same.
    return bundled.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'" if script else "'none'"


def _data(drawn: Iterable[Chart]) -> str:
    """Write what the script draws: specifications, and the outlines but once."""
    interactive = [chart for chart in drawn if not chart.name.startswith("map-")]
    return _json(
        {
            "config": charts.config(),
            "outlines": charts_map.outlines(),
            "at": charts_map.OUTLINES,
            "charts": {chart.name: chart.spec for chart in interactive},
        }
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")).translate(_IN_SCRIPTS)


def _colours() -> str:
    """Write the colours of charts for a style sheet, those of light and of dark."""
    light, dark = (
        "".join(
            f"{name.removeprefix('var(').removesuffix(')')}:{value};"
            for name, value in theme.items()
        )
        for theme in (charts.LIGHT, charts.DARK)
    )
    return (
        f":root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )


def _own(name: str) -> str:
    folder = resources.files("f2b_enrich.report").joinpath("templates")
    return folder.joinpath(name).read_text("utf-8")
