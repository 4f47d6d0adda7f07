"""`check` says that mails come back, and that a command is not told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.config import Settings
from f2b_enrich.health import check_channels
from f2b_enrich.health.links import Level
from f2b_enrich.store import bounces, notifications, outbox
from f2b_enrich.store.bounces import Mailbox, Returned
from tests.stores import NOW, StoreBuilder, filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def look(store: StoreBuilder, **sections: object) -> list[tuple[str, Level, str]]:
    settings = Settings.model_validate({"store": {"path": store.path}, **sections})
    found = check_channels.links(settings, now=NOW)
    return [(each.name, each.level, each.text) for each in found]


def test_where_nothing_is_configured_nothing_is_told(store: StoreBuilder) -> None:
    assert look(store) == []


def test_without_a_store_nothing_is_told(tmp_path: Path) -> None:
    assert look(StoreBuilder(tmp_path / "none.db")) == []


def test_mails_that_came_back_are_a_warning_for_a_day(store: StoreBuilder) -> None:
    with store.writing() as connection:
        for row_id, hours in ((1, 25), (2, 2)):
            row = outbox.row(connection, row_id)
            assert row is not None
            back = Returned(
                message_id=row.message_id,
                recipient=None,
                status="5.1.1",
                diagnostic="550 5.1.1 no such user",
            )
            bounces.note(connection, back, now=NOW - timedelta(hours=hours))
    assert look(store) == [
        (
            "bounces",
            Level.WARN,
            "1 mail of 24 h came back, the last to noc@admins.net: "
            "550 5.1.1 no such user",
        )
    ]


def test_a_mailbox_that_cannot_be_read_is_a_warning(store: StoreBuilder) -> None:
    with store.writing() as connection:
        box = Mailbox(path="/var/mail/x", read_at=None, problem="Permission denied")
        bounces.keep(connection, box)
        bounces.keep(connection, Mailbox(path="/var/mail/y", read_at=NOW))
    found = look(store, bounces={"mbox": "/var/mail/x", "maildir": "/var/mail/y"})
    assert found == [
        ("bounces", Level.OK, "/var/mail/y is read"),
        ("bounces", Level.WARN, "/var/mail/x cannot be read: Permission denied"),
    ]


def test_a_mailbox_that_is_not_there_is_named(store: StoreBuilder) -> None:
    assert look(store, bounces={"mbox": "/var/mail/z"}) == [
        ("bounces", Level.OK, "/var/mail/z is not there yet, or not read yet")
    ]


def test_a_command_that_is_not_there_is_critical(store: StoreBuilder) -> None:
    ((name, level, text),) = look(store, notify={"command": ["/no/such"]})
    assert (name, level) == ("notify", Level.CRIT)
    assert text == "/no/such is not there to be run"


def test_a_command_that_fails_is_a_warning(store: StoreBuilder) -> None:
    notify = {"command": ["/bin/true"]}
    assert look(store, notify=notify) == [
        ("notify", Level.OK, "/bin/true: 0 events due")
    ]

    with store.writing() as connection:
        rows = list(map(outbox.read_row, connection.execute("SELECT * FROM outbox")))
        ago = NOW - timedelta(minutes=16)
        notifications.queue(connection, rows[:2], events=["alert"], now=ago)
    assert look(store, notify=notify) == [
        ("notify", Level.WARN, "/bin/true: 2 events due, 0 given up in 24 h")
    ]

    with store.writing() as connection:
        for each in notifications.claim(connection, now=NOW, limit=9):
            words = "exit status 1"
            notifications.failed(connection, each.id, due_at=None, error=words)
    assert look(store, notify=notify) == [
        (
            "notify",
            Level.WARN,
            "/bin/true: 0 events due, 2 given up in 24 h; last: exit status 1",
        )
    ]
