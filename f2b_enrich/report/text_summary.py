"""The beginning of a report as text: what it is, findings, totals, services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import few, heading, paragraph, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures, Filter, Totals

_VALUES = 8
"""Names of one filter that are told; the command that was given holds all."""

_LABEL = 16
"""Characters of a period that head a column; a longer one stands above the table."""


def title(figures: Figures, width: int) -> Iterator[str]:
    """Say what the report is about, and how its numbers are to be read."""
    period = figures.period
    yield from paragraph(
        f"Addresses that Fail2Ban banned: {period.label}", width=width, first=""
    )
    yield from paragraph(
        f"{words.minute(period.since)} to "
        f"{words.minute(period.until)}, {period.zone}; "
        f"made {words.minute(figures.made_at)}",
        width=width,
        first="",
        rest="",
    )
    for each in figures.filters:
        yield from paragraph(_filter(each), width=width, first="")
    yield ""
    yield from paragraph(
        "A ban shuts an address out after failed attempts; it is not a break-in. One "
        "address may be banned often, so rankings and percentages are of unique "
        "addresses. A place is the machine's, not the person's, as it was when the "
        "address was looked up. Rankings show the first "
        f"{figures.top:,} and whatever is tied with the last of them.",
        width=width,
        first="",
        rest="",
    )


def _filter(each: Filter) -> str:
    verb = "Left out" if each.leaves_out else "Only"
    return f"{verb}: {each.what} {few(each.values, _VALUES)}".rstrip()


def findings(figures: Figures, width: int) -> Iterator[str]:
    """Number the findings; without any there is no such section."""
    if not figures.findings:
        return
    yield from heading("Look at", width=width)
    for number, each in enumerate(figures.findings, start=1):
        yield from paragraph(
            each.text, width=width, first=f"{number:>3}  ", rest="     "
        )


def totals(figures: Figures, width: int) -> Iterator[str]:
    """Give all totals beside those of the period before, and what is not in them."""
    now, before = figures.totals, figures.before
    label, before_label, about = figures.period.label, figures.before_label, ""
    if before is not None and max(len(label), len(before_label)) > _LABEL:
        about = f"{label}, and before that {before_label}"
        label, before_label = "now", "before"
    yield from heading("Totals", about=about, width=width)
    if not now.measure.bans:
        yield from paragraph("No ban in this time.", width=width)
    columns = [Column("", limit=22), Column(label, right=True)]
    rows: list[list[str]] = [
        [name, text] for name, text in zip(_ROWS, _column(now), strict=True)
    ]
    if before is not None:
        columns += [
            Column(before_label, right=True),
            Column("change", right=True),
        ]
        for row, text, moved in zip(
            rows, _column(before), _changes(now, before), strict=True
        ):
            row += [text, moved]
    yield from table(columns, rows, width=width)
    if before is None and figures.before_label:
        yield from paragraph(
            f"No comparison: the records do not cover all of {figures.before_label}.",
            width=width,
        )
    if before is not None and (_has_gaps(now) or _has_gaps(before)):
        yield from paragraph(
            f"The change is of {words.counted(now.days_covered, 'day')} with records "
            f"against {before.days_covered:,}, not of equal times.",
            width=width,
        )
    yield from _not_plain(now, width)


def _has_gaps(totals: Totals) -> bool:
    return totals.days_covered < totals.days


_ROWS = ("bans", "addresses", "failed attempts", "hosts with bans", "days with records")


def _column(totals: Totals) -> tuple[str, ...]:
    measure = totals.measure
    counts = (measure.bans, measure.addresses, measure.attempts, totals.hosts)
    return (
        *(f"{count:,}" for count in counts),
        f"{totals.days_covered:,} of {totals.days:,}",
    )


def _changes(now: Totals, before: Totals) -> tuple[str, ...]:
    pairs = (
        (now.measure.bans, before.measure.bans),
        (now.measure.addresses, before.measure.addresses),
        (now.measure.attempts, before.measure.attempts),
        (now.hosts, before.hosts),
    )
    return (*(words.change(*pair) for pair in pairs), "")


def _not_plain(totals: Totals, width: int) -> Iterator[str]:
    if totals.repeats:
        yield from paragraph(
            f"Not counted: {words.counted(totals.repeats, 'ban')} that only repeat "
            "others, such as those of recidive.",
            width=width,
        )
    if totals.cidr_bans:
        yield from paragraph(
            f"{words.counted(totals.cidr_bans, 'ban')} among them shut out a whole "
            "network; each such network counts as one address.",
            width=width,
        )
    if _has_gaps(totals):
        yield from paragraph(
            "Days without records are not days without bans: nobody knows "
            "what happened then.",
            width=width,
        )


def services(figures: Figures, width: int) -> Iterator[str]:
    """Compare the services; an address on two is in both of their lines."""
    if not figures.services:
        return
    base = figures.totals.measure.addresses
    yield from heading(
        "Services",
        about=f"percent of all {words.counted(base, 'address')}",
        width=width,
    )
    columns = [Column("service")] + [
        Column(name, right=True)
        for name in ("addresses", "percent", "bans", "attempts")
    ]
    rows = [
        [
            words.service(each.service),
            f"{each.measure.addresses:,}",
            words.part_of(each.measure.addresses, base),
            f"{each.measure.bans:,}",
            f"{each.measure.attempts:,}",
        ]
        for each in figures.services
    ]
    yield from table(columns, rows, width=width)
    if figures.several_services:
        yield from _on_several(figures, width)
    for each in figures.services:
        if each.note:
            yield from note(each.service, each.note, width)


def _on_several(figures: Figures, width: int) -> Iterator[str]:
    several, base = figures.several_services, figures.totals.measure.addresses
    were = "was" if several == 1 else "were"
    yield from paragraph(
        f"{words.counted(several, 'address')} {were} banned on more than one service: "
        f"counted once in each of them, and once in the {base:,}.",
        width=width,
    )


def note(service: str | None, text: str, width: int) -> Iterator[str]:
    """Give the administrator's own words about a service."""
    first = f"  Note on {words.service(service)}: "
    yield from paragraph(text, width=width, first=first, rest="  ")
