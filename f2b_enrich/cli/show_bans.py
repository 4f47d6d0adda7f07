"""The bans of an address as a table: how each ended, what became of its alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import ban_table, times
from f2b_enrich.cli.tables import Column, fit
from f2b_enrich.inert import cut, printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import OutboxState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.lists import LoggedBan

_LONGEST_REASON = 200


def table(page: Page, *, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Lay the bans out, the log lines of each below it where they were asked for."""
    columns = (
        ban_table.banned_column(page.shown, zone),
        Column("host", limit=24),
        Column("jail", limit=24),
        Column("failures", right=True),
        Column("for"),
        Column("ended"),
        Column("origin"),
        Column("ban"),
        Column("mail", limit=2 * _LONGEST_REASON),
    )
    rows = [
        (
            times.stamp(ban.banned_at, zone),
            host,
            ban.jail,
            ban.failures,
            ban_table.length(ban),
            ban_table.ended(ban, now, zone),
            ban.origins,
            ban.id.partition("-")[0],
            _mail(page, ban, zone),
        )
        for ban, host in zip(page.shown, ban_table.host_cells(page.shown), strict=True)
    ]
    heading, *lines = fit(columns, rows)
    yield f"  {heading}"
    for ban, line in zip(page.shown, lines, strict=True):
        yield f"  {line}"
        yield from _log(page, ban)
    if any(str(row[5] or "").startswith(ban_table.PLANNED) for row in rows):
        yield f"  {ban_table.PLANNED_NOTE}"


def _mail(page: Page, ban: LoggedBan, zone: tzinfo | None) -> str:
    alerts = page.alerts[ban.id]
    if alerts:
        told = (_alert(alert, ban.banned_at, zone) for alert in alerts)
        return "; ".join(dict.fromkeys(told))
    return "none" if "live" in ban.origins.split(", ") else "none (imported)"


def _alert(alert: OutboxRow, banned_at: datetime, zone: tzinfo | None) -> str:
    """Say when it went or goes, or why not."""
    state, reason = str(alert.state), alert.last_error
    if alert.sent_at is not None:
        return f"{state} {times.shortly_after(alert.sent_at, banned_at, zone)}"
    if alert.state is OutboxState.DUE:
        state += f" {times.shortly_after(alert.due_at, banned_at, zone)}"
    return f"{state}: {cut(printable(reason), _LONGEST_REASON)}" if reason else state


def _log(page: Page, ban: LoggedBan) -> Iterator[str]:
    if page.lines_of is None:
        return
    shown = 0
    for line in page.lines_of(ban.id):
        yield from _gap(line.position - shown)
        yield f"      {printable(line.line.rstrip())}"
        shown = line.position + 1
    yield from _gap(ban.lines_received - shown)
    if not ban.lines_received:
        yield "      no log lines"


def _gap(missing: int) -> Iterator[str]:
    if missing > 0:
        yield f"      ... {counted(missing, 'line')} not kept ..."
