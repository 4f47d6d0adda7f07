"""Portions written beside a daemon, and without one: what a transaction holds."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.importing.records import Record
from f2b_enrich.intake.daemon_lock import seeing_daemon
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.portions import Portion, Step
from f2b_enrich.intake.remembering import reached
from f2b_enrich.intake.stopping import Stop, StoppedError
from f2b_enrich.intake.writing import WANTED_TRANSACTION, Writer
from f2b_enrich.store.connection import (
    held_by_daemon,
    open_writer,
    openers_waiting,
    transaction,
)
from f2b_enrich.store.turns import SHORTEST_PAUSE
from tests import imports

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMES = Names(host="web1")
BANS = 120


class Seconds:
    """A clock that passes a fixed time with every transaction."""

    def __init__(self, of_transaction: float) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._of_transaction = of_transaction

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def traced(self, statement: str) -> None:
        if statement == "COMMIT":
            self.now += self._of_transaction


class Transactions:
    """Counts what is written in each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._before = 0
        self.sizes: list[int] = []

    def traced(self, statement: str) -> None:
        if statement == "COMMIT":
            bans = self._connection.execute("SELECT count(*) FROM bans").fetchone()[0]
            self.sizes.append(bans - self._before)
            self._before = bans


def a_portion(count: int = BANS, *, first: int = 0) -> Portion:
    portion = Portion()
    for number in range(first, first + count):
        record = Record(
            kind="ban",
            ip=f"2001:db8::{number:x}",
            jail="sshd",
            at=NOW,
            time_source="ban",
            origin="log",
        )
        portion.add(record, NAMES, reference="fail2ban.log", now=NOW)
    return portion


@contextmanager
def a_writer(
    store: sqlite3.Connection, *, daemon: bool, seconds: Seconds
) -> Iterator[tuple[Writer, Stop]]:
    with imports.a_writer(
        store,
        now=NOW,
        is_daemon_there=lambda: daemon,
        clock=seconds,
        pause=seconds.pause,
    ) as writer:
        yield writer


def of_one_address(count: int) -> Portion:
    portion = Portion()
    for number in range(count):
        record = Record(
            kind="ban",
            ip="2001:db8::7",
            jail="sshd",
            at=NOW - timedelta(days=2 * number),
            time_source="ban",
            origin="log",
        )
        portion.add(record, NAMES, reference="fail2ban.log", now=NOW)
    return portion


def sizes(
    store: sqlite3.Connection, *portions: Portion, daemon: bool, seconds: Seconds
) -> list[int]:
    """Write portions; tell how many bans each transaction held."""
    transactions = Transactions(store)

    def traced(statement: str) -> None:
        store.set_trace_callback(None)  # not of what is asked meanwhile
        seconds.traced(statement)
        transactions.traced(statement)
        store.set_trace_callback(traced)

    with a_writer(store, daemon=daemon, seconds=seconds) as (writer, _):
        store.set_trace_callback(traced)
        for portion in portions or (a_portion(),):
            writer.add(portion)
        writer.flush()
        store.set_trace_callback(None)
    return transactions.sizes


def test_the_bans_of_one_address_are_parted_too(store: sqlite3.Connection) -> None:
    """Each part is as large as what is there, which is read for it."""
    some = sizes(store, of_one_address(1000), daemon=True, seconds=Seconds(1.0))
    assert some == [20, 20, 40, 80, 160, 320, 360]


def write_all(writer: Writer, portion: Portion) -> None:
    writer.add(portion)
    writer.flush()


def test_without_a_daemon_small_portions_are_written_at_once(
    store: sqlite3.Connection,
) -> None:
    seconds = Seconds(9.0)
    portions = [a_portion(first=number * BANS) for number in range(5)]
    found = sizes(store, *portions, daemon=False, seconds=seconds)
    assert found == [5 * BANS]
    assert seconds.pauses == []


def test_beside_a_daemon_slow_transactions_become_small(
    store: sqlite3.Connection,
) -> None:
    seconds = Seconds(WANTED_TRANSACTION * 10)
    found = sizes(store, daemon=True, seconds=seconds)

    assert sum(found) == BANS
    assert max(found[1:]) <= found[0] // 10
    # Others get the store for as long as they may have had to wait.
    assert min(seconds.pauses[1:]) >= WANTED_TRANSACTION * 10 - 1e-9


def test_beside_a_daemon_quick_transactions_grow_by_and_by(
    store: sqlite3.Connection,
) -> None:
    seconds = Seconds(WANTED_TRANSACTION / 1000)
    found = sizes(store, daemon=True, seconds=seconds)

    assert sum(found) == BANS
    assert all(later <= 2 * before for before, later in pairwise(found))
    assert min(seconds.pauses[1:]) >= SHORTEST_PAUSE - 1e-9


def test_whoever_stops_it_finds_whole_transactions(store: sqlite3.Connection) -> None:
    with a_writer(store, daemon=True, seconds=Seconds(0.0)) as (writer, stop):
        stop.want()
        with pytest.raises(StoppedError):
            write_all(writer, a_portion())
    assert not store.in_transaction
    assert store.execute("SELECT count(*) FROM bans").fetchone()[0] == 0


def test_another_import_that_loads_for_long_is_waited_for(
    store: sqlite3.Connection,
) -> None:
    """SQLite itself is patient for ten seconds alone."""
    holds, may_end = threading.Event(), threading.Event()

    def load() -> None:
        with open_writer(path) as other, openers_waiting(other), transaction(other):
            holds.set()
            may_end.wait(60)

    path = Path(store.execute("PRAGMA database_list").fetchone()["file"])
    store.execute("PRAGMA busy_timeout = 50")
    with a_writer(store, daemon=False, seconds=Seconds(1.0)) as (writer, _):
        loading = threading.Thread(target=load)
        loading.start()
        assert holds.wait(60)
        threading.Timer(0.5, may_end.set).start()
        write_all(writer, a_portion())
        loading.join(60)

    assert writer.taken["new"] == BANS


def test_a_place_is_not_noted_before_those_before_it(
    store: sqlite3.Connection,
) -> None:
    def noted() -> list[int]:
        rows = store.execute("SELECT json_extract(place, '$.position') FROM imports")
        return [row[0] for row in rows]

    def write(after: int | None, position: int) -> None:
        step = Step(
            kind="mailbox",
            name="a.mbox",
            fingerprint="f",
            host="web1",
            place={"position": position, "mark": ""},
            after=after,
            until=position,
        )
        writer.add(Portion(steps=[step]))
        writer.flush()

    assert reached(store, "mailbox", "web1") == {}
    with a_writer(store, daemon=False, seconds=Seconds(0.0)) as (writer, _):
        write(20, 30)
        assert noted() == []
        write(None, 10)
        assert noted() == [10]
        write(10, 20)
        assert noted() == [30]
    assert reached(store, "mailbox", "web1")["f"]["position"] == 30


def test_a_daemon_is_seen_by_its_lock(tmp_path: Path) -> None:
    is_there = seeing_daemon(tmp_path / "bans.db")
    assert not is_there()
    with held_by_daemon(tmp_path / "bans.db"):
        assert is_there()
    assert not is_there()


def test_where_no_locks_can_be_seen_a_daemon_is_assumed(tmp_path: Path) -> None:
    (tmp_path / "bans.db.daemon").touch()
    assert seeing_daemon(tmp_path / "bans.db", locks=tmp_path / "none")()
