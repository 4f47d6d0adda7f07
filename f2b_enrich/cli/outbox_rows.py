"""Mails in words: a row of a list, and all that is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import mail_words, times
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import OutboxState
from f2b_enrich.store import bounces, fates, filling
from f2b_enrich.store.report_mails import REPORT
from f2b_enrich.tables import Column, cut, fit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.figures import Period
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.bounces import Bounced
    from f2b_enrich.store.fates import Told
    from f2b_enrich.store.lists import Mail

_LEAST_REASON = 32
"""Columns without which the reason for anything cannot be read."""

_INDENT = " " * 4


def table(
    mails: Sequence[Mail], *, zone: tzinfo | None, width: int | None
) -> Iterator[str]:
    """Lay mails out for people; on a narrow screen each on two lines."""
    if not mails:
        return
    zones = times.zone_names((mail.row.created_at for mail in mails), zone)
    when = (
        Column("id", right=True),
        Column(f"queued ({zones})"),
        Column("state"),
        Column("next or sent"),
    )
    whom = (Column("tries", right=True), Column("to", limit=40), Column("about"))
    why = Column("reason", limit=500)
    rows = [(*_times(mail, zone), *_whom(mail, zone)) for mail in mails]
    reasons = [_reason(mail, zone) for mail in mails]
    longest = max(map(len, fit((*when, *whom), rows)))
    if width is None or longest + (_LEAST_REASON if any(reasons) else 0) <= width:
        cells = [(*row, reason) for row, reason in zip(rows, reasons, strict=True)]
        yield from fit((*when, *whom, why), cells, width=width)
        return
    briefly = [(*_times(mail, zone), _about(mail, zone)) for mail in mails]
    heading, *lines = fit((*when, Column("about")), briefly, width=width)
    yield heading
    for line, mail, reason in zip(lines, mails, reasons, strict=True):
        yield line
        yield _INDENT + cut(_second_line(mail, reason), width - len(_INDENT))


def _second_line(mail: Mail, reason: str | None) -> str:
    to = mail.row.recipient or "nobody"
    text = f"to {to}, {counted(mail.row.attempts, 'attempt')}"
    return printable(f"{text}: {reason}" if reason else text)


def _times(mail: Mail, zone: tzinfo | None) -> tuple[object, ...]:
    row = mail.row
    when = row.due_at if row.state is OutboxState.DUE else row.sent_at
    return (
        row.id,
        times.stamp(row.created_at, zone),
        row.state,
        when and times.shortly_after(when, row.created_at, zone),
    )


def _whom(mail: Mail, zone: tzinfo | None) -> tuple[object, ...]:
    return mail.row.attempts, mail.row.recipient, _about(mail, zone)


def _about(mail: Mail, zone: tzinfo | None) -> str:
    """Name the ban, or what else the mail tells of."""
    if mail.period is not None:
        return mail_words.digest(mail.period, mail.row.created_at, zone)
    return " ".join(filter(None, (mail.jail, mail.ip))) or _kind(mail.row)


def _kind(row: OutboxRow) -> str:
    is_named = row.kind in {"flood", REPORT} and row.about
    return f"{row.kind} {row.about}" if is_named else row.kind


def _reason(mail: Mail, zone: tzinfo | None) -> str | None:
    if mail.bounced is not None:
        return f"came back: {mail.bounced.reason}"
    if mail.row.state is OutboxState.FOLDED and mail.instead is not None:
        return _instead(mail.instead, mail.row, zone)
    return mail.row.last_error


def _instead(told: Told, row: OutboxRow, zone: tzinfo | None) -> str:
    """Name the mail that tells of it, by its number, too."""
    state = mail_words.state(told.row, row.created_at, zone, came_back=told.came_back)
    if told.row.state is OutboxState.HELD:
        state = filling.FILLING
    words = [f"in mail {told.row.id}", state]
    if told.period is not None:
        words.insert(1, mail_words.digest(told.period, row.created_at, zone))
    return ", ".join(words)


def described(
    store: sqlite3.Connection, row: OutboxRow, *, zone: tzinfo | None
) -> Iterator[tuple[str, object]]:
    """Tell all that is known of a mail, a label and a text each."""
    told = fates.told(store, row)
    yield "mail", f"{row.id}, {_kind(row)}"
    yield "state", f"{row.state}, {counted(row.attempts, 'attempt')}"
    yield "from", row.sender or "nobody"
    yield "to", row.recipient or "nobody"
    yield "queued", times.moment(row.created_at, zone)
    if row.state is OutboxState.DUE:
        yield "due", times.moment(row.due_at, zone)
    if row.sent_at is not None:
        yield "sent", times.moment(row.sent_at, zone)
    if row.last_error is not None:
        yield "reason", row.last_error
    if row.ban_id is not None:
        yield "ban", row.ban_id
    instead = fates.instead(store, row)
    if instead is not None:
        yield "told of", _instead(instead, row, zone)
    if told.period is not None:
        yield "about", _span(told.period, zone)
    speaks_of = filling.count(store, row.id)
    if speaks_of:
        others = "ban" if row.ban_id is None else "other ban"
        yield "names", counted(speaks_of, others)
    yield from _came_back(bounces.of_mail(store, row.id), zone)


def _span(period: Period, zone: tzinfo | None) -> str:
    since, until = (times.moment(when, zone) for when in (period.since, period.until))
    return f"{period.kind}, {since} to {until}"


def _came_back(
    bounced: Bounced | None, zone: tzinfo | None
) -> Iterator[tuple[str, object]]:
    if bounced is None:
        return
    yield "came back", times.moment(bounced.bounced_at, zone)
    if bounced.failed not in {None, bounced.recipient}:
        yield "failed at", bounced.failed
    yield "its reason", bounced.reason
