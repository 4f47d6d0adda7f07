"""What the store knows of a flood, for the mails that tell of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.alerts import floods as rules
from f2b_enrich.figures import Period
from f2b_enrich.store import floods, outbox
from tests.digests import RECIPIENT, add_digest, fold
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.store.floods import About, FloodFacts

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def begin(store: StoreBuilder, *, to: str = RECIPIENT) -> int:
    """Let a flood begin now; give its row."""
    with store.writing() as connection:
        flood = rules.begin(held=7, now=NOW)
        return floods.begin(connection, to, "root@web1", flood).id


def tell(
    store: StoreBuilder, row_id: int, about: About, *, at: datetime = NOW
) -> FloodFacts:
    """Queue a mail about it, and read what it tells."""
    with store.writing() as connection:
        mail = outbox.NewMail(
            kind="flood",
            ban_id=None,
            recipient=RECIPIENT,
            sender="root@web1",
            message_id=f"<flood-{about}.0.{row_id}@web1>",
            due_at=at,
            about=about,
        )
        mail_id = outbox.add(connection, mail, now=at)
        floods.told(connection, row_id, about=about, mail=mail_id)
        if about == "ended":
            floods.end(connection, row_id, now=at)
        found = floods.facts(connection, mail_id)
    assert found is not None
    return found


def came(store: StoreBuilder, count: int, *, at: datetime) -> None:
    store.record(
        *(event(f"198.51.100.{each}", at=at, lines=()) for each in range(count))
    )


def test_the_first_mail_divides_by_no_time_that_is_to_come(store: StoreBuilder) -> None:
    came(store, 120, at=NOW)

    found = tell(store, begin(store), "began")

    assert (found.rush.count.bans, found.counted_over) == (120, MINUTE)


def test_the_first_mail_counts_a_minute_on_if_it_is_late(store: StoreBuilder) -> None:
    came(store, 2, at=NOW + 59 * SECOND)
    came(store, 4, at=NOW + 3 * MINUTE)

    found = tell(store, begin(store), "began", at=NOW + timedelta(hours=1))

    assert (found.rush.count.bans, found.counted_over) == (2, 2 * MINUTE)


def test_the_first_mail_counts_although_the_clock_was_set_back(
    store: StoreBuilder,
) -> None:
    came(store, 2, at=NOW - SECOND)

    found = tell(store, begin(store), "began", at=NOW - timedelta(hours=1))

    assert (found.rush.count.bans, found.counted_over) == (2, MINUTE)


def test_each_mail_tells_of_its_own_time(store: StoreBuilder) -> None:
    came(store, 3, at=NOW)
    came(store, 200, at=NOW + 20 * MINUTE)
    row_id = begin(store)

    began = tell(store, row_id, "began")
    ended = tell(store, row_id, "ended", at=NOW + 40 * MINUTE)

    assert (began.rush.count.bans, began.counted_over) == (3, MINUTE)
    assert (ended.row.began_mail, ended.row.ended_mail) == (1, 2)
    assert ended.rush.count.bans == 203
    with store.reading() as connection:  # a first mail that leaves after the end
        again = floods.facts(connection, 1)
    assert again is not None
    assert (again.rush.count.bans, again.counted_over) == (3, MINUTE)


def test_only_digests_with_bans_for_the_recipient_are_counted(
    store: StoreBuilder,
) -> None:
    first, second = store.record(event(), event("192.0.2.8"))
    row_id = begin(store)
    period = Period(kind="flood", since=NOW - MINUTE, until=NOW + MINUTE)
    mine, others = add_digest(store, period), add_digest(store, period)
    fold(store, (first,), mine)
    fold(store, (second,), others)
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET recipient = 'b@admins.net' WHERE folded_into = ?",
            (others,),
        )
        # Both go to one address.
        connection.execute(
            "UPDATE outbox SET state = 'sent', recipient = 'team@admins.net' "
            "WHERE kind = 'digest'"
        )

    assert tell(store, row_id, "ended", at=NOW + 9 * MINUTE).digests == 1
