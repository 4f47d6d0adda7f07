"""`bans list`: the log of bans, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import click

from f2b_enrich.attacks import CLASSES
from f2b_enrich.cli import ban_table, mail_words
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
from f2b_enrich.cli.times import stamp
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import Service
from f2b_enrich.store import lists
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.config import Settings
    from f2b_enrich.store.lists import BanQuery, LoggedBan
    from f2b_enrich.store.reads import Totals

_MAY_GO = ("for", "failures", "network", "where", "mail", "ended")
"""Columns that go, in this order, where the screen is too narrow."""

_LONGEST_MAIL = len("flood digest 2026-11-22 00:14")

_CLASSES = "\n".join(f"  {name:<24} {words}" for name, words in CLASSES.items())


@click.group()
def bans() -> None:
    """Look at the bans that were recorded."""


def _known(
    ctx: click.Context, param: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Check the names of classes (click's callback)."""
    for name in names:
        if name not in CLASSES:
            reason = f"{name!r} is no class of attack, --help lists them"
            raise click.BadParameter(reason, ctx, param)
    return names


def _begun(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Give the classes that the Tab key may complete to (click's shell_complete)."""
    return [name for name in CLASSES if name.startswith(incomplete)]


@bans.command(
    "list",
    epilog="\b\nExamples:\n"
    "  f2b-enrich bans list --since 7d --jail sshd\n"
    "  f2b-enrich bans list --service web --attack credentials-probe\n"
    "  f2b-enrich bans list --since 2026-11-01 --until 2026-12-01 --csv\n\n"
    f"\b\nClasses of attack:\n{_CLASSES}",
)
@click.option("--jail", "jails", multiple=True, help="Only this jail; may be repeated.")
@click.option(
    "--attack",
    "attacks",
    metavar="CLASS",
    multiple=True,
    callback=_known,
    shell_complete=_begun,
    help="Only bans that show this class, leading or not; may be repeated.",
)
@click.option(
    "--service",
    "services",
    type=click.Choice(get_args(Service)),
    metavar="SERVICE",
    multiple=True,
    help="Only jails that guard this; may be repeated. "
    f"One of: {', '.join(get_args(Service))}.",
)
@with_settings
@with_listing
def list_(
    settings: Settings,
    listing: Listing,
    *,
    jails: tuple[str, ...],
    attacks: tuple[str, ...],
    services: tuple[str, ...],
) -> None:
    """List bans, newest first, and those that only repeat another, so marked.

    Dates and times without a zone are this machine's. JSON and CSV have the columns
    of the view ban_log but for the log lines, which `f2b-enrich show` gives. A screen
    that is too narrow for all columns shows fewer.
    """
    wanted = lists.BanQuery(
        since=listing.since,
        until=listing.until,
        jails=tuple(map(as_stored, jails)),
        attacks=attacks,
        services=services,
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
    totals = lists.tally(store, wanted)
    echo_rest(len(found), totals.bans + totals.repeats, _noun(totals))


def _noun(totals: Totals) -> str:
    """Say what is counted: what only repeats a ban is none."""
    if not totals.repeats:
        return "bans"
    bans, repeats = counted(totals.bans, "ban"), counted(totals.repeats, "repeat")
    return f"rows ({bans}, {repeats})"


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
        Column("mail", limit=_LONGEST_MAIL),
        Column("attack"),
        Column("where"),
        Column("network"),
    )
    ends = [ban_table.ended(ban, now, zone) for ban in found]
    rows = [
        (
            stamp(ban.banned_at, zone),
            host,
            ban.jail,
            ban.ip,
            ban.failures,
            ban_table.length(ban),
            end,
            mail_words.fates(ban.fates, ban.banned_at, origins=ban.origins, zone=zone),
            ban_table.attack(ban),
            ban.country_code,
            ban_table.network(ban),
        )
        for ban, host, end in zip(found, ban_table.host_cells(found), ends, strict=True)
    ]
    lines = ban_table.fitted(columns, rows, width=width, may_go=_MAY_GO)
    yield from (*lines, *ban_table.notes(lines[0], ends))
