"""Up to where something was read, and what logs found: nothing is counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store import found, imports
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.found import FoundOn
from f2b_enrich.store.imports import Import
from f2b_enrich.store.purging import Purge
from f2b_enrich.store.retention import Limits
from tests.events import HOST

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FIRST = date(2024, 2, 27)
LOG = Import(
    kind="fail2ban-log",
    fingerprint="5f0c",
    name="/var/log/fail2ban.log",
    place={"position": 120, "clock": {"fold": 0}},
    first_year=2016,
    size=4096,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path / "bans.db") as connection:
        yield connection


def on(days: int, *, ip: str = "192.0.2.7") -> FoundOn:
    return FoundOn(host=HOST, jail="sshd", ip=ip, day=FIRST + timedelta(days=days))


def read(store: sqlite3.Connection, log: Import, lines: dict[FoundOn, int]) -> int:
    with transaction(store):
        number = imports.note(store, log, now=NOW)
        found.add(store, number, lines)
    return number


def by_day(store: sqlite3.Connection) -> list[tuple[str, int]]:
    rows = store.execute("SELECT day, lines FROM found_by_day WHERE ip = '192.0.2.7'")
    return [tuple(row) for row in rows]


def test_a_place_is_read_as_it_was_noted(store: sqlite3.Connection) -> None:
    assert imports.find(store, LOG.kind, LOG.fingerprint) is None

    number = read(store, LOG, {})
    later = replace(LOG, place={"position": 4096}, name="log.1", is_finished=True)
    assert read(store, later, {}) == number
    other = read(store, replace(LOG, kind="mail"), {})

    noted = imports.find(store, LOG.kind, LOG.fingerprint)
    assert noted is not None
    assert (noted.read, noted.read_at) == (later, NOW)
    assert [each.id for each in imports.every(store)] == [other, number]


def test_what_a_log_finds_later_is_added(store: sqlite3.Connection) -> None:
    read(store, LOG, {on(0): 3, on(1): 2})
    read(store, LOG, {on(1): 5, on(1, ip="192.0.2.8"): 1})

    assert by_day(store) == [("2024-02-27", 3), ("2024-02-28", 7)]


def test_a_day_is_parted_at_a_rotation_and_whole_in_a_copy(
    store: sqlite3.Connection,
) -> None:
    read(store, LOG, {on(0): 1, on(1): 10, on(2): 4})
    read(store, replace(LOG, fingerprint="next"), {on(2): 3, on(3): 10, on(4): 1})
    assert [lines for _, lines in by_day(store)] == [1, 10, 7, 10, 1]

    whole = {on(0): 1, on(1): 10, on(2): 7, on(3): 10, on(4): 1}
    read(store, replace(LOG, fingerprint="all of it"), {on(-1): 9, **whole, on(5): 2})

    assert [lines for _, lines in by_day(store)] == [9, 1, 10, 7, 10, 1, 2]


def test_a_write_that_is_broken_off_counts_nothing(store: sqlite3.Connection) -> None:
    with pytest.raises(OverflowError):  # SQLite's numbers end at 63 bits
        read(store, LOG, {on(0): 3, on(1): 1 << 63})

    assert imports.find(store, LOG.kind, LOG.fingerprint) is None
    assert by_day(store) == []


def test_counts_go_with_bans_and_stay_away(store: sqlite3.Connection) -> None:
    many = {on(0, ip=f"2001:db8::{n:x}"): 1 for n in range(found.AT_ONCE + 5)}
    read(store, LOG, many | {on(0): 3, on(1): 4})
    before = datetime(2024, 2, 28, 15, tzinfo=UTC)
    purge = Purge(
        store,
        Limits(lines=before, bans=before),
        now=lambda: NOW,
        clock=lambda: 0.0,
        pause=lambda _: None,
    )

    assert purge.run()

    assert store.execute("SELECT count(*) FROM found_counts").fetchone()[0] == 1
    assert by_day(store) == [("2024-02-28", 4)]
    read(store, LOG, {on(0): 3, on(1): 1})
    assert by_day(store) == [("2024-02-28", 5)]
