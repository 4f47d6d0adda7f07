"""Logs loaded at once into a store: as if their lines had been taken one by one."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.importing.records import Record
from f2b_enrich.intake import loading
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.model import time_text
from f2b_enrich.store import loading as store_loading
from f2b_enrich.store.intake import Brought
from tests.loaded import (
    BEGIN,
    REPEATING,
    Part,
    a_log,
    a_store,
    bans_in,
    contents,
    written,
)

ips = st.sampled_from(["192.0.2.7", "192.0.2.8", "2001:db8::7", "attacker.example.org"])
times = st.integers(0, 200).map(lambda step: BEGIN + 100 * step)
jails = st.sampled_from(["sshd", "sshd", "dovecot", REPEATING])
bans = st.builds(
    lambda at, jail, ip, lasted: [
        (at, "ban", jail, ip),
        *([(at + lasted, "unban", jail, ip)] if lasted is not None else []),
    ],
    times,
    jails,
    ips,
    st.sampled_from([None, 0, 7, 600, 5000]),
)
event_lists = (
    st.lists(bans, max_size=6)
    .map(lambda some: [line for ban in some for line in ban])
    .flatmap(lambda lines: st.sampled_from([sorted(lines), lines]))
)
records = st.builds(
    lambda kind, at, jail, ip: Record(
        kind=kind[0],
        ip=ip,
        jail=jail,
        at=datetime.fromtimestamp(at, UTC),
        time_source="ban",
        origin="log",
        is_restored=kind[1],
        bantime_seconds=kind[2],
    ),
    st.sampled_from([("ban", True, None), ("prolong", False, -1), ("ban", False, -1)]),
    times,
    jails,
    ips,
)
known = st.lists(
    st.tuples(
        ips,
        st.builds(
            lambda kind, at, jail: Brought(
                sighting=Sighting(*kind, at, jail),  # type: ignore[call-arg]
                reference="",
            ),
            st.sampled_from(
                [
                    ("ban", "failure", "live"),
                    ("ban", "failure", "fail2ban-db"),
                    ("ban", "mailed", "mail"),
                    ("unban", "logged", "live"),
                ]
            ),
            times,
            jails,
        ),
    ),
    max_size=4,
)
parts = st.lists(
    st.builds(
        Part,
        st.sampled_from(["fail2ban.log", "fail2ban.log", "old.log"]),
        event_lists,
        st.lists(records, max_size=2),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(
    known,
    parts,
    st.sampled_from([1, 4, 1000]),
    st.sampled_from([1, 3, 1000]),
)
def test_what_is_loaded_is_what_is_taken_in_line_by_line(
    before_them: list[tuple[str, Brought]],
    some: list[Part],
    most: int,
    at_once: int,
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        a_store(before_them) as loaded,
        a_store(before_them) as line_by_line,
    ):
        patch.setattr(loading, "MOST_LOADED", most)
        patch.setattr(store_loading, "AT_ONCE", at_once)
        written(loaded, some)
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert contents(loaded) == contents(line_by_line)
        assert loaded.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Part,
            st.sampled_from(["fail2ban.log", "old.log"]),
            event_lists,
            st.just(()),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([3000, 12000]),
)
def test_what_was_purged_is_not_brought_back(some: list[Part], purged: int) -> None:
    """An end of what is not brought back may be taken for that of another ban."""
    before = datetime.fromtimestamp(BEGIN + purged, UTC)
    with a_store(purged=before) as loaded, a_store(purged=before) as line_by_line:
        written(loaded, some)
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert beginnings(loaded) == beginnings(line_by_line)
        assert all(at >= time_text(before) for _, _, at in beginnings(loaded))
        assert contents(loaded)["found"] == contents(line_by_line)["found"]


def beginnings(store: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(map(tuple, store.execute("SELECT ip, jail, banned_at FROM bans")))


@settings(max_examples=60, deadline=None)
@given(parts, st.integers(0, 8))
def test_a_daemon_that_starts_meanwhile_changes_nothing(
    some: list[Part], looks: int
) -> None:
    left = iter([False] * looks)
    with a_store() as loaded, a_store() as line_by_line:
        written(loaded, some, is_daemon_there=lambda: next(left, True))
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert contents(loaded) == contents(line_by_line)


def test_a_row_is_that_of_a_line_taken_by_itself() -> None:
    with a_store() as loaded, a_store() as line_by_line:
        taken = written(loaded, a_log())

        assert taken == written(line_by_line, a_log(), is_daemon_there=lambda: True)
        assert taken["new"] == 2
        assert every_column(loaded) == every_column(line_by_line)


def every_column(store: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return list(map(tuple, store.execute("SELECT * FROM bans ORDER BY id")))


def test_an_index_of_the_administrators_own_stays() -> None:
    with a_store() as store:
        store.execute('CREATE INDEX "by ""host""" ON bans (host)')
        schema = contents(store)["schema"]
        written(store, a_log())

        assert len(bans_in(store)) == 2
        assert contents(store)["schema"] == schema
