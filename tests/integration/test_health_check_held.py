"""`check` says what no digest takes, who has a flood, and which digests are dead."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.alerts import floods as rules
from f2b_enrich.config import Settings
from f2b_enrich.health import check_held, figures
from f2b_enrich.model import OutboxState
from f2b_enrich.store import floods
from tests.digests import add_digest, fold
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.health.links import Link

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    builder = StoreBuilder(tmp_path / "bans.db")
    builder.record(event())
    return builder


def look(store: StoreBuilder, **digest: object) -> list[Link]:
    settings = Settings.model_validate(
        {"store": {"path": store.path}, "digest": digest}
    )
    return list(check_held.links(settings, now=NOW))


def hold(store: StoreBuilder, ago: timedelta, to: str = "noc@admins.net") -> None:
    at = NOW - ago
    store.mail(store.ids[0], state=OutboxState.HELD, at=at, recipient=to)


def test_without_a_store_or_anything_held_nothing_is_told(
    tmp_path: Path, store: StoreBuilder
) -> None:
    store.mail(store.ids[0], at=NOW - 9 * DAY)

    assert look(StoreBuilder(tmp_path / "none.db")) == []
    assert look(store) == []


def test_bans_that_no_digest_takes_are_a_warning(store: StoreBuilder) -> None:
    hold(store, 2 * DAY)
    assert look(store) == []

    hold(store, 3 * DAY + HOUR)
    hold(store, 5 * DAY, "b@admins.net")
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET about = 'brake' WHERE id = 1")

    one, two = look(store)
    assert (one.name, one.level) == ("held", "WARN")
    assert one.text == (
        "1 ban for b@admins.net in no digest yet, the oldest for 5 days"
    )
    assert two.text == (
        "2 bans for noc@admins.net in no digest yet, the oldest for 3 days"
    )
    assert two.cure.startswith("f2b-enrich outbox list --state held tells why")


def test_a_weekly_digest_may_take_its_time(store: StoreBuilder) -> None:
    weekly = {"daily": "", "weekly": "mon 07:00"}
    hold(store, 8 * DAY)
    assert look(store, **weekly) == []
    assert len(look(store, **weekly, hourly=True)) == 1

    hold(store, 10 * DAY)
    assert len(look(store, **weekly)) == 1


def test_where_no_digest_is_configured_one_is_advised(store: StoreBuilder) -> None:
    hold(store, 3 * DAY)

    (found,) = look(store, daily="")

    assert found.cure == 'no digest is configured: set digest.daily = "07:00"'


def test_a_flood_that_goes_on_is_a_warning(store: StoreBuilder) -> None:
    flood = rules.begin(held=4310, now=NOW - HOUR)
    with store.writing() as connection:
        floods.begin(connection, "noc@admins.net", "root@web1", flood)
        over = floods.begin(connection, "b@admins.net", "root@web1", flood)
        floods.end(connection, over.id, now=NOW)

    (found,) = look(store)

    assert (found.name, found.level) == ("flood", "WARN")
    local = (NOW - HOUR).astimezone()
    assert found.text == (
        f"more bans than mails for noc@admins.net since {local:%Y-%m-%d %H:%M %Z}: "
        "4,310 bans held for digests"
    )
    assert found.cure == (
        "f2b-enrich bans list --since 2026-11-21T19:14:03Z tells whose; [alerts] says "
        "how many mails are too many"
    )


def test_a_dead_digest_is_a_warning_with_the_bans_it_names(
    store: StoreBuilder,
) -> None:
    digest = add_digest(store)
    fold(store, store.ids, digest)
    fold(store, store.ids, digest)  # for another of its recipients
    other = add_digest(store)
    for row_id, why in ((digest, "550 no"), (other, None)):
        with store.writing() as connection:
            connection.execute(
                "UPDATE outbox SET state = 'dead', last_error = ? WHERE id = ?",
                (why, row_id),
            )

    two, one = look(store)

    assert (one.name, one.level) == ("digests", "WARN")
    assert one.text == (
        f"digest {digest} to noc@admins.net given up, 1 ban told of nowhere else: "
        "550 no"
    )
    assert one.cure == f"f2b-enrich outbox retry {digest}"
    assert two.text.endswith(": no reason kept")


def test_monitoring_gets_how_many_are_held(store: StoreBuilder) -> None:
    hold(store, HOUR)
    hold(store, HOUR, "b@admins.net")
    store.mail(store.ids[0], at=NOW - HOUR)

    found = figures.read(store.path, midnight=NOW - DAY, now=NOW, spool=0)

    assert list(found.known().items()) == [
        ("bans_today", 1),
        ("spool", 0),
        ("due", 1),
        ("dead", 0),
        ("oldest_due_s", 3600),
        ("held", 1),  # one ban, whoever waits for it
    ]
