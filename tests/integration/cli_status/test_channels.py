"""`status`: what came back, and what a command is still to be told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.store import bounces, notifications, outbox
from f2b_enrich.store.bounces import Mailbox, Returned
from tests.stores import NOW, StoreBuilder, filled

if TYPE_CHECKING:
    from tests.integration.cli_status.place import Place


def bounce(store: StoreBuilder, row_id: int, *, hours: float) -> None:
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        back = Returned(
            message_id=row.message_id,
            recipient=None,
            status="5.1.1",
            diagnostic="550 no such \x1b user",
        )
        bounces.note(connection, back, now=NOW - timedelta(hours=hours))


def queue(store: StoreBuilder) -> None:
    with store.writing() as connection:
        rows = map(outbox.read_row, connection.execute("SELECT * FROM outbox"))
        ago = NOW - timedelta(hours=2)
        notifications.queue(connection, list(rows), events=["alert"], now=ago)
        one, two, *_ = notifications.claim(connection, now=NOW, limit=9)
        notifications.failed(connection, one.id, due_at=None, error="exit status 1")
        notifications.done(connection, two.id, now=NOW)


def test_nothing_is_told_where_there_is_nothing(place: Place) -> None:
    filled(place.db)
    told = place.told()
    assert "back" not in told["mail"]
    assert "notify" not in told


def test_what_came_back_in_a_day_is_told(place: Place) -> None:
    store = filled(place.db)
    bounce(store, 1, hours=30)
    assert "back" not in place.told()["mail"]
    bounce(store, 2, hours=1)
    assert place.told()["mail"].endswith(
        "came back in 24 h: 1; the last, 2 to noc@admins.net, "
        "2026-11-21 20:14:03 CET: 5.1.1 550 no such \u241b user"
    )


def test_a_mailbox_that_cannot_be_read_is_told(place: Place) -> None:
    place.configure('bounces.mbox = "/var/mail/x"\nbounces.maildir = "/var/mail/y"\n')
    store = filled(place.db)
    for path, problem in (("/var/mail/x", "Permission denied"), ("/var/mail/z", "no")):
        box = Mailbox(path=path, read_at=None, problem=problem)
        with store.writing() as connection:
            bounces.keep(connection, box)
    told = place.told()["mail"]
    assert told.endswith(
        "bounces not read: /var/mail/x: Permission denied; f2b-enrich check"
    )


def test_how_the_command_fares_is_told(place: Place) -> None:
    place.configure('notify.command = ["/usr/local/bin/hook", "x"]\n')
    store = filled(place.db)
    assert place.told()["notify"] == (
        "/usr/local/bin/hook: 0 events due, 0 given up in 24 h"
    )
    queue(store)
    told = place.told()["notify"]
    assert told == (
        "/usr/local/bin/hook: 2 events due, 1 given up in 24 h; "
        "oldest due queued 2 h ago; last: exit status 1"
    )


def test_events_that_nobody_is_told_of_are_not_forgotten(place: Place) -> None:
    queue(filled(place.db))
    assert place.told()["notify"].startswith("no command: 2 events due")
