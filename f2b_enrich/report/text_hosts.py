"""The hosts of a report as text: who attacked each of them, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import heading, paragraph, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_places import HostFigures, Hosts
    from f2b_enrich.report.figures_rankings import Ranking


def hosts(figures: Figures, width: int) -> Iterator[str]:
    """List the hosts with the most addresses; of one alone all is said elsewhere."""
    found = figures.hosts
    if found.count <= 1:
        return
    yield from heading("Hosts", about=about(figures), width=width)
    if found.hosts:
        columns = (
            *(Column("rank", right=True), Column("host")),
            *(Column("addresses", right=True), Column("bans", right=True)),
            *(Column("most on"), Column("most from")),
        )
        yield from table(columns, list(map(_row, found.hosts)), width=width)
    for told in more(found):
        yield from paragraph(told, width=width)


def about(figures: Figures) -> str:
    """Say what the hosts are ranked by, and that they share addresses."""
    base = figures.totals.measure.addresses
    return f"ranked by addresses; one may be on several, {base:,} in all"


def more(found: Hosts) -> Iterator[str]:
    """Say how many hosts are not listed, in a sentence each."""
    others = found.count - len(found.hosts)
    if found.tied is not None:
        kind = "" if found.hosts else "host"
        yield words.tied(found.tied, "address", kind=kind)
        others -= found.tied.count
    if others > 0:
        yield f"and {words.counted(others, 'more host')} with fewer addresses"


def _row(host: HostFigures) -> list[str]:
    service = words.service(host.services[0].service) if host.services else "-"
    return [
        *(f"{host.rank:,}", host.host),
        *(f"{host.measure.addresses:,}", f"{host.measure.bans:,}"),
        *(service, _first(host.countries)),
    ]


def _first(ranking: Ranking) -> str:
    """Name the first, of several that are tied all of them do not fit."""
    if not ranking.shares:
        return "-"
    first, *others = ranking.shares
    tied = sum(1 for share in others if share.rank == first.rank)
    return f"{first.name} and {tied:,} more" if tied else first.name
