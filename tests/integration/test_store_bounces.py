"""What the store keeps of mails that came back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from f2b_enrich.store import bounces, removal
from f2b_enrich.store.bounces import Mailbox, Noted, Returned
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

SOON = NOW + timedelta(minutes=3)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    store = StoreBuilder(tmp_path / "bans.db")
    (ban,) = store.record(event())
    store.mail(ban, state=OutboxState.SENT)
    return store


def returned(store: StoreBuilder, row_id: int = 1) -> Returned:
    with store.reading() as connection:
        found = connection.execute(
            "SELECT message_id FROM outbox WHERE id = ?", (row_id,)
        ).fetchone()
    return Returned(
        message_id=found["message_id"],
        recipient="noc@elsewhere.example",
        status="5.1.1",
        diagnostic="550 no such user",
    )


def test_a_mail_that_came_back_is_noted_once(store: StoreBuilder) -> None:
    back = returned(store)
    with store.writing() as connection:
        first = bounces.note(connection, back, now=SOON)
        again = bounces.note(connection, back, now=SOON + timedelta(days=1))
        (found,) = bounces.bounced(connection, since=NOW)
        alone = bounces.of_mail(connection, 1)

    assert first == Noted(row_id=1, is_new=True)
    assert again == Noted(row_id=1, is_new=False)
    assert found == alone
    assert (found.bounced_at, found.ip, found.kind) == (SOON, "192.0.2.7", "alert")
    assert (found.recipient, found.failed) == ("noc@admins.net", back.recipient)
    assert found.reason == "5.1.1 550 no such user"


def test_the_mail_stays_sent(store: StoreBuilder) -> None:
    with store.writing() as connection:
        bounces.note(connection, returned(store), now=SOON)
        state = connection.execute("SELECT state FROM outbox").fetchone()[0]
    assert state == "sent"


def test_a_mail_about_no_ban_is_found_too(store: StoreBuilder) -> None:
    row_id = store.mail(None, state=OutboxState.SENT)
    with store.writing() as connection:
        noted = bounces.note(connection, returned(store, row_id), now=SOON)
        found = bounces.of_mail(connection, row_id)
    assert noted == Noted(row_id=row_id, is_new=True)
    assert found is not None
    assert found.ip is None


@pytest.mark.parametrize(
    "message_id", ["<alert.0.x@web1>", "<>", "", "<a@b>", "x" * 9999, "<%.'\"@web1>"]
)
def test_another_mail_is_none_of_ours(store: StoreBuilder, message_id: str) -> None:
    back = Returned(message_id=message_id, recipient=None, status=None, diagnostic=None)
    with store.writing() as connection:
        assert bounces.note(connection, back, now=SOON) is None
        assert bounces.count(connection, since=NOW) == 0
        assert bounces.of_mail(connection, 1) is None


def test_what_came_back_is_counted_and_listed_by_time(store: StoreBuilder) -> None:
    rows = [1, *(store.mail(None, state=OutboxState.SENT) for _ in range(3))]
    for number, row_id in enumerate(rows):
        back = returned(store, row_id)
        with store.writing() as connection:
            bounces.note(connection, back, now=NOW + timedelta(hours=number))

    with store.reading() as connection:
        since = NOW + timedelta(hours=1)
        assert bounces.count(connection, since=since) == 3
        listed = bounces.bounced(connection, since=since)
        assert [each.outbox_id for each in listed] == [4, 3, 2]
        newest = bounces.bounced(connection, since=since, limit=1)
        assert [each.outbox_id for each in newest] == [4]


def test_many_bounces_of_one_recipient_hide_nobody_elses(store: StoreBuilder) -> None:
    until = NOW + timedelta(hours=1)
    with store.writing() as connection:
        for number in range(261):
            connection.execute(
                "INSERT INTO outbox (kind, recipient, sender, state, attempts, "
                "created_at, due_at, message_id) VALUES "
                "('alert', ?, 'root@web1', 'sent', 1, ?, ?, ?)",
                (
                    "b@admins.net" if number >= 50 else "a@admins.net",
                    *(NOW.isoformat(), NOW.isoformat(), f"<a.0.{number}@web1>"),
                ),
            )
            back = Returned(
                message_id=f"<a.0.{number}@web1>",
                recipient=None,
                status=None,
                diagnostic=f"{number}",
            )
            at = NOW + timedelta(seconds=number)
            bounces.note(connection, back, now=at if number < 260 else until)
        found = bounces.by_recipient(connection, since=NOW, until=until)

    told = [(each.newest.recipient, each.mails, each.newest.reason) for each in found]
    assert told == [("b@admins.net", 210, "259"), ("a@admins.net", 50, "49")]


def test_a_reason_is_told_by_what_there_is(store: StoreBuilder) -> None:
    told = {
        ("5.1.1", "550 5.1.1 no such user"): "550 5.1.1 no such user",
        ("5.1.1", None): "5.1.1",
        (None, "no such user"): "no such user",
        (None, None): "no reason given",
    }
    row = returned(store)
    for (status, words), reason in told.items():
        back = Returned(
            message_id=row.message_id, recipient=None, status=status, diagnostic=words
        )
        with store.writing() as connection:
            connection.execute("DELETE FROM bounces")
            bounces.note(connection, back, now=SOON)
            (found,) = bounces.bounced(connection, since=NOW)
        assert found.reason == reason


def test_a_ban_that_is_removed_takes_its_bounce_along(store: StoreBuilder) -> None:
    with store.writing() as connection:
        bounces.note(connection, returned(store), now=SOON)
        removal.remove_ban(connection, store.ids[0])
        assert bounces.count(connection, since=NOW) == 0


def test_how_far_a_mailbox_was_read_is_kept(store: StoreBuilder) -> None:
    box = Mailbox(path="/var/mail/x", read_at=NOW, position=7, mark="ab", problem="no")
    never = Mailbox(path="/var/mail/y", read_at=None)
    with store.writing() as connection:
        assert bounces.mailbox(connection, box.path) is None
        bounces.keep(connection, never)
        bounces.keep(connection, Mailbox(path=box.path, read_at=None, position=1))
        bounces.keep(connection, box)
        assert bounces.mailbox(connection, box.path) == box
        assert bounces.mailbox(connection, never.path) == never
