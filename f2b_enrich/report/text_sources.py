"""What the figures rest on, as text: scanners, places and their sources, jails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import few, heading, paragraph, short, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_sources import Coverage, JailCount, Jails, Scanners

_NAMES = 10


def scanners(figures: Figures, width: int) -> Iterator[str]:
    """Give both totals, with and without those that scan the whole Internet."""
    found = figures.scanners
    if not found.scanners and found.everything == found.without:
        return
    yield from heading("Known scanners", about=scanners_counted(found), width=width)
    yield from paragraph(EVERYBODY, width=width)
    with_them, without_them = scanner_totals(found)
    rows = [
        [f"  {each.name}", f"{each.addresses:,}", f"{each.bans:,}", ""]
        for each in found.scanners[: figures.top]
    ]
    # What is between is what the one total has and the other has not.
    rows = [with_them, *rows, without_them]
    yield from table(SCANNERS, rows, width=width)
    yield from _more(len(found.scanners) - figures.top, "scanner", width)


EVERYBODY = "They look at every address of the Internet, not at yours in particular."
SCANNERS = (
    *(Column(""), Column("addresses", right=True)),
    *(Column("bans", right=True), Column("attempts", right=True)),
)


def scanners_counted(found: Scanners) -> str:
    """Say whether the other figures count them."""
    return (
        "left out of all other figures"
        if found.left_out
        else "counted in all other figures"
    )


def scanner_totals(found: Scanners) -> list[list[str]]:
    """Write both totals."""
    totals = (("with scanners", found.everything), ("without scanners", found.without))
    return [
        [name, f"{of.addresses:,}", f"{of.bans:,}", f"{of.attempts:,}"]
        for name, of in totals
    ]


def coverage(figures: Figures, width: int) -> Iterator[str]:
    """Tell of how many addresses the place is known, from where, and how old it is."""
    found = figures.coverage
    base = found.to_city + found.to_country + found.unknown
    if not base:
        return
    yield from heading(
        "Places known",
        about=f"percent of {words.counted(base, 'address')}",
        width=width,
    )
    yield from table(PLACES, place_rows(found), width=width)
    for told in sources(figures):
        yield from paragraph(told, width=width)


PLACES = (Column(""), Column("addresses", right=True), Column("percent", right=True))


def place_rows(found: Coverage) -> list[list[str]]:
    """Write of how many addresses the place is known."""
    base = found.to_city + found.to_country + found.unknown
    parts = (
        ("to the city", found.to_city),
        ("to the country", found.to_country),
        ("not known", found.unknown),
    )
    return [[name, f"{of:,}", words.part_of(of, base)] for name, of in parts]


def sources(figures: Figures) -> Iterator[str]:
    """Say where the places come from and how old they are, in a sentence each."""
    found = figures.coverage
    for each in found.sources[: figures.top]:
        first, last = words.day(each.oldest_at), words.day(each.newest_at)
        when = f"on {first}" if first == last else f"from {first} to {last}"
        addresses = words.counted(each.addresses, "address")
        yield f"{short(each.source)}: {addresses}, looked up {when}"
    more = len(found.sources) - figures.top
    if more > 0:
        yield f"and {words.counted(more, 'more source')}"
    if found.looked_up_later:
        bans = words.counted(found.looked_up_later, "ban")
        yield (
            f"{bans} began more than 30 days before the address was looked up: it may "
            "have been elsewhere then."
        )
    if is_of_ipinfo(found):
        yield IPINFO


IPINFO = "IP address data powered by IPinfo"
"""The licence of the data asks for these words."""


def is_of_ipinfo(found: Coverage) -> bool:
    """Tell whether any place comes from there."""
    return any("ipinfo" in each.source.casefold() for each in found.sources)


def jails(figures: Figures, width: int) -> Iterator[str]:
    """List the jails, those whose service nobody told, and those left out."""
    found = figures.jails
    if not found.jails and not found.left_out:
        return
    if found.jails:
        yield from heading("Jails", width=width)
        yield from _jails(found.jails[: figures.top], width)
        yield from _more(len(found.jails) - figures.top, "jail", width)
    for told in jails_unknown(found):
        yield from paragraph(told, width=width)
    if found.left_out:
        if found.jails:
            yield ""
        yield from heading(
            "Jails left out", about="in no figure of this report", width=width
        )
        yield from _jails(found.left_out[: figures.top], width)
        yield from _more(len(found.left_out) - figures.top, "jail", width)


def jails_unknown(found: Jails) -> Iterator[str]:
    """Name the jails whose service nobody told."""
    unknown = [each.jail for each in found.jails if not each.is_known]
    if unknown:
        yield (
            "The configuration does not say what service these jails guard, so they "
            f"count as other: {few(unknown, _NAMES)}"
        )


def _jails(jails: tuple[JailCount, ...], width: int) -> Iterator[str]:
    yield from table(JAILS, jail_rows(jails), width=width)


JAILS = (
    *(Column("jail"), Column("service")),
    *(Column("addresses", right=True), Column("bans", right=True)),
)


def jail_rows(jails: tuple[JailCount, ...]) -> list[list[str]]:
    """Write a line for each jail."""
    return [
        [
            each.jail,
            words.service(each.service) if each.is_known else "not known",
            f"{each.addresses:,}",
            f"{each.bans:,}",
        ]
        for each in jails
    ]


def _more(more: int, noun: str, width: int) -> Iterator[str]:
    if more > 0:
        yield from paragraph(f"and {words.counted(more, f'more {noun}')}", width=width)
