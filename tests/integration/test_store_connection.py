"""Several processes share the store; strangers' and later versions' files are left."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import (
    held_by_daemon,
    open_reader,
    open_writer,
    transaction,
)
from f2b_enrich.store.schema import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")
READ_ONLY = """
import sqlite3, sys
store = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
print(store.execute("SELECT count(*) FROM ban_log").fetchone()[0])
"""
OPEN_WHEN_TOLD = """
import pathlib, sys
from f2b_enrich.store.connection import open_writer
print("ready", flush=True)
sys.stdin.readline()
with open_writer(pathlib.Path(sys.argv[1])) as store:
    print(store.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bans.db"


def journal_mode(path: Path) -> str:
    """Read it without opening a writer of ours: bytes 18 and 19 are 2 for WAL."""
    return "wal" if path.read_bytes()[18:20] == b"\2\2" else "delete"


def names(store: sqlite3.Connection, kind: str) -> set[str]:
    rows = store.execute("SELECT name FROM sqlite_schema WHERE type = ?", (kind,))
    return {name for (name,) in rows}


def test_a_new_store_has_the_documented_tables_and_view(
    store: sqlite3.Connection,
) -> None:
    assert names(store, "table") >= {
        *("bans", "other_ids", "other_origins", "log_lines", "log_lines_fts"),
        *("enrichments", "outbox", "hosts", "_sqlite_migrations"),
    }
    assert names(store, "view") == {
        *("ban_log", "ban_ids", "ban_origins", "observed_public", "found_by_day")
    }


@pytest.mark.parametrize(
    ("table", "documented"),
    [
        (
            "bans",
            "id host jail ip ip_version subnet banned_at banned_at_source "
            "bantime_seconds expires_at unbanned_at failures ban_count attack "
            "repeat_of received_at enrichment_id",
        ),
        ("ban_ids", "id ban_id"),
        ("ban_origins", "ban_id origin reference seen_at"),
        ("log_lines", "ban_id position line"),
        ("observed", "ban_id kind value lines"),
        ("ban_attacks", "ban_id attack lines"),
        ("jails", "jail service"),
        (
            "enrichments",
            "id ip looked_up_at source field_sources hostname hostname_confirmed "
            "country_code country region city postal latitude longitude "
            "location_precision timezone asn as_name as_domain as_country_code "
            "is_hosting is_vpn is_tor is_proxy scanner abuse_contact raw",
        ),
        ("hosts", "host country_code timezone first_seen_at last_seen_at"),
        (
            "outbox",
            "id kind ban_id recipient state folded_into attempts due_at sent_at "
            "message_id last_error",
        ),
        (
            "ban_log",
            "id host jail ip banned_at bantime_seconds expires_at unbanned_at "
            "failures ban_count country city asn as_name hostname origins "
            "mail_state lines",
        ),
    ],
)
def test_columns_that_others_rely_on_are_there(
    store: sqlite3.Connection, table: str, documented: str
) -> None:
    columns = {row["name"] for row in store.execute(f"PRAGMA table_info({table})")}
    assert set(documented.split()) <= columns


def test_the_writer_syncs_fully_to_a_write_ahead_log(
    store: sqlite3.Connection,
) -> None:
    assert store.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store.execute("PRAGMA busy_timeout").fetchone()[0] == 10_000


def test_a_new_store_is_not_for_everyone(path: Path) -> None:
    with open_writer(path):
        files = list(path.parent.iterdir())
        assert len(files) >= 3
        assert all(file.stat().st_mode & 0o007 == 0 for file in files)


def test_opening_again_changes_nothing(path: Path) -> None:
    with open_writer(path) as store:
        first = list(map(tuple, store.execute("SELECT * FROM _sqlite_migrations")))
    with open_writer(path) as store:
        again = list(map(tuple, store.execute("SELECT * FROM _sqlite_migrations")))
    assert again == first
    assert len(first) == 1


def test_processes_that_open_a_new_store_at_once_all_get_it(path: Path) -> None:
    command = (sys.executable, "-c", OPEN_WHEN_TOLD, str(path))
    with contextlib.ExitStack() as stack:
        opening = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(4)
        ]
        for process in opening:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in opening:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0] for process in opening]
    assert answers == ["1\n"] * 4
    assert [process.returncode for process in opening] == [0] * 4


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    with open_writer(path) as store:
        store.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES (?, 'of_the_future', '2030')",
            (NAME,),
        )
    before = path.read_bytes()
    for opened in (open_writer(path), open_reader(path)):
        with pytest.raises(StoreError, match=r"newer f2b-enrich.*\(of_the_future\)"):
            opened.__enter__()
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE bans (ip TEXT)")
    before = path.read_bytes()
    for opened in (open_writer(path), open_reader(path)):
        with pytest.raises(StoreError, match="another program's database"):
            opened.__enter__()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("no database\n" * 100)
    for opened in (open_writer(path), open_reader(path)):
        with pytest.raises(StoreError, match="file is not a database"):
            opened.__enter__()
    assert path.read_text() == "no database\n" * 100


