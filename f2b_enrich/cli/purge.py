"""`purge`: what is older than the configuration lets it get is removed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.opening import demand, reading
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import json_text
from f2b_enrich.errors import StoreError
from f2b_enrich.mail.wording import counted
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.purging import Purge
from f2b_enrich.store.retention import Limits, Removed, doubts_clock, would_remove

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.config import Settings

_DAYS = click.IntRange(0, 36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was removed, or would be; `log_emptied` is None where nothing was to be."""

    dry_run: bool
    limits: Limits
    removed: Removed
    log_emptied: bool | None = None


@click.command(
    epilog="\b\nExamples:\n  f2b-enrich purge --dry-run\n  f2b-enrich purge\n"
    "  f2b-enrich purge --lines-days 30 --yes"
)
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@click.option(
    "--lines-days",
    type=_DAYS,
    metavar="DAYS",
    help="Keep lines, values and user names for so long, 0 for ever, whatever "
    "retention.lines_days says.",
)
@click.option(
    "--bans-days",
    type=_DAYS,
    metavar="DAYS",
    help="Keep bans for so long, 0 for ever, whatever retention.bans_days says.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask before less is kept than that, nor doubt a clock that leapt.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def purge(
    settings: Settings,
    *,
    dry_run: bool,
    lines_days: int | None,
    bans_days: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove log lines, values, user names and bans that are too old.

    How old they may get is configured in [retention]. Bans stay where only their lines
    go, with class, place and counts. What is removed cannot be read in the store's file
    any more; mails and backups are not touched.

    Root may call it, and the daemon's user; the daemon goes on beside it. It may be
    interrupted and called again.
    """
    kept = settings.retention
    lines = kept.lines_days if lines_days is None else lines_days
    bans = kept.bans_days if bans_days is None else bans_days
    if not dry_run and not yes:
        _agree("--lines-days", lines, configured=kept.lines_days)
        _agree("--bans-days", bans, configured=kept.bans_days)
    limits = Limits.of_days(lines=lines, bans=bans, now=datetime.now(UTC))
    done = _count(settings, limits) if dry_run else _purge(settings, limits, yes=yes)
    click.echo(json_text(done) if as_json else _told(done.removed, dry_run=dry_run))


def _agree(option: str, days: int, *, configured: int) -> None:
    """Ask, on a terminal, before less is kept than the configuration wants."""
    if not days or (configured and days >= configured):
        return
    wanted = f"{configured:,}" if configured else "for ever"
    shorter = f"{option} {days} keeps less than the configuration wants ({wanted})"
    if not sys.stdin.isatty():
        raise click.UsageError(f"{shorter}: that takes --yes")
    click.confirm(f"{shorter}. Go on?", abort=True, err=True)


def _count(settings: Settings, limits: Limits) -> Done:
    with reading(settings) as connection:
        removed = would_remove(connection, limits, now=datetime.now(UTC))
    return Done(dry_run=True, limits=limits, removed=removed)


def _purge(settings: Settings, limits: Limits, *, yes: bool) -> Done:
    path = settings.store.path
    demand(path)
    with open_writer(path) as connection:
        if not yes:
            _believe_the_clock(connection)
        run = Purge(
            connection,
            limits,
            now=lambda: datetime.now(UTC),
            clock=time.monotonic,
            pause=time.sleep,
        )
        try:
            log_emptied = run.run()
        except KeyboardInterrupt:
            told = "nothing removed yet"
            if run.removed != Removed():
                told = _told(run.removed, dry_run=False)
            _tell(f"interrupted: {told}; call it again to go on")
            raise
    if not log_emptied:
        _tell(
            f"{path}-wal may still hold what was removed, for somebody reads the store "
            "now: call it again later"
        )
    return Done(
        dry_run=False, limits=limits, removed=run.removed, log_emptied=log_emptied
    )


def _believe_the_clock(connection: sqlite3.Connection) -> None:
    """Remove nothing by a clock that has leapt ahead, at least not on the first day.

    Raises:
        StoreError: it has.
    """
    now = datetime.now(UTC)
    with transaction(connection):
        last = doubts_clock(connection, now=now)
    if last is not None:
        raise StoreError(
            f"nothing purged: the clock says {now:%Y-%m-%d}, and the last purge was "
            f"{(now - last).days:,} days before; if that is right, call it with --yes, "
            "or again tomorrow"
        )


def _tell(text: str) -> None:
    click.echo(f"f2b-enrich: {text}", err=True)


def _told(removed: Removed, *, dry_run: bool) -> str:
    if removed == Removed():
        return "nothing to remove"
    parts = []
    if removed.stripped:
        parts.append(
            f"{counted(removed.lines, 'log line')} and "
            f"{counted(removed.values, 'value')} of {counted(removed.stripped, 'ban')}"
        )
    if removed.campaigns:
        parts.append(f"names of {counted(removed.campaigns, 'campaign')}")
    if removed.events:
        parts.append(f"{counted(removed.events, 'event')} without a ban")
    if removed.bans:
        parts.append(f"{counted(removed.bans, 'ban')} whole")
    return f"{'would remove' if dry_run else 'removed'} {', '.join(parts)}"
