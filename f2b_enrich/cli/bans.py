"""`bans list`: the log of bans, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import ban_table
from f2b_enrich.cli.listing import (
    Form,
    Listing,
    echo_records,
    echo_rest,
    with_listing,
)
from f2b_enrich.cli.opening import as_stored, reading
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import Column, fit, screen_width
from f2b_enrich.cli.times import stamp
from f2b_enrich.store import lists

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.config import Settings
    from f2b_enrich.store.lists import BanQuery, LoggedBan


@click.group()
def bans() -> None:
    """Look at the bans that were recorded."""


@bans.command(
    "list",
    epilog="\b\nExamples:\n"
    "  f2b-enrich bans list --since 7d --jail sshd\n"
    "  f2b-enrich bans list --since 2026-11-01 --until 2026-12-01 --csv",
)
@click.option("--jail", "jails", multiple=True, help="Only this jail; may be repeated.")
@with_settings
@with_listing
def list_(settings: Settings, listing: Listing, *, jails: tuple[str, ...]) -> None:
    """List bans, newest first.

    Dates and times without a zone are this machine's. JSON and CSV have the columns
    of the view ban_log but for the log lines, which `f2b-enrich show` gives.
    """
    wanted = lists.BanQuery(
        since=listing.since,
        until=listing.until,
        jails=tuple(map(as_stored, jails)),
    )
    with reading(settings) as store:
        if listing.form is Form.TABLE:
            _echo_table(store, wanted, listing.limit)
        else:
            found = lists.log_rows(store, wanted, limit=listing.limit)
            echo_records(listing.form, lists.log_columns(store), found)


def _echo_table(store: sqlite3.Connection, wanted: BanQuery, limit: int | None) -> None:
    found = tuple(lists.logged(store, wanted, limit=limit))
    now = datetime.now(UTC)
    for line in table(found, now=now, zone=None, width=screen_width()):
        click.echo(line)
    echo_rest(len(found), lists.tally(store, wanted).bans, "bans")


def table(
    found: Sequence[LoggedBan],
    *,
    now: datetime,
    zone: tzinfo | None,
    width: int | None,
) -> Iterator[str]:
    """Lay bans out for people."""
    if not found:
        return
    columns = (
        ban_table.banned_column(found, zone),
        Column("host", limit=24),
        Column("jail", limit=24),
        Column("address"),
        Column("failures", right=True),
        Column("for"),
        Column("ended"),
        Column("mail"),
        Column("where"),
        Column("network"),
    )
    rows = [
        (
            stamp(ban.banned_at, zone),
            host,
            ban.jail,
            ban.ip,
            ban.failures,
            ban_table.length(ban),
            ban_table.ended(ban, now, zone),
            ban.mail_state or "none",
            ban.country_code,
            ban_table.network(ban),
        )
        for ban, host in zip(found, ban_table.host_cells(found), strict=True)
    ]
    yield from fit(columns, rows, width=width)
    if any(str(row[6] or "").startswith(ban_table.PLANNED) for row in rows):
        yield ban_table.PLANNED_NOTE
