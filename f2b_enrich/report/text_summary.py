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

LABEL = 16
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
        yield from paragraph(filter_told(each), width=width, first="")
    yield ""
    yield from paragraph(how_to_read(figures), width=width, first="", rest="")


def how_to_read(figures: Figures) -> str:
    """Say what a ban is and is not, and what is ranked."""
    return (
        "A ban shuts an address out after failed attempts; it is not a break-in. One "
        "address may be banned often, so rankings and percentages are of unique "
        "addresses. A place is the machine's, not the person's, as it was when the "
        "address was looked up. Rankings show the first "
        f"{figures.top:,} and whatever is tied with the last of them."
    )


def filter_told(each: Filter, *, most: int = _VALUES) -> str:
    """Say what a report is confined to, or leaves out."""
    verb = "Left out" if each.leaves_out else "Only"
    return f"{verb}: {each.what} {few(each.values, most)}".rstrip()


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
    if before is not None and max(len(label), len(before_label)) > LABEL:
        about = f"{label}, and before that {before_label}"
        label, before_label = "now", "before"
    yield from heading("Totals", about=about, width=width)
    if not now.measure.bans:
        yield from paragraph(NO_BAN, width=width)
    columns = [Column("", limit=22), Column(label, right=True)]
    rows: list[list[str]] = [
        [name, text] for name, text in zip(TOTALS, column(now), strict=True)
    ]
    if before is not None:
        columns += [
            Column(before_label, right=True),
            Column("change", right=True),
        ]
        for row, text, moved in zip(
            rows, column(before), changes(now, before), strict=True
        ):
            row += [text, moved]
    yield from table(columns, rows, width=width)
    for told in about_totals(figures):
        yield from paragraph(told, width=width)


def about_totals(figures: Figures) -> Iterator[str]:
    """Say what the totals are not, in a sentence each."""
    now, before = figures.totals, figures.before
    if before is None and figures.before_label:
        yield f"No comparison: the records do not cover all of {figures.before_label}."
    if before is not None and (_has_gaps(now) or _has_gaps(before)):
        yield (
            f"The change is of {words.counted(now.days_covered, 'day')} with records "
            f"against {before.days_covered:,}, not of equal times."
        )
    if now.repeats:
        yield (
            f"Not counted: {words.counted(now.repeats, 'ban')} that only repeat "
            "others, such as those of recidive."
        )
    if now.cidr_bans:
        yield (
            f"{words.counted(now.cidr_bans, 'ban')} among them shut out a whole "
            "network; each such network counts as one address."
        )
    if _has_gaps(now):
        yield (
            "Days without records are not days without bans: nobody knows "
            "what happened then."
        )


def _has_gaps(totals: Totals) -> bool:
    return totals.days_covered < totals.days


NO_BAN = "No ban in this time."
TOTALS = (
    "bans",
    "addresses",
    "failed attempts",
    "hosts with bans",
    "days with records",
)


def column(totals: Totals) -> tuple[str, ...]:
    """Write the numbers that `TOTALS` names."""
    measure = totals.measure
    counts = (measure.bans, measure.addresses, measure.attempts, totals.hosts)
    return (
        *(f"{count:,}" for count in counts),
        f"{totals.days_covered:,} of {totals.days:,}",
    )


def changes(now: Totals, before: Totals) -> tuple[str, ...]:
    """Write how each of them changed; of the last there is nothing to say."""
    pairs = (
        (now.measure.bans, before.measure.bans),
        (now.measure.addresses, before.measure.addresses),
        (now.measure.attempts, before.measure.attempts),
        (now.hosts, before.hosts),
    )
    return (*(words.change(*pair) for pair in pairs), "")


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
    yield from table(SERVICES, service_rows(figures), width=width)
    if figures.several_services:
        yield from paragraph(on_several(figures), width=width)
    for each in figures.services:
        if each.note:
            yield from note(each.service, each.note, width)


SERVICES = (
    Column("service"),
    *(Column("addresses", right=True), Column("percent", right=True)),
    *(Column("bans", right=True), Column("attempts", right=True)),
)


def service_rows(figures: Figures) -> list[list[str]]:
    """Write a line for each service."""
    base = figures.totals.measure.addresses
    return [
        [
            words.service(each.service),
            f"{each.measure.addresses:,}",
            words.part_of(each.measure.addresses, base),
            f"{each.measure.bans:,}",
            f"{each.measure.attempts:,}",
        ]
        for each in figures.services
    ]


def on_several(figures: Figures) -> str:
    """Say how many addresses are in the lines of several services."""
    several, base = figures.several_services, figures.totals.measure.addresses
    were = "was" if several == 1 else "were"
    return (
        f"{words.counted(several, 'address')} {were} banned on more than one service: "
        f"counted once in each of them, and once in the {base:,}."
    )


def note(service: str | None, text: str, width: int) -> Iterator[str]:
    """Give the administrator's own words about a service."""
    first = f"  Note on {words.service(service)}: "
    yield from paragraph(text, width=width, first=first, rest="  ")
