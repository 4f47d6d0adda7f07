"""What an export is asked for, in the words of `report`."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from f2b_enrich.cli import report_request
from f2b_enrich.cli.report import report
from f2b_enrich.cli.report_filters import Filters
from f2b_enrich.cli.report_period import Asked
from f2b_enrich.inert import printable
from f2b_enrich.report.request import Request

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from f2b_enrich.config import Settings

LEAST = 5
"""Addresses that a row stands for at least, unless another number is wished."""

MOST_LEAST = 1_000_000

_WHICH_BANS = (
    *("month", "since", "until", "last", "hosts", "services", "jails"),
    *("countries", "networks", "attacks"),
)
_WITHOUT_JAIL = click.Option(
    ["--exclude-jail", "without_jails"],
    metavar="JAIL",
    multiple=True,
    help="Leave this jail out. May be repeated.",
)
_WITHOUT_SCANNERS = click.Option(
    ["--without-scanners"], is_flag=True, help="Leave known scanners out."
)
_LEAST = click.Option(
    ["--min-cell", "least"],
    type=click.IntRange(1, MOST_LEAST),
    metavar="N",
    default=LEAST,
    show_default=True,
    help="What stands for fewer different addresses is told more coarsely, or not.",
)


def options(*further: str) -> list[click.Parameter]:
    """Give the options that say which bans, and others that `report` has, by name."""
    of_report = {option.name: option for option in report.params}
    chosen = [of_report[name] for name in _WHICH_BANS]
    others = [of_report[name] for name in further]
    return [*chosen, _WITHOUT_JAIL, _WITHOUT_SCANNERS, *others, _LEAST]


def request_of(
    settings: Settings,
    options: dict[str, Any],
    *,
    zone: ZoneInfo,
    now: datetime,
    top: int = 1,
) -> Request:
    """Put together what is asked for.

    Raises:
        StoreError: there is no store yet, or it cannot be read.
        click.UsageError: something of it cannot be.
    """
    try:
        asked = Asked(**_of(Asked, options))
        filters = Filters(**_of(Filters, options))
        request, remarks = report_request.request_of(
            settings, asked, filters, zone=zone, now=now, top=top
        )
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    for text in remarks:
        remark(text)
    return request


def _of(kind: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    return {one.name: options[one.name] for one in fields(kind) if one.name in options}


def remark(text: str) -> None:
    """Say something beside the data."""
    click.echo(f"f2b-enrich: {printable(text)}", err=True)
