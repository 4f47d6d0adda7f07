"""Mails are counted by indexes, whatever the outbox holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.alerts import floods as rules
from f2b_enrich.figures import Period
from f2b_enrich.model import OutboxState
from f2b_enrich.store import floods, mail_figures, outbox
from f2b_enrich.store.filling import Held
from f2b_enrich.store.mail_figures import Sent
from tests.digests import add_digest, fold
from tests.stores import NOW, StoreBuilder, event, filled

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.store.mail_figures import MailFigures

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def count(store: StoreBuilder, since: timedelta = 24 * HOUR) -> MailFigures:
    with store.reading() as connection:
        return mail_figures.mails(connection, since=NOW - since)


def test_mails_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    store = filled(tmp_path / "bans.db")
    ban = store.ids[0]
    store.mail(ban, state=OutboxState.SENDING, at=NOW - HOUR)
    store.mail(ban, state=OutboxState.SENT, recipient="a@admins.net")
    store.mail(ban, state=OutboxState.SENT, at=NOW - 25 * HOUR)
    store.mail(ban, state=OutboxState.DEAD, at=NOW - 9 * HOUR)
    with store.writing() as connection:
        row = connection.execute("SELECT id FROM outbox WHERE state = 'due'").fetchone()
        connection.execute(
            "UPDATE outbox SET released_at = due_at WHERE id = ?", (row["id"],)
        )

    found = count(store)

    assert (found.due, found.oldest_due_at) == (2, NOW - HOUR)
    assert found.dead == 2
    assert found.newest_dead is not None
    assert found.newest_dead.due_at == NOW - 9 * HOUR
    assert found.sent == (
        Sent(recipient="a@admins.net", kind="alert", mails=1),
        Sent(recipient="noc@admins.net", kind="alert", mails=1),
    )
    assert found.last_taken_at == NOW
    assert found.held == ()


def test_an_empty_outbox_has_neither_counts_nor_times(store: StoreBuilder) -> None:
    store.record(event())

    found = count(store)

    assert (found.due, found.dead, found.sent, found.held) == (0, 0, (), ())
    times = (found.last_taken_at, found.oldest_due_at, found.newest_dead)
    assert times == (None, None, None)


def test_what_is_held_is_counted_by_recipient(store: StoreBuilder) -> None:
    bans = store.record(event(), event("192.0.2.8"), event("192.0.2.9"))
    for ago, ban in enumerate(bans):
        store.mail(ban, state=OutboxState.HELD, at=NOW - ago * HOUR)
    store.mail(bans[0], state=OutboxState.HELD, recipient="a@admins.net")
    digest = add_digest(store)
    with store.writing() as connection:  # being filled: no alert
        connection.execute("UPDATE outbox SET state = 'held' WHERE id = ?", (digest,))

    found = count(store)

    assert found.held == (
        Held(recipient="a@admins.net", by_brake=False, count=1, since=NOW, newest=NOW),
        Held(
            recipient="noc@admins.net",
            by_brake=False,
            count=3,
            since=NOW - 2 * HOUR,
            newest=NOW,
        ),
    )
    assert found.bans_held == 3


def test_digests_are_found_by_kind_and_state(store: StoreBuilder) -> None:
    hourly = Period(kind="hourly", since=NOW - HOUR, until=NOW)
    first, second = add_digest(store), add_digest(store, hourly)
    fold(store, store.record(event()), second)
    with store.reading() as connection:
        assert mail_figures.last_digest_at(connection, "daily") is None
    with store.writing() as connection:
        row = outbox.row(connection, first)
        assert row is not None
        outbox.sent(connection, row, now=NOW)
        connection.execute("UPDATE outbox SET state = 'dead' WHERE id = ?", (second,))

    with store.reading() as connection:
        assert mail_figures.last_digest_at(connection, "daily") == NOW
        assert mail_figures.last_digest_at(connection, "hourly") is None
        (dead,) = mail_figures.dead_digests(connection, limit=5)
    assert dead.id == second
    assert count(store).sent_by_kind == {"digest": 1}


def test_floods_that_go_on_are_found(store: StoreBuilder) -> None:
    with store.writing() as connection:
        for minutes, name in enumerate(("a", "b", "c")):
            at = NOW - timedelta(minutes=minutes)
            flood = rules.begin(held=7, now=at)
            row = floods.begin(connection, f"{name}@admins.net", "root@web1", flood)
            if name == "b":
                floods.end(connection, row.id, now=NOW)

    with store.reading() as connection:
        found = mail_figures.floods_now(connection)

    assert [row.recipient for row in found] == ["c@admins.net", "a@admins.net"]


def test_no_count_reads_the_whole_outbox(store: StoreBuilder) -> None:
    store.mail(store.record(event())[0])
    asked: list[str] = []
    with store.reading() as connection:
        connection.set_trace_callback(asked.append)
        mail_figures.mails(connection, since=NOW)
        mail_figures.dead_digests(connection, limit=1)
        connection.set_trace_callback(None)
        plans = [
            row["detail"]
            for question in asked
            for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")
            if "outbox" in row["detail"]
        ]

    assert len(plans) >= 9
    assert [plan for plan in plans if " INDEX outbox_" not in plan] == []
