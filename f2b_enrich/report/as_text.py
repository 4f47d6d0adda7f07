"""A report as text, for a terminal, a pipe or a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import text_addresses as addresses
from f2b_enrich.report import text_attacks as attacks
from f2b_enrich.report import text_hosts as hosts
from f2b_enrich.report import text_rankings as rankings
from f2b_enrich.report import text_sources as sources
from f2b_enrich.report import text_summary as summary
from f2b_enrich.report import text_times as times
from f2b_enrich.report.text_zone import by_clocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from f2b_enrich.report.figures import Figures

NARROWEST = 60
"""Columns that the tables need."""

_SECTIONS = (
    summary.title,
    summary.findings,
    summary.totals,
    summary.services,
    rankings.everything,
    rankings.by_service,
    times.by_day,
    times.by_hour,
    addresses.banned,
    addresses.offenders,
    addresses.ban_times,
    attacks.attacks,
    attacks.names,
    hosts.hosts,
    attacks.whom,
    sources.scanners,
    sources.coverage,
    sources.jails,
)


def lines(figures: Figures, *, zone: tzinfo, width: int = 80) -> Iterator[str]:
    """Write a report in lines of at most `width` columns, or of `NARROWEST`.

    Times are those of `zone`. Its name would not do: a zone may have none, or none
    that this machine knows.
    """
    figures = by_clocks_of(zone, figures)
    room = max(width, NARROWEST)
    is_first = True
    for section in _SECTIONS:
        for number, line in enumerate(section(figures, room)):
            if number == 0 and not is_first:
                yield ""
            is_first = False
            yield line
