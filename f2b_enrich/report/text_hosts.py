"""The hosts of a report as text: who attacked each of them, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_words as words
from f2b_enrich.report.text_layout import heading, paragraph, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures, HostFigures, Ranking


def hosts(figures: Figures, width: int) -> Iterator[str]:
    """List the hosts with the most addresses; of one alone all is said elsewhere."""
    found = figures.hosts
    if found.count <= 1:
        return
    base = figures.totals.measure.addresses
    yield from heading(
        "Hosts",
        about=f"ranked by addresses; one may be on several, {base:,} in all",
        width=width,
    )
    if found.hosts:
        columns = (
            *(Column("rank", right=True), Column("host")),
            *(Column("addresses", right=True), Column("bans", right=True)),
            *(Column("most on"), Column("most from")),
        )
        yield from table(columns, list(map(_row, found.hosts)), width=width)
    more = found.count - len(found.hosts)
    if found.tied is not None:
        kind = "" if found.hosts else "host"
        told = words.tied(found.tied, "address", kind=kind)
        yield from paragraph(told, width=width)
        more -= found.tied.count
    if more > 0:
        yield from paragraph(
            f"and {words.counted(more, 'more host')} with fewer addresses", width=width
        )


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
