"""The tables of a report's mail: the first rows of what matters most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.mail.letter import Row, Table
from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import few, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures, Totals
    from f2b_enrich.report.figures_addresses import Offender
    from f2b_enrich.report.figures_rankings import Ranking

MOST_ROWS = 15
"""Of a table; the text part has all."""

_LABEL = 16
"""Characters of a period that head a column; a longer one stands above the table."""

_NAMES = 2
_BY_ADDRESS = ("addresses", "percent", "bans")


def first(figures: Figures) -> tuple[Table, ...]:
    """Give the tables that come before the pictures."""
    return tuple(filter(None, (_totals(figures), _services(figures))))


def others(figures: Figures) -> tuple[Table, ...]:
    """Give the tables that come after the pictures, without those that are empty."""
    everything = figures.everything
    found = (
        _ranking(everything.countries, "Countries", "country"),
        _ranking(everything.organisations, "Organisations", "organisation"),
        _classes(figures),
        _offenders(figures),
        _names(figures),
        _hosts(figures),
    )
    return tuple(filter(None, found))


def attribution(figures: Figures) -> str:
    """Name the source of places where its licence asks for it."""
    sources = figures.coverage.sources
    is_used = any("ipinfo" in each.source.casefold() for each in sources)
    return "IP address data powered by IPinfo" if is_used else ""


def _totals(figures: Figures) -> Table:
    now, before = figures.totals, figures.before
    label, before_label, about = figures.period.label, figures.before_label, ""
    if before is not None and max(len(label), len(before_label)) > _LABEL:
        about = f"{label}, and before that {before_label}"
        label, before_label = "now", "before"
    columns, rows = ["", label if len(label) <= _LABEL else "now"], []
    compared = _numbers(before) if before is not None else {}
    if before is not None:
        columns += [before_label, "change"]
    for name, number in _numbers(now).items():
        numbers = [f"{number:,}"]
        if before is not None:
            numbers += [f"{compared[name]:,}", words.change(number, compared[name])]
        rows.append(Row(name=name, numbers=tuple(numbers)))
    return Table(
        title="Totals",
        about=about,
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(_not_plain(figures)),
    )


def _numbers(totals: Totals) -> dict[str, int]:
    measure = totals.measure
    return {
        "Bans": measure.bans,
        "Addresses": measure.addresses,
        "Failed attempts": measure.attempts,
        "Hosts with bans": totals.hosts,
    }


def _not_plain(figures: Figures) -> Iterator[str]:
    now = figures.totals
    if not now.measure.bans:
        yield "No ban in this time."
    if now.days_covered < now.days:
        yield (
            f"{now.days_covered:,} of {words.counted(now.days, 'day')} have records: "
            "nobody knows what happened on the others."
        )
    if now.repeats:
        yield (
            f"Not counted: {words.counted(now.repeats, 'ban')} that only repeat "
            "others, such as those of recidive."
        )


def _services(figures: Figures) -> Table | None:
    base = figures.totals.measure.addresses
    rows = tuple(
        Row(
            name=words.service(each.service),
            detail=words.counted(each.measure.attempts, "attempt"),
            numbers=(
                f"{each.measure.addresses:,}",
                words.part_of(each.measure.addresses, base),
                f"{each.measure.bans:,}",
            ),
        )
        for each in figures.services
    )
    return _of_addresses("Services", "service", rows, base)


def _ranking(ranking: Ranking, title: str, noun: str) -> Table | None:
    rows = tuple(
        Row(
            name=share.name,
            detail=share.note,
            numbers=(
                f"{share.addresses:,}",
                words.percent(share.percent),
                f"{share.bans:,}",
            ),
        )
        for share in ranking.shares[:MOST_ROWS]
    )
    notes = list(_more(ranking.count - len(rows), noun))
    if ranking.unknown:
        share = words.part_of(ranking.unknown, ranking.base)
        addresses = words.counted(ranking.unknown, "address")
        notes.append(f"{noun} not known: {addresses} ({share})")
    return _of_addresses(title, noun, rows, ranking.base, tuple(notes))


def _of_addresses(
    title: str, noun: str, rows: tuple[Row, ...], base: int, notes: tuple[str, ...] = ()
) -> Table | None:
    if not rows:
        return None
    return Table(
        title=title,
        about=f"percent of {words.counted(base, 'address')}",
        columns=(noun, *_BY_ADDRESS),
        rows=rows,
        notes=notes,
    )


def _classes(figures: Figures) -> Table | None:
    classes = figures.attacks.classes
    rows = tuple(
        Row(
            name=each.name,
            numbers=(
                f"{each.addresses:,}",
                words.percent(each.percent),
                f"{each.bans:,}",
            ),
        )
        for each in classes[:MOST_ROWS]
    )
    more = tuple(_more(len(classes) - len(rows), "class"))
    base = figures.totals.measure.addresses
    return _of_addresses("Attacks by class", "class", rows, base, more)


def _offenders(figures: Figures) -> Table | None:
    found = figures.addresses.offenders
    if not found:
        return None
    return Table(
        title="Repeat offenders",
        about="ranked by bans",
        columns=("address", "bans", "attempts"),
        rows=tuple(map(_offender, found[:MOST_ROWS])),
        notes=tuple(_more(len(found) - MOST_ROWS, "address")),
    )


def _offender(each: Offender) -> Row:
    scanner = f"known scanner {short(each.scanner)}" if each.scanner else ""
    whose = (each.country_code, short(each.organisation or ""), scanner)
    jails = few(each.jails, _NAMES, each.jail_count)
    hosts = few(each.hosts, _NAMES, each.host_count)
    return Row(
        name=each.ip,
        detail="; ".join(filter(None, (*whose, f"{jails} on {hosts}"))),
        numbers=(f"{each.bans:,}", f"{each.attempts:,}"),
    )


def _names(figures: Figures) -> Table | None:
    found = figures.names
    if not found.names:
        return None
    return Table(
        title="User names tried",
        about=f"by {words.counted(found.base, 'address')} that tried any",
        columns=("name", "addresses", "bans"),
        rows=tuple(
            Row(name=each.name, numbers=(f"{each.addresses:,}", f"{each.bans:,}"))
            for each in found.names[:MOST_ROWS]
        ),
        notes=tuple(_more(len(found.names) - MOST_ROWS, "name")),
    )


def _hosts(figures: Figures) -> Table | None:
    found = figures.hosts
    if found.count < 2:
        return None
    rows = tuple(
        Row(
            name=each.host,
            numbers=(f"{each.measure.addresses:,}", f"{each.measure.bans:,}"),
        )
        for each in found.hosts[:MOST_ROWS]
    )
    return Table(
        title="Hosts",
        about="an address that several banned counts for each",
        columns=("host", "addresses", "bans"),
        rows=rows,
        notes=tuple(_more(found.count - len(rows), "host")),
    )


def _more(more: int, noun: str) -> Iterator[str]:
    if more > 0:
        yield f"and {words.counted(more, f'more {noun}')}"
