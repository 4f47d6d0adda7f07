"""The bans of an address as a table: how each ended, what became of its alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import ban_table, times
from f2b_enrich.cli.tables import Column
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
_INDENT = "  "
_MAY_GO = ("for", "origin", "failures", "ban")


def table(
    page: Page, *, now: datetime, zone: tzinfo | None, width: int | None
) -> Iterator[str]:
    """Lay the bans out, the log lines of each below it where they were asked for."""
    columns = (
        ban_table.banned_column(page.shown, zone),
        Column("host", limit=24),
        Column("jail", limit=24),
        Column("attack"),
        Column("failures", right=True),
        Column("for"),
        Column("ended"),
        Column("origin"),
        Column("ban"),
        Column("mail", limit=2 * _LONGEST_REASON),
    )
    ends = [ban_table.ended(ban, now, zone) for ban in page.shown]
    rows = [
        (
            times.stamp(ban.banned_at, zone),
            host,
            ban.jail,
            ban_table.attack(ban),
            ban.failures,
            ban_table.length(ban),
            end,
            ban.origins,
            ban.id.partition("-")[0],
            _mail(page, ban, zone),
        )
        for ban, host, end in zip(
            page.shown, ban_table.host_cells(page.shown), ends, strict=True
        )
    ]
    room = None if width is None else width - len(_INDENT)
    heading, *lines = ban_table.fitted(
        columns, rows, width=room, may_go=_MAY_GO, cut_last=False
    )
    yield f"{_INDENT}{heading}"
    for ban, line in zip(page.shown, lines, strict=True):
        yield f"{_INDENT}{line}"
        yield from _log(page, ban)
    yield from (f"{_INDENT}{note}" for note in ban_table.notes(heading, ends))


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
