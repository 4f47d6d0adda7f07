"""The times of a report's figures by the clocks of its zone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich import clocks

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from f2b_enrich.report.figures import Figures


def by_clocks_of(zone: tzinfo, figures: Figures) -> Figures:
    """Give the same figures, with all times in the zone that they are told in."""

    def local(when: datetime) -> datetime:
        return clocks.local(when, zone)

    period, addresses, coverage = figures.period, figures.addresses, figures.coverage
    return replace(
        figures,
        made_at=local(figures.made_at),
        period=replace(period, since=local(period.since), until=local(period.until)),
        addresses=replace(
            addresses,
            offenders=tuple(
                replace(
                    each, first_at=local(each.first_at), last_at=local(each.last_at)
                )
                for each in addresses.offenders
            ),
        ),
        coverage=replace(
            coverage,
            sources=tuple(
                replace(
                    each,
                    oldest_at=local(each.oldest_at),
                    newest_at=local(each.newest_at),
                )
                for each in coverage.sources
            ),
        ),
    )
