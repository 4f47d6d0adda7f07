"""The beginning of the page, and what its figures rest on at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.report import text_sources as sources
from f2b_enrich.report import text_summary as summary
from f2b_enrich.report import text_words as words
from f2b_enrich.report.page_parts import Section, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures


_LISTED = 200
"""Rows of a list that is no ranking; who has more of them reads CSV or JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A total that stands above all, and how it changed."""

    name: str
    number: str
    change: str


def tiles(figures: Figures) -> tuple[Tile, ...]:
    """Give the three totals that a report is about."""
    names, now = summary.TOTALS[:3], summary.column(figures.totals)
    moved = [""] * len(now)
    if figures.before is not None:
        before = summary.column(figures.before)
        moved = [
            f"{change} (before: {was})"
            for change, was in zip(
                summary.changes(figures.totals, figures.before), before, strict=True
            )
        ]
    return tuple(
        Tile(name=name, number=number, change=change)
        for name, number, change in zip(names, now, moved, strict=False)
    )


def findings(figures: Figures) -> Section:
    """List the findings."""
    return Section(
        name="findings",
        title="Look at",
        items=tuple(each.text for each in figures.findings),
    )


def totals(figures: Figures) -> Section:
    """Give all totals beside those of the period before, and the services."""
    now, before = figures.totals, figures.before
    rows = [
        [name, text]
        for name, text in zip(summary.TOTALS, summary.column(now), strict=True)
    ]
    columns = [Column("")]
    columns.append(Column(figures.period.label, right=True))
    if before is not None:
        columns.append(Column(figures.before_label, right=True))
        columns.append(Column("change", right=True))
        others = zip(summary.column(before), summary.changes(now, before), strict=True)
        for row, (was, moved) in zip(rows, others, strict=True):
            row += [was, moved]
    return Section(
        name="totals",
        title="Totals",
        texts=() if now.measure.bans else (summary.NO_BAN,),
        table=table("Totals", tuple(columns), rows),
        notes=tuple(summary.about_totals(figures)),
        parts=(_services(figures),),
    )


def _services(figures: Figures) -> Section:
    base = words.counted(figures.totals.measure.addresses, "address")
    notes = [summary.on_several(figures)] if figures.several_services else []
    notes += [
        f"Note on {words.service(each.service)}: {each.note}"
        for each in figures.services
        if each.note
    ]
    return Section(
        name="by-service",
        title="Services",
        about=f"percent of all {base}" if figures.services else "",
        table=table(
            f"Services, percent of all {base}",
            summary.SERVICES,
            summary.service_rows(figures),
        ),
        notes=tuple(notes),
    )


def rest(figures: Figures) -> Section:
    """Say what the figures rest on: scanners, places and their sources, jails."""
    return Section(
        name="rest",
        title="What the figures rest on",
        parts=(
            _scanners(figures),
            _coverage(figures),
            *_jails(figures),
            _reading(figures),
        ),
    )


def _scanners(figures: Figures) -> Section:
    found = figures.scanners
    if not found.scanners and found.everything == found.without:
        return Section(name="scanners", title="Known scanners")
    rows = sources.scanner_totals(found)
    rows += [
        [each.name, f"{each.addresses:,}", f"{each.bans:,}", ""]
        for each in found.scanners[:_LISTED]
    ]
    return Section(
        name="scanners",
        title="Known scanners",
        about=sources.scanners_counted(found),
        texts=(sources.EVERYBODY,),
        table=table("Totals with and without known scanners", sources.SCANNERS, rows),
    )


def _coverage(figures: Figures) -> Section:
    found = figures.coverage
    base = found.to_city + found.to_country + found.unknown
    if not base:
        return Section(name="coverage", title="Places known")
    about = f"percent of {words.counted(base, 'address')}"
    return Section(
        name="coverage",
        title="Places known",
        about=about,
        table=table(
            f"Places known, {about}", sources.PLACES, sources.place_rows(found)
        ),
        notes=tuple(sources.sources(figures)),
    )


def _jails(figures: Figures) -> tuple[Section, Section]:
    found = figures.jails
    listed, left_out = found.jails[:_LISTED], found.left_out[:_LISTED]
    return (
        Section(
            name="jails",
            title="Jails",
            table=table("Jails", sources.JAILS, sources.jail_rows(listed)),
            notes=(*_more(found.jails, "jail"), *sources.jails_unknown(found)),
        ),
        Section(
            name="jails-left-out",
            title="Jails left out",
            about="in no figure of this report" if found.left_out else "",
            table=table("Jails left out", sources.JAILS, sources.jail_rows(left_out)),
        ),
    )


def _more(found: tuple[object, ...], noun: str) -> tuple[str, ...]:
    more = len(found) - _LISTED
    return (f"and {words.counted(more, f'more {noun}')}",) if more > 0 else ()


def _reading(figures: Figures) -> Section:
    return Section(
        name="reading",
        title="How to read it",
        texts=(summary.how_to_read(figures), _OUTLINES),
    )


_OUTLINES = (
    "Outlines of countries made with Natural Earth, from the package world-atlas."
)
