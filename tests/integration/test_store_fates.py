"""Each alert is followed to the mail that tells of its ban."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.figures import Period
from f2b_enrich.model import OutboxState
from f2b_enrich.store import fates, outbox
from tests.digests import DAY, add_digest, fold
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.store.fates import Fate


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def of_ban(store: StoreBuilder, ban_id: str) -> tuple[Fate, ...]:
    with store.reading() as connection:
        return fates.of_ban(connection, ban_id)


def in_view(store: StoreBuilder, ban_id: str) -> tuple[int | None, str | None]:
    with store.reading() as connection:
        row = connection.execute(
            "SELECT mail_id, told_at FROM ban_log WHERE id = ?", (ban_id,)
        ).fetchone()
    return row["mail_id"], row["told_at"]


def send(store: StoreBuilder, row_id: int) -> None:
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        outbox.sent(connection, row, now=NOW + timedelta(hours=11))


def test_a_ban_without_a_mail_has_no_fate(store: StoreBuilder) -> None:
    (ban,) = store.record(event())

    assert of_ban(store, ban) == ()
    assert in_view(store, ban) == (None, None)


def test_an_alert_of_its_own_is_followed_nowhere(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    first = store.mail(ban, state=OutboxState.SENT)
    store.mail(ban, state=OutboxState.DEAD, recipient="b@admins.net")

    found = of_ban(store, ban)

    assert [(each.alert.recipient, each.alert.state) for each in found] == [
        ("noc@admins.net", OutboxState.SENT),
        ("b@admins.net", OutboxState.DEAD),
    ]
    assert {each.instead for each in found} == {None}
    assert in_view(store, ban) == (first, "2026-11-21T20:14:03Z")


def test_one_that_is_folded_is_followed_to_its_digest(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    digest = add_digest(store)
    fold(store, [ban], digest)

    (fate,) = of_ban(store, ban)

    assert fate.instead is not None
    assert (fate.instead.row.id, fate.instead.row.kind) == (digest, "digest")
    assert fate.instead.period == Period(kind="daily", since=DAY.since, until=DAY.until)
    assert in_view(store, ban) == (digest, None)
    send(store, digest)
    assert in_view(store, ban) == (digest, "2026-11-22T07:14:03Z")


def test_one_that_another_alert_tells_of_is_followed_to_where_that_went(
    store: StoreBuilder,
) -> None:
    one, two = store.record(event(), event(jail="recidive"))
    digest = add_digest(store)
    fold(store, [one], digest)
    with store.reading() as connection:
        (alert,) = fates.of_ban(connection, one)
    fold(store, [two], alert.alert.id)
    send(store, digest)

    (fate,) = of_ban(store, two)

    assert fate.instead is not None
    assert fate.instead.row.id == digest
    assert in_view(store, two) == (digest, "2026-11-22T07:14:03Z")


def test_an_alert_has_no_period(store: StoreBuilder) -> None:
    one, two = store.record(event(), event(jail="recidive"))
    alert = store.mail(one)
    fold(store, [two], alert)

    (fate,) = of_ban(store, two)

    assert fate.instead is not None
    assert (fate.instead.row.id, fate.instead.period) == (alert, None)


def test_a_circle_of_rows_has_an_end(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    fold(store, [ban], add_digest(store))
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET folded_into = 3 - id, state = 'folded'")

    (fate,) = of_ban(store, ban)

    assert fate.instead is not None
    assert in_view(store, ban)[1] is None


def test_a_mail_that_is_gone_tells_of_nothing(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    fold(store, [ban], add_digest(store))
    with store.writing() as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("DELETE FROM digests")
        (fate,) = fates.of_ban(connection, ban)
        assert fate.instead is not None
        assert fate.instead.period is None
        alert = fate.alert
        connection.execute("UPDATE outbox SET folded_into = NULL")
        connection.execute("DELETE FROM outbox WHERE id = ?", (fate.instead.row.id,))
        assert fates.instead(connection, alert) is None
