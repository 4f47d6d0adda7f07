"""The bans of an address as a table: how each ended, what became of its alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import ban_table, mail_words, times
from f2b_enrich.inert import cut, printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.store.lists import LoggedBan

_LONGEST_MAIL = 400
_LONGEST_NAME = 80
_MOST_ORIGINS = 5
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
        Column("mail", limit=_LONGEST_MAIL),
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
        yield from _known_from(page, ban, zone)
        yield from _log(page, ban)
    yield from (f"{_INDENT}{note}" for note in ban_table.notes(heading, ends))


def _mail(page: Page, ban: LoggedBan, zone: tzinfo | None) -> str:
    return mail_words.fates(
        ban.fates,
        ban.banned_at,
        origins=ban.origins,
        zone=zone,
        # Of many bans that would be the same reason over and over.
        says_why=len(page.shown) == 1,
    )


def _known_from(page: Page, ban: LoggedBan, zone: tzinfo | None) -> Iterator[str]:
    """Name the files and mails that tell of a ban, where there is room for them."""
    if ban.origins == "live" or (page.lines_of is None and len(page.shown) > 1):
        return
    known = page.origins_of(ban.id)
    named = [
        " ".join(filter(None, (each.origin, cut(each.reference, _LONGEST_NAME))))
        + f" {times.stamp(each.seen_at, zone)}"
        for each in known[:_MOST_ORIGINS]
    ]
    more = len(known) - _MOST_ORIGINS
    if more > 0:
        named.append(f"{more:,} more")
    yield printable(f"      from {'; '.join(named)}")


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
