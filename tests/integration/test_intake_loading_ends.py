"""Logs loaded at once into a store: what fails or is stopped leaves it as it was."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.intake import target
from f2b_enrich.intake.stopping import StoppedError
from f2b_enrich.store import loading as store_loading
from tests.loaded import (
    Part,
    a_log,
    a_store,
    a_writer,
    bans_in,
    contents,
    many_bans,
)


def test_gathering_that_fails_leaves_no_transaction() -> None:
    with a_store() as store:
        load = store_loading.Load(store)
        with pytest.raises(OverflowError):
            load.add_found([(0, "2026-11-12", "192.0.2.7", "web1", "sshd", 1 << 64)])

        assert not store.in_transaction


def test_whoever_stops_it_finds_the_store_as_it_was() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, stop):
        writer.add(a_log()[0].portion(Counter()))
        before = contents(store)
        stop.want()
        with pytest.raises(StoppedError):
            writer.flush()

        assert not store.in_transaction
        assert contents(store) == before
        assert bans_in(store) == []


def test_a_statement_is_stopped_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the signal's handler, which runs while SQLite does."""
    with a_store() as store, a_writer(store, lambda: False) as (writer, stop):
        many = many_bans(20_000)
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        schema = contents(store)["schema"]
        store.set_trace_callback(
            lambda statement: stop.want() if "INTO bans" in statement else None
        )
        monkeypatch.setattr(target, "_STEPS_OF_MACHINE", 1000)
        with pytest.raises(StoppedError):
            writer.flush()
        store.set_trace_callback(None)

        assert bans_in(store) == []
        assert contents(store)["schema"] == schema
        with a_writer(store, lambda: False) as (again, _):
            again.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
            again.flush()
        assert len(bans_in(store)) == len(many)
        assert again.taken["new"] == len(many)


def test_a_full_disk_leaves_the_store_as_it_was() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        many = many_bans(5000)
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        before = contents(store)
        pages = store.execute("PRAGMA page_count").fetchone()[0]
        store.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            writer.flush()

        assert contents(store) == before
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_without_room_for_temporary_files_it_says_so() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        store.execute("CREATE TEMP TABLE first (a)")
        store.execute("PRAGMA temp.max_page_count = 10")
        writer.add(Part("log", many_bans(5000), (), 0).portion(Counter()))
        with pytest.raises(StoreError, match=r"SQLITE_TMPDIR.*/var/tmp.* is full"):
            writer.flush()

        assert not store.in_transaction
        assert bans_in(store) == []
