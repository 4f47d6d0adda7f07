"""What the store keeps of the events that a command is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxRow, OutboxState
from f2b_enrich.store import notifications, outbox, removal, sorting
from f2b_enrich.store.notifications import Backlog, Folded
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = ("alert", "digest")


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    store = StoreBuilder(tmp_path / "bans.db")
    for number in range(3):
        (ban,) = store.record(event(f"192.0.2.{number}"))
        store.mail(ban)
    return store


def mails(store: StoreBuilder) -> list[OutboxRow]:
    with store.reading() as connection:
        rows = connection.execute("SELECT * FROM outbox ORDER BY id")
        return list(map(outbox.read_row, rows))


def queue(store: StoreBuilder, *, now: datetime = NOW) -> int:
    with store.writing() as connection:
        return notifications.queue(connection, mails(store), events=EVENTS, now=now)


def test_each_mail_is_told_of_once(store: StoreBuilder) -> None:
    assert queue(store) == 3
    assert queue(store) == 0


def test_a_ban_is_told_of_once_whoever_is_mailed(store: StoreBuilder) -> None:
    store.mail(store.ids[0], recipient="two@admins.net")
    assert queue(store) == 3
    with store.writing() as connection:
        swept = notifications.sweep(connection, events=EVENTS, now=NOW, limit=9)
    assert swept == 0


def test_what_is_due_is_found_and_nothing_else(store: StoreBuilder) -> None:
    store.mail(None, state=OutboxState.DEAD)
    store.mail(None, at=NOW + timedelta(minutes=1))
    with store.writing() as connection:
        for number in range(1, 5):
            sorting.release(connection, number, now=NOW)
    store.mail(None)
    with store.writing() as connection:
        first = notifications.sweep(connection, events=EVENTS, now=NOW, limit=2)
        second = notifications.sweep(connection, events=EVENTS, now=NOW, limit=2)
        third = notifications.sweep(connection, events=EVENTS, now=NOW, limit=2)
        none = notifications.sweep(connection, events=(), now=NOW, limit=2)
    assert (first, second, third, none) == (2, 1, 0, 0)


def test_those_that_are_due_are_claimed_once_the_oldest_first(
    store: StoreBuilder,
) -> None:
    queue(store)
    with store.writing() as connection:
        assert notifications.next_due_at(connection) == NOW
        assert notifications.claim(connection, now=NOW - timedelta(1), limit=9) == ()
        first = notifications.claim(connection, now=NOW, limit=2)
        second = notifications.claim(connection, now=NOW, limit=2)
        assert notifications.next_due_at(connection) is None
    assert [each.id for each in (*first, *second)] == [1, 2, 3]
    assert first[0].mail == mails(store)[0]


def test_what_was_claimed_and_not_ended_is_given_back(store: StoreBuilder) -> None:
    queue(store)
    with store.writing() as connection:
        one, two, _ = notifications.claim(connection, now=NOW, limit=9)
        notifications.done(connection, one.id, now=NOW)
        later = NOW + timedelta(hours=1)
        notifications.failed(connection, two.id, due_at=later, error="exit status 1")
        assert notifications.release_all(connection) == 1
        (again,) = notifications.claim(connection, now=NOW, limit=9)
        (last,) = notifications.claim(connection, now=later, limit=9)
    assert (again.id, again.attempts) == (3, 0)
    assert (last.id, last.attempts) == (2, 1)


def test_what_waits_and_was_given_up_is_counted(store: StoreBuilder) -> None:
    empty = Backlog(due=0, dead=0, oldest_due_at=None, last_error=None)
    with store.reading() as connection:
        assert notifications.backlog(connection, since=NOW) == empty
    queue(store)
    with store.writing() as connection:
        one, two, three = notifications.claim(connection, now=NOW, limit=9)
        notifications.failed(connection, one.id, due_at=None, error="exit status 1")
        notifications.failed(connection, two.id, due_at=NOW, error="exit status 2")
        notifications.done(connection, three.id, now=NOW)
        assert notifications.backlog(connection, since=NOW) == Backlog(
            due=1, dead=1, oldest_due_at=NOW, last_error="exit status 2"
        )
        assert notifications.backlog(connection, since=NOW + timedelta(1)) == empty


def test_what_is_too_old_is_given_up_and_told_for_a_day(store: StoreBuilder) -> None:
    queue(store)
    with store.writing() as connection:
        (told,) = notifications.claim(connection, now=NOW, limit=1)
        notifications.done(connection, told.id, now=NOW)
        later = NOW + timedelta(days=3)
        for before, count in ((NOW, 0), (NOW + timedelta(seconds=1), 2)):
            given_up = notifications.expire(
                connection, before=before, now=later, error="too old"
            )
            assert given_up == count
        assert notifications.claim(connection, now=later, limit=9) == ()
        since = later - timedelta(days=1)
        assert notifications.backlog(connection, since=since) == Backlog(
            due=0, dead=2, oldest_due_at=None, last_error="too old"
        )


def test_the_bans_of_a_digest_are_counted(store: StoreBuilder) -> None:
    digest = store.mail(None)
    with store.writing() as connection:
        assert notifications.folded(connection, digest) == Folded(
            bans=0, addresses=0, first_at=None, last_at=None, jails={}
        )
        connection.execute(
            "UPDATE outbox SET folded_into = ? WHERE ban_id IS NOT NULL", (digest,)
        )
        found = notifications.folded(connection, digest)
    assert found == Folded(
        bans=3, addresses=3, first_at=NOW, last_at=NOW, jails={"sshd": 3}
    )


def test_a_ban_that_is_removed_is_told_of_no_more(store: StoreBuilder) -> None:
    queue(store)
    with store.writing() as connection:
        removal.remove_ban(connection, store.ids[0])
        left = notifications.claim(connection, now=NOW, limit=9)
    assert [each.id for each in left] == [2, 3]
