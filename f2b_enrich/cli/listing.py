"""What all lists have in common: which rows, and in which form."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import click

from f2b_enrich.cli.tables import json_lines
from f2b_enrich.cli.times import from_option
from f2b_enrich.tables import csv_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from f2b_enrich.config import Settings

R = TypeVar("R")

_AT_ONCE = 1000
"""Rows written at a time: each write goes out at once."""

SCREENFUL = 100
"""Rows shown to people who name no limit."""


class Form(Enum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The rows asked for: from `since` to before `until`, at most `limit`."""

    since: datetime | None
    until: datetime | None
    limit: int | None
    form: Form


_OPTIONS = (
    click.option(
        "--since",
        metavar="TIME",
        callback=from_option,
        help="From this time on: 2026-11-20, 2026-11-20T08:00, 30d, 12h.",
    ),
    click.option(
        "--until", metavar="TIME", callback=from_option, help="Before this time."
    ),
    click.option(
        "--limit",
        type=click.IntRange(0, 2**31),
        metavar="N",
        help=f"At most N rows, the newest; 0 is all. A table has {SCREENFUL} unless "
        "told, JSON and CSV have all.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print a JSON array."),
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV, times in UTC."),
)


def with_listing(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options of a list, and pass them as the second argument."""

    @functools.wraps(command)
    def run(
        settings: Settings,
        *,
        since: datetime | None,
        until: datetime | None,
        limit: int | None,
        as_json: bool,
        as_csv: bool,
        **kwargs: Any,  # noqa: ANN401
    ) -> R:
        if as_json and as_csv:
            raise click.UsageError("--json and --csv exclude each other")
        if since is not None and until is not None and since >= until:
            raise click.UsageError("--since is not before --until")
        form = Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE
        listing = Listing(
            since=since, until=until, limit=_limit(limit, form), form=form
        )
        return command(settings, listing, **kwargs)

    wrapped: Callable[..., R] = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _limit(given: int | None, form: Form) -> int | None:
    if given is None:
        return SCREENFUL if form is Form.TABLE else None
    return given or None


def echo_records(
    form: Form, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Print rows for a program, as they are read."""
    lines = (json_lines if form is Form.JSON else csv_lines)(columns, rows)
    while some := "\n".join(itertools.islice(lines, _AT_ONCE)):
        click.echo(some)


def echo_rest(shown: int, total: int, noun: str) -> None:
    """Say on standard error what a table does not show."""
    if not total:
        click.echo(f"no {noun}", err=True)
    elif shown < total:
        click.echo(
            f"the newest {shown:,} of {total:,} {noun}; all: --limit 0", err=True
        )
