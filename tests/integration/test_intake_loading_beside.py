"""Logs loaded at once into a store that others want to write to, or read."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from f2b_enrich.intake import writing
from f2b_enrich.intake.portions import Portion
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.store import loading as store_loading
from f2b_enrich.store.connection import open_writer, openers_waiting, transaction
from f2b_enrich.store.intake import Brought, take_in
from tests.loaded import (
    BEGIN,
    NOW,
    Part,
    a_log,
    a_store,
    a_writer,
    bans_in,
    contents,
    file_of,
    many_bans,
    written,
)


def test_a_ban_that_somebody_else_records_meanwhile_stays_one() -> None:
    live = Brought(
        sighting=Sighting("ban", "failure", "live", BEGIN - 2, "sshd"), reference=""
    )

    def record() -> None:
        with open_writer(file_of(store)) as other, transaction(other):
            brought = {("web1", "192.0.2.7"): [live]}
            take_in(other, brought, now=NOW, look_up="full")

    with a_store() as store, a_store() as expected:
        written(store, a_log(), between=record)
        with transaction(expected):
            brought = {("web1", "192.0.2.7"): [live]}
            take_in(expected, brought, now=NOW, look_up="full")
        written(expected, a_log(), is_daemon_there=lambda: True)

        assert len(bans_in(store)) == 2
        assert bans_in(store) == bans_in(expected)
        assert contents(store)["found"] == contents(expected)["found"]


def test_somebody_else_may_write_while_bans_are_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "MOST_ADDRESSES", 2)
    monkeypatch.setattr(store_loading, "ADDRESSES_GIVEN", 3)
    many = many_bans(20)
    looks = iter([False])

    def is_daemon_there() -> bool:
        return next(looks, True)

    def note_a_host(_: float) -> None:
        with transaction(daemon):
            daemon.execute("UPDATE hosts SET timezone = hex(randomblob(8))")

    with (
        a_store() as store,
        open_writer(file_of(store)) as daemon,
        a_writer(store, is_daemon_there, pause=note_a_host) as (writer, _),
    ):
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        writer.add(Portion())
        writer.flush()

        assert len(bans_in(store)) == len(many)
        assert writer.taken["new"] == len(many)


def test_a_daemon_that_starts_before_the_end_is_not_kept_waiting() -> None:
    """However long the last part of a log was waited for."""
    statements: list[str] = []
    looks = iter([False])
    with a_store() as store, a_store() as line_by_line:
        with a_writer(store, lambda: next(looks, True)) as (writer, _):
            writer.add(a_log()[0].portion(Counter()))
            store.set_trace_callback(statements.append)
            writer.flush()
            store.set_trace_callback(None)
        written(line_by_line, a_log(), is_daemon_there=lambda: True)

        assert not [each for each in statements if "DROP INDEX" in each]
        assert contents(store) == contents(line_by_line)


def test_a_daemon_that_starts_before_places_are_noted_is_not_kept_waiting() -> None:
    statements: list[str] = []
    with a_store() as store, a_store() as line_by_line:

        def is_daemon_there() -> bool:
            return bool(bans_in(store))

        with a_writer(store, is_daemon_there) as (writer, _):
            writer.add(a_log()[0].portion(Counter()))
            store.set_trace_callback(statements.append)
            writer.flush()
            store.set_trace_callback(None)
        written(line_by_line, a_log(), is_daemon_there=lambda: True)

        assert [each for each in statements if "DROP INDEX" in each]
        assert not [each for each in statements if "FROM loaded_found" in each]
        assert contents(store) == contents(line_by_line)


def test_a_daemon_that_starts_finds_what_was_written_copied_back() -> None:
    """It would do that itself while its first ban waits: half a gigabyte."""
    with a_store() as store:

        def is_daemon_there() -> bool:
            return bool(bans_in(store))

        written(store, a_log(), is_daemon_there)
        with closing(sqlite3.connect(copy_of(file_of(store)))) as copy:
            assert len(copy.execute("SELECT ip FROM bans").fetchall()) == 2


def copy_of(store: Path) -> Path:
    """Copy a store without its write-ahead log."""
    return Path(shutil.copy(store, store.with_name("copy.db")))


def test_who_opens_the_store_waits_until_places_are_noted() -> None:
    """They would give up after ten seconds; millions of counts take longer."""
    waiting: list[bool] = []

    def look(statement: str) -> None:
        if "INTO found_counts" in statement:
            lock = file_of(store).with_name("bans.db.lock")
            with lock.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting.append(True)
                else:
                    waiting.append(False)

    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        writer.add(a_log()[0].portion(Counter()))
        store.set_trace_callback(look)
        writer.flush()
        store.set_trace_callback(None)

    assert waiting == [True]


def test_bans_written_before_somebody_else_wrote_are_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In parts, where the store has many already."""
    monkeypatch.setattr(store_loading, "AT_ONCE", 10)
    many = many_bans(60)
    begun = 0

    def disturb(statement: str) -> None:
        nonlocal begun
        begun += statement == "BEGIN IMMEDIATE"
        if begun == 2 and not in_store:
            in_store.append(len(bans_in(other)))
            with transaction(other):
                other.execute("UPDATE hosts SET timezone = hex(randomblob(8))")

    in_store: list[int] = []
    with a_store() as store, open_writer(file_of(store)) as other:
        written(store, [Part("old.log", many[:40], (), 1)])
        with a_writer(store, lambda: False) as (writer, _):
            writer.add(Part("fail2ban.log", many[40:], (), 1).portion(Counter()))
            store.set_trace_callback(disturb)
            writer.flush()
            store.set_trace_callback(None)

        assert in_store == [50]
        assert len(bans_in(store)) == len(many)
        assert writer.taken["new"] == 20


@pytest.mark.parametrize("name", ["bans.db", "link.db"])
def test_who_opens_the_store_for_writing_waits_for_it(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    (tmp_path / "link.db").symlink_to("bans.db")
    with open_writer(tmp_path / "bans.db"):
        pass
    opened = threading.Event()

    def open_it() -> None:
        with open_writer(path):
            opened.set()

    with open_writer(path) as store:
        waiting = threading.Thread(target=open_it)
        with openers_waiting(store):
            waiting.start()
            assert not opened.wait(0.3)
        waiting.join(30)
    assert opened.is_set()


def test_readers_go_on_meanwhile() -> None:
    read: list[int] = []

    def look(statement: str) -> None:
        if "CREATE INDEX" in statement:
            with closing(sqlite3.connect(file_of(store), timeout=0)) as other:
                read.append(other.execute("SELECT count(*) FROM bans").fetchone()[0])

    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        writer.add(a_log()[0].portion(Counter()))
        path = file_of(store)
        assert path.exists()
        store.set_trace_callback(look)
        writer.flush()
        store.set_trace_callback(None)
        assert read
        assert set(read) == {0}
        assert len(bans_in(store)) == 2
