"""What `status` tells of the channels beside mail: bounces, and the notify command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.cli import times
from f2b_enrich.inert import cut, printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.store import bounces, notifications

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from datetime import datetime, tzinfo

    from f2b_enrich.config import Settings
    from f2b_enrich.store.bounces import Bounced
    from f2b_enrich.store.notifications import Backlog

DAY = timedelta(days=1)
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """What came back in 24 hours, and what the command has still to be told.

    `unread` names the mailboxes that cannot be read, and why; `command` is the
    program, None without any.
    """

    bounced: int
    newest: Bounced | None
    unread: Mapping[str, str]
    command: str | None
    notifications: Backlog


def gather(
    connection: sqlite3.Connection, settings: Settings, *, now: datetime
) -> ChannelFacts:
    """Look at what the store knows of them."""
    newest = bounces.bounced(connection, since=now - DAY, limit=1)
    paths = filter(None, (settings.bounces.maildir, settings.bounces.mbox))
    boxes = [bounces.mailbox(connection, str(path)) for path in paths]
    return ChannelFacts(
        bounced=bounces.count(connection, since=now - DAY),
        newest=newest[0] if newest else None,
        unread={box.path: box.problem for box in boxes if box and box.problem},
        command=next(iter(settings.notify.command), None),
        notifications=notifications.backlog(connection, since=now - DAY),
    )


def mail_lines(facts: ChannelFacts, zone: tzinfo | None) -> Iterator[str]:
    """Say what came back, and what keeps us from knowing."""
    if facts.newest is not None:
        newest = facts.newest
        reason = cut(printable(newest.reason), _LONGEST_REASON)
        yield (
            f"came back in 24 h: {facts.bounced:,}; the last, {newest.outbox_id} to "
            f"{newest.recipient}, {times.moment(newest.bounced_at, zone)}: {reason}"
        )
    for path, problem in facts.unread.items():
        yield f"bounces not read: {path}: {problem}; f2b-enrich check"


def notify_line(facts: ChannelFacts, now: datetime) -> str | None:
    """Say how the command fares; None without one that has anything to be told."""
    waiting = facts.notifications
    if facts.command is None and not waiting.due:
        return None
    text = (
        f"{facts.command or 'no command'}: {counted(waiting.due, 'event')} due, "
        f"{waiting.dead:,} given up in 24 h"
    )
    if waiting.oldest_due_at is not None:
        text += f"; oldest due queued {times.ago(waiting.oldest_due_at, now)}"
    if waiting.last_error is not None:
        text += f"; last: {cut(printable(waiting.last_error), _LONGEST_REASON)}"
    return text
