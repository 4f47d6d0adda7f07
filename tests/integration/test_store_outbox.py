"""A mail's life in the store, from queued to sent, dead or dropped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.model import Enrichment, OutboxRow, OutboxState, ban_id
from f2b_enrich.store import bans, enrichments, outbox, sorting
from f2b_enrich.store.connection import transaction
from tests.events import FAILED_AT, HOST, a_ban, a_prolong, clock

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import Event

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
ID = ban_id(HOST, "sshd", "192.0.2.7", FAILED_AT)


def record(store: sqlite3.Connection, event: Event) -> None:
    with transaction(store):
        bans.record(store, event, host=HOST, jail=event.jail, now=NOW)


def queue(store: sqlite3.Connection, number: int = 1, **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "kind": "alert",
        "ban_id": None,
        "recipient": "root",
        "sender": "root@host.example.net",
        "message_id": f"<{number}@host.example.net>",
        "due_at": LATER,
    }
    with transaction(store):
        newest = outbox.add(store, outbox.NewMail(**(values | changes)), now=NOW)
    return row(store, newest)


def queue_released(store: sqlite3.Connection, number: int = 1, **changes: Any) -> int:
    row_id = queue(store, number, **changes).id
    with transaction(store):
        sorting.release(store, row_id, now=NOW)
    return row_id


def row(store: sqlite3.Connection, row_id: int) -> OutboxRow:
    found = outbox.row(store, row_id)
    assert found is not None
    return found


def claim(store: sqlite3.Connection, now: datetime = LATER) -> list[int]:
    with transaction(store):
        return [mail.id for mail in outbox.claim_due(store, now=now, limit=10)]


def die(store: sqlite3.Connection, row_id: int) -> None:
    mail = row(store, row_id)
    with transaction(store):
        outbox.failed(
            store, mail, state=OutboxState.DEAD, due_at=NOW, error="550 no such user"
        )


def snapshot(ip: str = "192.0.2.7") -> Enrichment:
    return Enrichment(ip=ip, looked_up_at=NOW, source="test")


def test_a_mail_waits_until_it_is_due(store: sqlite3.Connection) -> None:
    mail = queue(store)
    assert (mail.state, mail.attempts) == (OutboxState.DUE, 0)
    assert (mail.created_at, mail.due_at) == (NOW, LATER)
    assert outbox.next_due_at(store) == LATER
    with transaction(store):
        sorting.release(store, mail.id, now=NOW)
    assert outbox.next_due_at(store) == LATER
    assert claim(store, NOW) == []
    assert claim(store, LATER) == [mail.id]


def test_an_alert_that_nobody_has_sorted_is_not_sent(store: sqlite3.Connection) -> None:
    mail = queue(store)
    assert mail.released_at is None
    assert claim(store) == []
    assert outbox.next_due_at(store) == LATER


def test_any_other_mail_is_sent_without_being_sorted(store: sqlite3.Connection) -> None:
    mail = queue(store, kind="digest", about="daily")
    assert (mail.released_at, mail.about) == (NOW, "daily")
    assert claim(store) == [mail.id]


def test_a_mail_can_be_held_from_the_beginning(store: sqlite3.Connection) -> None:
    mail = queue(store, held="late")
    refused = queue(store, 2, held="late", refused="no such address")
    assert (mail.state, mail.last_error) == (OutboxState.HELD, "late")
    assert (refused.state, refused.last_error) == (OutboxState.DEAD, "no such address")
    assert outbox.next_due_at(store) is None


def test_a_held_mail_leaves_when_somebody_asks_for_it(
    store: sqlite3.Connection,
) -> None:
    mail = queue(store, held="late")
    with transaction(store):
        assert outbox.retry(store, mail.id, sender="", now=LATER) == 1
    assert claim(store) == [mail.id]


def test_all_dead_alerts_at_once_are_sorted_anew(store: sqlite3.Connection) -> None:
    alert = queue_released(store, 1)
    digest = queue(store, 2, kind="digest")
    die(store, alert)
    die(store, digest.id)
    with transaction(store):
        assert outbox.retry(store, None, sender="", now=LATER) == 2
    assert claim(store) == [digest.id]
    assert row(store, alert).released_at is None


def test_a_mail_that_is_claimed_is_claimed_once(store: sqlite3.Connection) -> None:
    mail = queue_released(store)
    assert claim(store) == [mail]
    assert row(store, mail).state is OutboxState.SENDING
    assert claim(store) == []
    assert outbox.next_due_at(store) is None


def test_the_oldest_mails_are_claimed_first_and_not_too_many(
    store: sqlite3.Connection,
) -> None:
    third = queue_released(store, 1, due_at=LATER)
    first = queue_released(store, 2, due_at=NOW)
    second = queue_released(store, 3, due_at=NOW)
    with transaction(store):
        taken = outbox.claim_due(store, now=LATER, limit=2)
    assert [mail.id for mail in taken] == [first, second]
    assert claim(store) == [third]


def test_a_mail_that_was_taken_is_sent_and_its_trouble_forgotten(
    store: sqlite3.Connection,
) -> None:
    mail = row(store, queue_released(store))
    claim(store)
    with transaction(store):
        outbox.failed(
            store, mail, state=OutboxState.DUE, due_at=LATER, error="451 later"
        )
    waiting = row(store, mail.id)
    assert (waiting.state, waiting.attempts) == (OutboxState.DUE, 1)
    assert waiting.last_error == "451 later"
    claim(store)
    with transaction(store):
        outbox.sent(store, mail, now=LATER)
    done = row(store, mail.id)
    assert (done.state, done.attempts, done.sent_at) == (OutboxState.SENT, 2, LATER)
    assert done.last_error is None
    assert done.message_id == mail.message_id


def test_a_refused_address_leaves_a_dead_mail_that_says_why(
    store: sqlite3.Connection,
) -> None:
    mail = queue(store, refused="you@mail.com: a sample address")
    assert (mail.state, mail.attempts) == (OutboxState.DEAD, 0)
    assert mail.last_error == "you@mail.com: a sample address"
    assert claim(store) == []


def test_what_was_claimed_and_not_tried_is_given_back(
    store: sqlite3.Connection,
) -> None:
    tried, untried = (row(store, queue_released(store, number)) for number in (1, 2))
    claim(store)
    with transaction(store):
        outbox.sent(store, tried, now=NOW)
        outbox.release(store, [tried.id, untried.id])
    assert row(store, tried.id).state is OutboxState.SENT
    assert row(store, untried.id).state is OutboxState.DUE
    assert row(store, untried.id).attempts == 0


def test_what_a_killed_daemon_had_claimed_is_due_again(
    store: sqlite3.Connection,
) -> None:
    mail = row(store, queue_released(store))
    queue(store, 2, refused="no")
    claim(store)
    with transaction(store):
        assert outbox.release_all(store) == 1
        assert outbox.release_all(store) == 0
    assert claim(store) == [mail.id]


def test_a_mail_leaves_early_once_its_ban_is_looked_up(
    store: sqlite3.Connection,
) -> None:
    record(store, a_ban())
    mail = queue(store, ban_id=ID)
    other = queue(store, 2)
    with transaction(store):
        outbox.hasten(store, ID)
    assert row(store, mail.id).due_at == LATER  # nothing is known yet
    with transaction(store):
        enrichments.save(store, snapshot())
    assert row(store, mail.id).due_at == NOW
    assert row(store, other.id).due_at == LATER


def test_a_repeat_offenders_mail_waits_for_the_ban_time_too(
    store: sqlite3.Connection,
) -> None:
    record(store, a_ban(ban_count=2))
    mail = queue(store, ban_id=ID)
    with transaction(store):
        enrichments.save(store, snapshot())
    assert row(store, mail.id).due_at == LATER
    record(store, a_prolong(at=clock(5), seconds=86400))
    assert row(store, mail.id).due_at == NOW


def test_a_mail_that_is_tried_again_keeps_its_time(store: sqlite3.Connection) -> None:
    record(store, a_ban())
    mail = queue(store, ban_id=ID)
    with transaction(store):
        outbox.failed(store, mail, state=OutboxState.DUE, due_at=LATER, error="451")
        enrichments.save(store, snapshot())
        outbox.stop_waiting(store, "192.0.2.7")
    assert row(store, mail.id).due_at == LATER


def test_a_mail_waits_no_longer_for_a_look_up_that_failed(
    store: sqlite3.Connection,
) -> None:
    record(store, a_ban())
    record(store, a_ban(ip="192.0.2.8"))
    mail = queue(store, ban_id=ID)
    elsewhere = queue(store, 2, ban_id=ban_id(HOST, "sshd", "192.0.2.8", FAILED_AT))
    with transaction(store):
        outbox.stop_waiting(store, "192.0.2.7")
    assert row(store, mail.id).due_at == NOW
    assert row(store, elsewhere.id).due_at == LATER


def test_a_dead_mail_starts_anew_under_its_message_id(
    store: sqlite3.Connection,
) -> None:
    mail, other = queue(store, 1), queue(store, 2)
    die(store, mail.id)
    die(store, other.id)
    with transaction(store):
        assert outbox.retry(store, mail.id, sender="", now=LATER) == 1
    again = row(store, mail.id)
    assert (again.state, again.attempts) == (OutboxState.DUE, 0)
    assert (again.created_at, again.due_at) == (LATER, LATER)
    assert again.message_id == mail.message_id
    assert row(store, other.id).state is OutboxState.DEAD


def test_all_dead_mails_start_anew_and_no_others(store: sqlite3.Connection) -> None:
    dead = [queue(store, number) for number in (1, 2)]
    due = queue(store, 3)
    for mail in dead:
        die(store, mail.id)
    with transaction(store):
        assert outbox.retry(store, None, sender="", now=LATER + timedelta(hours=1)) == 2
    assert row(store, due.id).due_at == LATER


@pytest.mark.parametrize("lacking", [{"recipient": ""}, {"sender": ""}])
def test_a_mail_without_an_address_cannot_start_anew(
    store: sqlite3.Connection, lacking: dict[str, Any]
) -> None:
    mail = queue(store, refused="no", **lacking)
    with transaction(store):
        assert outbox.retry(store, mail.id, sender="", now=LATER) == 0
        assert outbox.retry(store, None, sender="", now=LATER) == 0


def test_a_mail_whose_sender_was_refused_starts_anew_under_another(
    store: sqlite3.Connection,
) -> None:
    mail = queue(store, refused="no", sender="")
    with transaction(store):
        assert outbox.retry(store, None, sender="new@host.example.net", now=LATER) == 1
    assert row(store, mail.id).sender == "new@host.example.net"


@pytest.mark.parametrize(
    ("act", "state"),
    [("sending", OutboxState.SENDING), ("sent", OutboxState.SENT)],
)
def test_what_is_on_its_way_or_gone_is_neither_retried_nor_dropped(
    store: sqlite3.Connection, act: str, state: OutboxState
) -> None:
    mail = row(store, queue_released(store))
    claim(store)
    if act == "sent":
        with transaction(store):
            outbox.sent(store, mail, now=NOW)
    with transaction(store):
        assert outbox.retry(store, mail.id, sender="", now=LATER) == 0
        assert outbox.drop(store, mail.id) == 0
    assert row(store, mail.id).state is state


def test_a_mail_can_be_dropped_by_hand(store: sqlite3.Connection) -> None:
    mail = queue(store)
    with transaction(store):
        assert outbox.drop(store, mail.id) == 1
        assert outbox.drop(store, mail.id) == 0
        assert outbox.drop(store, 999) == 0
    dropped = row(store, mail.id)
    assert (dropped.state, dropped.last_error) == (
        OutboxState.SKIPPED,
        "dropped by hand",
    )
    assert claim(store) == []


def test_a_mail_that_is_not_there_is_none(store: sqlite3.Connection) -> None:
    assert outbox.row(store, 999) is None


def test_the_view_shows_what_became_of_a_bans_mail(store: sqlite3.Connection) -> None:
    record(store, a_ban())
    mail = row(store, queue_released(store, ban_id=ID))
    claim(store)
    with transaction(store):
        outbox.sent(store, mail, now=LATER)
    shown = store.execute("SELECT mail_state, mailed_at FROM ban_log").fetchone()
    assert tuple(shown) == ("sent", "2026-11-21T12:00:10Z")


def test_what_became_of_a_mail_is_not_noted_of_the_next_with_its_number(
    store: sqlite3.Connection,
) -> None:
    """A ban, and its mail with it, may be removed while the mail is on its way."""
    gone = queue(store)
    claim(store)
    with transaction(store):
        store.execute("DELETE FROM outbox")
    new = queue(store, 2)
    assert new.id == gone.id

    with transaction(store):
        outbox.sent(store, gone, now=LATER)
        outbox.failed(store, gone, state=OutboxState.DEAD, due_at=NOW, error="no")

    assert row(store, new.id).state is OutboxState.DUE
