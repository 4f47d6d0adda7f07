"""Whether our mails come back, and whether the notify command hears of them."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.errors import StoreError
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.inert import cut
from f2b_enrich.mail.wording import counted
from f2b_enrich.store import bounces, notifications
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.health.links import Link
    from f2b_enrich.store.notifications import Backlog

DAY = timedelta(days=1)
LATE = timedelta(minutes=15)
_LONGEST_REASON = 120


def links(settings: Settings, *, now: datetime) -> Iterator[Link]:
    """Say what came back in 24 hours, and what the command was not told.

    A store that cannot be read is told of by another link.
    """
    try:
        with open_reader(settings.store.path) as connection:
            found = [
                *_bounced(connection, now),
                *_mailboxes(connection, settings),
            ]
            waiting = notifications.backlog(connection, since=now - DAY)
    except StoreError:
        return
    yield from found
    if settings.notify.command:
        yield _notified(settings.notify.command[0], waiting, now)


def _bounced(connection: sqlite3.Connection, now: datetime) -> Iterator[Link]:
    newest = bounces.bounced(connection, since=now - DAY, limit=1)
    for last in newest:
        count = bounces.count(connection, since=now - DAY)
        reason = cut(last.reason, _LONGEST_REASON)
        yield warn(
            "bounces",
            f"{counted(count, 'mail')} of 24 h came back, the last to "
            f"{last.recipient}: {reason}",
            "f2b-enrich outbox list --bounced tells which; mend mail.recipient",
        )


def _mailboxes(connection: sqlite3.Connection, settings: Settings) -> Iterator[Link]:
    for path in filter(None, (settings.bounces.maildir, settings.bounces.mbox)):
        box = bounces.mailbox(connection, str(path))
        if box is not None and box.problem is not None:
            cure = "let the daemon's user read it (docs/how-to/bounces.md)"
            yield warn("bounces", f"{path} cannot be read: {box.problem}", cure)
        elif box is None:
            yield ok("bounces", f"{path} is not there yet, or not read yet")
        else:
            yield ok("bounces", f"{path} is read")


def _notified(program: str, waiting: Backlog, now: datetime) -> Link:
    if not os.access(program, os.X_OK):
        return crit("notify", f"{program} is not there to be run", "set notify.command")
    late = waiting.oldest_due_at is not None and now - waiting.oldest_due_at > LATE
    if late or waiting.dead:
        text = (
            f"{program}: {counted(waiting.due, 'event')} due, "
            f"{waiting.dead:,} given up in 24 h"
        )
        if waiting.last_error is not None:
            text += f"; last: {cut(waiting.last_error, _LONGEST_REASON)}"
        cure = "run it by hand with the example of docs/reference/notify.md"
        return warn("notify", text, cure)
    return ok("notify", f"{program}: {counted(waiting.due, 'event')} due")
