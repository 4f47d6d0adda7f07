"""What a digest tells of our own mails that came back: each of them, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.bounce_notes import bounce_notes
from f2b_enrich.daemon.writing import AboutMany, known_of
from f2b_enrich.figures import DigestKind, Period
from f2b_enrich.model import OutboxState
from f2b_enrich.store import bounces, digests, outbox
from f2b_enrich.store.bounces import Returned
from tests.digests import RECIPIENT
from tests.stores import NOW, StoreBuilder

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def back(store: StoreBuilder, at: datetime) -> None:
    """Let a mail come back."""
    row_id = store.mail(None, state=OutboxState.SENT, at=at)
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        returned = Returned(
            message_id=row.message_id, recipient=None, status="5.1.1", diagnostic=None
        )
        bounces.note(connection, returned, now=at)


def told(
    store: StoreBuilder,
    at: datetime,
    *,
    kind: DigestKind = "daily",
    since: timedelta = DAY,
    to: str = RECIPIENT,
) -> int:
    """Make a digest; tell of how many bounces it tells, now and when it is retried."""
    with store.writing() as connection:
        mail = outbox.NewMail(
            kind="digest",
            ban_id=None,
            recipient=to,
            sender="root@web1",
            message_id="<digest@web1>",
            due_at=at,
        )
        row_id = outbox.add(connection, mail, now=at)
        period = Period(kind=kind, since=at - since, until=at)
        digests.note_period(connection, row_id, period)
    counts = [_count(store, row_id)]
    with store.writing() as connection:
        later = at + timedelta(minutes=5)
        outbox.retry(connection, row_id, sender="", now=later)
    assert [_count(store, row_id)] == counts
    return counts[0]


def _count(store: StoreBuilder, row_id: int) -> int:
    with store.reading() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        known = known_of(connection, row)
    assert isinstance(known, AboutMany)
    return sum(each.mails for each in known.came_back)


def test_a_bounce_between_two_digests_is_in_the_next(store: StoreBuilder) -> None:
    assert told(store, NOW) == 0
    back(store, NOW + HOUR)

    assert told(store, NOW + DAY + 2 * HOUR) == 1


def test_a_bounce_is_in_one_digest_whatever_its_kind(store: StoreBuilder) -> None:
    back(store, NOW - HOUR)
    back(store, NOW)  # at that time: it is for the next one

    assert told(store, NOW, kind="hourly", since=HOUR) == 1
    assert told(store, NOW + HOUR) == 1
    assert told(store, NOW + 2 * HOUR, kind="weekly", since=7 * DAY) == 0
    assert told(store, NOW + 2 * HOUR, to="b@admins.net") == 2


def test_the_first_digest_tells_of_as_long_as_it_is_about(store: StoreBuilder) -> None:
    back(store, NOW - 2 * HOUR)
    back(store, NOW - HOUR)

    assert told(store, NOW, since=HOUR) == 1


def test_a_clock_that_was_set_back_loses_no_bounce(store: StoreBuilder) -> None:
    assert told(store, NOW + 3 * DAY) == 0
    back(store, NOW - HOUR)

    assert told(store, NOW) == 1


def test_a_note_names_the_recipient_and_the_reason(store: StoreBuilder) -> None:
    back(store, NOW)
    back(store, NOW)
    with store.reading() as connection:
        found = bounces.by_recipient(connection, since=NOW, until=NOW + HOUR)

    (note,) = bounce_notes(found, host="web1")

    assert note.words == ("2 mails to noc@admins.net", "came back:", "5.1.1")
