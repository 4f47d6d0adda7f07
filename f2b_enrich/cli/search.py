"""`search`: full-text search over the log lines of all bans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import times
from f2b_enrich.cli.listing import (
    Form,
    Listing,
    echo_records,
    echo_rest,
    with_listing,
)
from f2b_enrich.cli.opening import as_stored, reading
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import screen_width
from f2b_enrich.store import line_search
from f2b_enrich.tables import Column, fit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.config import Settings
    from f2b_enrich.store.line_search import FoundLine, LineQuery

_WHOLE = 64 * 1024
"""More than a line can have: what is no screen gets all of it."""


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich search oracle\n"
    "  f2b-enrich search 'invalid user' --since 7d --jail sshd\n"
    "  f2b-enrich search '\"invalid user admin\" ssh*' --json"
)
@click.argument("words", metavar="TEXT", nargs=-1, required=True)
@click.option("--jail", "jails", multiple=True, help="Only this jail; may be repeated.")
@with_settings
@with_listing
def search(
    settings: Settings,
    listing: Listing,
    *,
    words: tuple[str, ...],
    jails: tuple[str, ...],
) -> None:
    """Find the log lines that have every word of TEXT, newest ban first.

    Whole words, in any order, whatever their case; word* finds words that begin so,
    and "several words" in double quotes a phrase. Other marks are ignored. Times are
    those of the bans.
    """
    try:
        terms = line_search.read_terms(as_stored(" ".join(words)))
    except ValueError as exc:
        raise click.UsageError(f"TEXT: {exc}") from None
    wanted = line_search.LineQuery(
        terms=terms,
        since=listing.since,
        until=listing.until,
        jails=tuple(map(as_stored, jails)),
    )
    with reading(settings) as store:
        if listing.form is Form.TABLE:
            _echo_table(store, wanted, listing.limit)
        else:
            rows = line_search.found_rows(store, wanted, limit=listing.limit)
            echo_records(listing.form, line_search.COLUMNS, rows)


def _echo_table(
    store: sqlite3.Connection, wanted: LineQuery, limit: int | None
) -> None:
    found, total = line_search.found_lines(store, wanted, limit=limit)
    for line in table(found, zone=None, width=screen_width()):
        click.echo(line)
    echo_rest(len(found), total, "lines")


def table(
    found: Sequence[FoundLine], *, zone: tzinfo | None, width: int | None
) -> Iterator[str]:
    """Lay lines out for people; on a screen each is cut to its width."""
    if not found:
        return
    names = times.zone_names((each.banned_at for each in found), zone)
    several = len({each.host for each in found}) > 1
    columns = (
        Column(f"banned ({names})"),
        Column("host", limit=24),
        Column("jail", limit=24),
        Column("address"),
        Column("line", limit=_WHOLE),
    )
    rows = [
        (
            times.stamp(each.banned_at, zone),
            each.host if several else None,
            each.jail,
            each.ip,
            each.line.rstrip(),
        )
        for each in found
    ]
    yield from fit(columns, rows, width=width)
