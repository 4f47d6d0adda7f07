"""What is too old: limits, what is noted of them, and which bans lose what."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f2b_enrich.store import retention
from f2b_enrich.store.connection import open_writer
from f2b_enrich.store.purging import Purge
from f2b_enrich.store.retention import Limits, Purged, Removed
from tests.stores import LINES, NOW, StoreBuilder, event

if TYPE_CHECKING:
    import sqlite3

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def days_ago(days: float) -> datetime:
    return NOW - days * DAY


@pytest.mark.parametrize(
    ("lines", "bans", "expected"),
    [
        (180, 0, Limits(lines=days_ago(180), bans=None)),
        (180, 365, Limits(lines=days_ago(180), bans=days_ago(365))),
        # A ban goes with its lines.
        (180, 30, Limits(lines=days_ago(30), bans=days_ago(30))),
        (0, 30, Limits(lines=days_ago(30), bans=days_ago(30))),
        (0, 0, Limits(lines=None, bans=None)),
    ],
)
def test_limits_are_counted_back_in_days(
    lines: int, bans: int, expected: Limits
) -> None:
    assert Limits.of_days(lines=lines, bans=bans, now=NOW) == expected


def test_a_limit_before_the_calendar_keeps_everything() -> None:
    limits = Limits.of_days(lines=36_500, bans=0, now=datetime(2, 1, 1, tzinfo=UTC))

    assert limits.lines is not None
    assert limits.lines.year == 1


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    store = StoreBuilder(tmp_path / "bans.db")
    with store.writing():
        return store


def note(store: StoreBuilder, limits: Limits, *, now: datetime = NOW) -> bool:
    with store.writing() as connection:
        return retention.note(connection, limits, now=now)


def purged(store: StoreBuilder) -> Purged:
    with store.reading() as connection:
        return retention.purged(connection)


def test_what_was_purged_is_known_before_it_is_done(store: StoreBuilder) -> None:
    assert purged(store) == Purged(lines=None, bans=None)

    assert note(store, Limits(lines=days_ago(180), bans=None))
    assert purged(store) == Purged(lines=days_ago(180), bans=None)

    note(store, Limits(lines=days_ago(9), bans=days_ago(90)))
    assert purged(store) == Purged(lines=days_ago(9), bans=days_ago(90))


def test_what_is_gone_stays_noted_when_more_is_kept_again(store: StoreBuilder) -> None:
    note(store, Limits(lines=days_ago(30), bans=days_ago(90)))
    note(store, Limits(lines=days_ago(180), bans=None))

    assert purged(store) == Purged(lines=days_ago(30), bans=days_ago(90))


def test_a_note_by_a_clock_that_was_ahead_is_put_right(store: StoreBuilder) -> None:
    ahead = NOW + 4000 * DAY
    note(store, Limits(lines=ahead - DAY, bans=None), now=ahead)
    note(store, Limits(lines=days_ago(180), bans=None))

    assert purged(store) == Purged(lines=days_ago(180), bans=None)


def test_a_purge_that_did_not_end_is_told_once_it_has(store: StoreBuilder) -> None:
    limits = Limits(lines=days_ago(180), bans=None)
    assert note(store, limits)
    assert not note(store, limits)
    with store.writing() as connection:
        assert retention.last_purge(connection) is None
        retention.finish(connection, now=NOW)
        assert retention.last_purge(connection) == NOW

    assert note(store, limits)


def test_nothing_is_counted_where_everything_is_kept(store: StoreBuilder) -> None:
    store.record(event(at=days_ago(4000)))
    for_ever = Limits(lines=None, bans=None)

    with store.reading() as connection:
        found = retention.would_remove(connection, for_ever, now=NOW)

    assert found == Removed()


def left(connection: sqlite3.Connection, query: str) -> set[str]:
    return {row[0] for row in connection.execute(query)}


ages = st.integers(0, 40 * 86_400).map(lambda seconds: seconds * SECOND)


@given(
    ages=st.lists(ages, max_size=6, unique=True),
    lines=st.integers(0, 40),
    bans=st.integers(0, 40),
)
@example(ages=[10 * DAY - SECOND, 10 * DAY, 10 * DAY + SECOND], lines=10, bans=0)
@example(ages=[10 * DAY - SECOND, 10 * DAY, 10 * DAY + SECOND], lines=0, bans=10)
def test_what_is_older_goes_and_nothing_else(
    ages: list[timedelta], lines: int, bans: int
) -> None:
    limits = Limits.of_days(lines=lines, bans=bans, now=NOW)
    with tempfile.TemporaryDirectory() as folder:
        store = StoreBuilder(Path(folder) / "bans.db")
        store.record(*(event(at=NOW - age) for age in ages))
        store.classify()
        with open_writer(store.path) as connection:
            expected = retention.would_remove(connection, limits, now=NOW)
            purge = Purge(
                connection,
                limits,
                now=lambda: NOW,
                clock=lambda: 0.0,
                pause=lambda _: None,
            )
            purge.run()
            kept = left(connection, "SELECT id FROM bans")
            with_lines = left(connection, "SELECT ban_id FROM log_lines")
            with_values = left(connection, "SELECT ban_id FROM observed")

    stays = {
        ban: not bans or age <= bans * DAY
        for ban, age in zip(store.ids, ages, strict=True)
    }
    whole = {
        ban: stays[ban] and (not lines or age <= lines * DAY)
        for ban, age in zip(store.ids, ages, strict=True)
    }
    assert kept == {ban for ban, is_kept in stays.items() if is_kept}
    assert with_lines == with_values == {ban for ban, has in whole.items() if has}
    assert purge.removed == expected
    assert expected.lines == len(LINES) * (len(ages) - len(with_lines))
    assert expected.bans == len(ages) - len(kept)
