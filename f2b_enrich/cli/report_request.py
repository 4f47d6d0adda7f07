"""What a report or an export is asked for, put together from its options."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from f2b_enrich.cli import report_filters, report_period
from f2b_enrich.cli.opening import asking
from f2b_enrich.cli.report_filters import Filters
from f2b_enrich.report.request import Request

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from f2b_enrich.cli.report_period import Asked
    from f2b_enrich.config import Settings


def request_of(
    settings: Settings,
    asked: Asked,
    filters: Filters,
    *,
    zone: ZoneInfo,
    now: datetime,
    top: int,
) -> tuple[Request, tuple[str, ...]]:
    """Give the request, without notes, and remarks on names that are not known.

    Raises:
        StoreError: there is no store yet, or it cannot be read.
        ValueError: something of it cannot be.
    """
    period = report_period.chosen(asked, now=now, zone=zone)
    filters = report_filters.read(filters)
    with asking(settings) as connection:
        filters, remarks = report_filters.known(filters, connection, settings)
    request = Request(
        label=period.label,
        since=period.since,
        until=period.until,
        before_since=period.before_since,
        before_label=period.before_label,
        zone=zone,
        top=top,
        **{one.name: getattr(filters, one.name) for one in fields(Filters)},
    )
    return request, tuple(remarks)
