"""What the figures rest on, as text: scanners, places and their sources, jails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import few, heading, paragraph, short, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures, JailCount

_NAMES = 10


def scanners(figures: Figures, width: int) -> Iterator[str]:
    """Give both totals, with and without those that scan the whole Internet."""
    found = figures.scanners
    if not found.scanners and found.everything == found.without:
        return
    told = "left out of all other figures" if found.left_out else "counted everywhere"
    yield from heading("Known scanners", about=told, width=width)
    yield from paragraph(
        "They look at every address of the Internet, not at yours in particular.",
        width=width,
    )
    columns = [Column("")] + [
        Column(name, right=True) for name in ("addresses", "bans", "attempts")
    ]
    totals = (("with scanners", found.everything), ("without scanners", found.without))
    rows = [
        [name, f"{of.addresses:,}", f"{of.bans:,}", f"{of.attempts:,}"]
        for name, of in totals
    ]
    rows += [
        [f"  {each.name}", f"{each.addresses:,}", f"{each.bans:,}", ""]
        for each in found.scanners[: figures.top]
    ]
    yield from table(columns, rows, width=width)
    yield from _more(len(found.scanners) - figures.top, "scanner", width)


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
    columns = [Column("")] + [
        Column(name, right=True) for name in ("addresses", "percent")
    ]
    parts = (
        ("to the city", found.to_city),
        ("to the country", found.to_country),
        ("not known", found.unknown),
    )
    rows = [[name, f"{of:,}", words.part_of(of, base)] for name, of in parts]
    yield from table(columns, rows, width=width)
    yield from _sources(figures, width)


def _sources(figures: Figures, width: int) -> Iterator[str]:
    found = figures.coverage
    for each in found.sources[: figures.top]:
        first, last = words.day(each.oldest_at), words.day(each.newest_at)
        when = f"on {first}" if first == last else f"from {first} to {last}"
        addresses = words.counted(each.addresses, "address")
        yield from paragraph(
            f"{short(each.source)}: {addresses}, looked up {when}", width=width
        )
    yield from _more(len(found.sources) - figures.top, "source", width)
    if found.looked_up_later:
        bans = words.counted(found.looked_up_later, "ban")
        yield from paragraph(
            f"{bans} began more than 30 days before the address was looked up: it may "
            "have been elsewhere then.",
            width=width,
        )
    if any("ipinfo" in each.source.casefold() for each in found.sources):
        yield from paragraph("IP address data powered by IPinfo", width=width)


def jails(figures: Figures, width: int) -> Iterator[str]:
    """List the jails, those whose service nobody told, and those left out."""
    found = figures.jails
    if not found.jails and not found.left_out:
        return
    if found.jails:
        yield from heading("Jails", width=width)
        yield from _jails(found.jails[: figures.top], width)
        yield from _more(len(found.jails) - figures.top, "jail", width)
    unknown = [each.jail for each in found.jails if not each.is_known]
    if unknown:
        yield from paragraph(
            "The configuration does not say what service these jails guard, so they "
            f"count as other: {few(unknown, _NAMES)}",
            width=width,
        )
    if found.left_out:
        if found.jails:
            yield ""
        yield from heading(
            "Jails left out", about="in no figure of this report", width=width
        )
        yield from _jails(found.left_out[: figures.top], width)
        yield from _more(len(found.left_out) - figures.top, "jail", width)


def _jails(jails: tuple[JailCount, ...], width: int) -> Iterator[str]:
    columns = (
        Column("jail"),
        Column("service"),
        *(Column("addresses", right=True), Column("bans", right=True)),
    )
    rows = [
        [
            each.jail,
            words.service(each.service) if each.is_known else "not known",
            f"{each.addresses:,}",
            f"{each.bans:,}",
        ]
        for each in jails
    ]
    yield from table(columns, rows, width=width)


def _more(more: int, noun: str, width: int) -> Iterator[str]:
    if more > 0:
        yield from paragraph(f"and {words.counted(more, f'more {noun}')}", width=width)
