"""Stores with a digest in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.figures import Period
from f2b_enrich.store import digests, outbox
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.model import Event

RECIPIENT = "noc@admins.net"
DAY = Period(
    kind="daily",
    since=NOW - timedelta(hours=24),
    until=NOW + timedelta(seconds=1),
    before=NOW - timedelta(hours=48),
)


def add_digest(store: StoreBuilder, period: Period = DAY) -> int:
    """Queue a digest without bans; give its row's id."""
    with store.writing() as connection:
        new = outbox.NewMail(
            kind="digest",
            ban_id=None,
            recipient=RECIPIENT,
            sender="root@web1",
            message_id="<digest.1@web1>",
            due_at=NOW,
        )
        outbox.add(connection, new, now=NOW)
        row_id: int = connection.execute("SELECT max(id) FROM outbox").fetchone()[0]
        digests.note_period(connection, row_id, period)
    return row_id


def fold(store: StoreBuilder, ban_ids: Iterable[str], into: int) -> None:
    """Queue alerts that another row speaks of."""
    with store.writing() as connection:
        connection.executemany(
            "INSERT INTO outbox (kind, ban_id, recipient, sender, state, folded_into, "
            "attempts, created_at, due_at, message_id) "
            "SELECT 'alert', id, ?, 'root@web1', 'folded', ?, 0, received_at, "
            "received_at, '<' || id || '@web1>' FROM bans WHERE id = ?",
            [(RECIPIENT, into, ban_id) for ban_id in ban_ids],
        )


def many(count: int) -> list[Event]:
    """Make bans of as many addresses in a minute, by three jails, without lines."""
    jails = ("sshd", "nginx-http-auth", "postfix-sasl")
    start = NOW - timedelta(minutes=1)
    return [
        event(
            f"2001:db8:{number:x}::7" if number > 255 else f"198.51.100.{number}",
            at=start + timedelta(seconds=number % 60),
            jail=jails[number % 3],
            lines=(),
        )
        for number in range(count)
    ]
