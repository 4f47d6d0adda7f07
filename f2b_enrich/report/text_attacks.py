"""What was tried, as text: classes of attack, user names, who attacks whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_cross import cross
from f2b_enrich.report.text_layout import heading, paragraph, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_attacks import Attacks, Names
    from f2b_enrich.report.figures_rankings import Cross

FIELDS = "addresses; one may be in several fields"
LEADING = "A ban counts for the class that leads in it; a log line for its own."
SEVERAL = "one may try several"


def attacks(figures: Figures, width: int) -> Iterator[str]:
    """List the classes of attack that the log lines show, and who tried each where."""
    found = figures.attacks
    if not found.classes:
        return
    base = figures.totals.measure.addresses
    yield from heading(
        "Attacks by class",
        about=f"percent of {words.counted(base, 'address')}; {SEVERAL}",
        width=width,
    )
    yield from _classes(found, figures.top, width)
    yield from _cross("Attacks by country", found.by_country, "country", width)
    yield from _cross("Attacks by service", found.by_service, "service", width)


def _classes(found: Attacks, top: int, width: int) -> Iterator[str]:
    yield from table(CLASSES, class_rows(found)[:top], width=width)
    more = len(found.classes) - top
    if more > 0:
        yield from paragraph(f"and {words.counted(more, 'more class')}", width=width)
    yield from paragraph(LEADING, width=width)


CLASSES = (
    Column("class"),
    *(Column("addresses", right=True), Column("percent", right=True)),
    *(Column("bans", right=True), Column("log lines", right=True)),
)


def class_rows(found: Attacks) -> list[list[str]]:
    """Write a line for each class."""
    return [
        [
            each.name,
            f"{each.addresses:,}",
            words.percent(each.percent),
            f"{each.bans:,}",
            f"{each.lines:,}",
        ]
        for each in found.classes
    ]


def _cross(title: str, wanted: Cross, other: str, width: int) -> Iterator[str]:
    if not wanted.cells:
        return
    yield ""
    yield from heading(title, about=FIELDS, width=width)
    yield from cross(wanted, ("class", other), width)


def names(figures: Figures, width: int) -> Iterator[str]:
    """List the user names that two addresses tried at least."""
    found = figures.names
    if not found.base:
        return
    yield from heading(
        "User names tried",
        about=f"by {words.counted(found.base, 'address')} that tried any",
        width=width,
    )
    if found.names:
        yield from table(NAMES, name_rows(found), width=width)
    for told in about_names(found):
        yield from paragraph(told, width=width)


NAMES = (
    *(Column("rank", right=True), Column("name")),
    *(Column("addresses", right=True), Column("bans", right=True)),
)


def name_rows(found: Names) -> list[list[str]]:
    """Write a line for each user name."""
    return [
        [f"{each.rank:,}", each.name, f"{each.addresses:,}", f"{each.bans:,}"]
        for each in found.names
    ]


def about_names(found: Names) -> Iterator[str]:
    """Say which user names are not told, in a sentence each."""
    if not found.names and not found.tied:
        yield "No user name was tried by two addresses."
    if found.tied:
        yield words.tied(found.tied, "address")
    if found.left_out:
        yield (
            f"Not shown: {words.counted(found.left_out, 'name')} that one address "
            "alone tried; such a name may be somebody's password."
        )


def whom(figures: Figures, width: int) -> Iterator[str]:
    """Set the countries of addresses against hosts, and against hosts' countries."""
    found = figures.whom
    parts = (
        ("Who attacks which host", found.by_host, "host"),
        ("Who attacks which country", found.by_host_country, "host country"),
    )
    is_first = True
    for title, wanted, other in parts:
        if not wanted.cells:
            continue
        if not is_first:
            yield ""
        is_first = False
        yield from heading(title, about=FIELDS, width=width)
        yield from cross(wanted, ("country", other), width)