def test_a_store_that_is_missing_or_empty_is_named(path: Path) -> None:
    with pytest.raises(StoreError, match=re.escape(f"store {path}: unable to open")):
        open_reader(path).__enter__()
    path.touch()
    with pytest.raises(StoreError, match="empty, no daemon has written to it yet"):
        open_reader(path).__enter__()
    missing = path.parent / "missing" / "bans.db"
    with pytest.raises(StoreError, match="No such file or directory"):
        open_writer(missing).__enter__()


@contextlib.contextmanager
def being_read(path: Path, seconds: float) -> Iterator[None]:
    """Read the store for so long, as a report does that began without a daemon."""
    with open_writer(path):
        pass
    reading, over = Event(), Event()

    def read() -> None:
        with open_reader(path) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM bans").fetchone()
            reading.set()
            over.wait(seconds)

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(read)
        reading.wait(10)
        try:
            yield
        finally:
            over.set()
            done.result()


def test_a_writer_waits_for_a_long_report_and_says_so_once(path: Path) -> None:
    told: list[str] = []
    with (
        being_read(path, 0.5),
        open_writer(
            path, busy_seconds=0.05, tries=100, on_wait=lambda: told.append("waiting")
        ) as store,
    ):
        assert store.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert told == ["waiting"]


def test_a_writer_does_not_wait_for_ever(path: Path) -> None:
    locked = pytest.raises(StoreError, match="database is locked")
    with being_read(path, 60), locked, open_writer(path, busy_seconds=0.05, tries=2):
        pass
    with open_writer(path, busy_seconds=0.05):
        pass


def test_the_last_writer_leaves_a_file_without_a_log_beside_it(path: Path) -> None:
    with open_writer(path):
        with open_writer(path):
            assert journal_mode(path) == "wal"
        assert journal_mode(path) == "wal"
    assert journal_mode(path) == "delete"
    assert not path.with_name("bans.db-wal").exists()


def test_a_reader_without_the_right_to_write_reads_before_and_after(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    path = short_folder / "bans.db"
    with open_writer(path):
        pass
    path.chmod(0o644)
    read = (*as_nobody, *SYSTEM_PYTHON, READ_ONLY, str(path))
    with open_writer(path) as store:
        with transaction(store):
            store.execute("INSERT INTO hosts VALUES ('h', NULL, NULL, '', '')")
        while_open = subprocess.run(read, capture_output=True, text=True, check=False)
    after = subprocess.run(read, capture_output=True, text=True, check=False)
    assert (while_open.stdout, while_open.stderr) == ("0\n", "")
    assert (after.stdout, after.stderr) == ("0\n", "")


def test_a_reader_cannot_write(path: Path) -> None:
    with open_writer(path):
        pass
    with pytest.raises(StoreError, match="readonly"), open_reader(path) as store:
        store.execute("DELETE FROM bans")


def test_a_store_that_may_not_be_written_is_named(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    del as_nobody  # only root can take itself the right
    path = short_folder / "bans.db"
    with open_writer(path):
        pass
    with pytest.raises(StoreError, match=re.escape(f"store {path}: Permission denied")):
        as_another_user(path)


def as_another_user(path: Path) -> None:
    os.seteuid(65534)
    try:
        with open_writer(path):
            pass
    finally:
        os.seteuid(0)


def test_errors_of_sql_inside_are_the_stores_and_others_are_not(path: Path) -> None:
    with pytest.raises(StoreError, match="no such table"), open_writer(path) as store:
        store.execute("SELECT * FROM nonsense")
    for opened in (open_writer(path), open_reader(path), held_by_daemon(path)):
        with pytest.raises(BrokenPipeError), opened:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_one_daemon_at_a_time_holds_a_store(path: Path) -> None:
    with (
        held_by_daemon(path),
        pytest.raises(StoreError, match="another daemon works on it"),
    ):
        held_by_daemon(path).__enter__()
    with held_by_daemon(path):
        pass


def test_a_lock_file_that_is_a_link_is_not_followed(path: Path) -> None:
    target = path.parent / "target"
    path.with_name("bans.db.lock").symlink_to(target)
    with pytest.raises(StoreError, match="symbolic links"):
        open_writer(path).__enter__()
    assert not target.exists()


def test_a_transaction_that_fails_leaves_nothing(store: sqlite3.Connection) -> None:
    insert = "INSERT INTO hosts VALUES (?, NULL, NULL, '', '')"
    with pytest.raises(sqlite3.IntegrityError), transaction(store):
        store.executemany(insert, [("a",), ("a",)])
    assert not store.in_transaction
    with transaction(store):
        store.execute(insert, ("b",))
    assert [row["host"] for row in store.execute("SELECT host FROM hosts")] == ["b"]


def test_a_transaction_holds_the_write_lock_from_its_start(
    store: sqlite3.Connection, path: Path
) -> None:
    with open_writer(path) as other:
        other.execute("PRAGMA busy_timeout = 1")
        locked = pytest.raises(sqlite3.OperationalError, match="locked")
        with transaction(store), locked:
            other.execute("BEGIN IMMEDIATE")
        with transaction(other):
            pass
