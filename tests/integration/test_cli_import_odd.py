"""Imports under odd names and odd circumstances: a line, a tally, and no ban lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.intake.daemon_lock import LOCKS, seeing_daemon
from f2b_enrich.intake.loading import Loading
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.portions import Portion
from f2b_enrich.store import loading as store_loading
from f2b_enrich.store.connection import held_by_daemon, open_writer, openers_waiting
from tests import uncovered
from tests.imports import a_writer, imports

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from tests.imports import Imports

__all__ = ["imports"]

DEADLINE = 20.0
INTERRUPTED = (
    "f2b-enrich: interrupted: 0 bans new; run the same command again to go on\n"
)
BAN = "2026-11-21 20:39:55,756 fail2ban.actions [9365]: NOTICE [lab] Ban {}\n"


@pytest.mark.parametrize(
    ("held", "seen"), [("bans.db", "link.db"), ("link.db", "bans.db")]
)
def test_a_daemon_is_seen_however_the_store_is_named(
    tmp_path: Path, held: str, seen: str
) -> None:
    (tmp_path / "link.db").symlink_to("bans.db")
    is_there = seeing_daemon(tmp_path / seen)
    with held_by_daemon(tmp_path / held):
        assert is_there()
        with pytest.raises(StoreError, match="another daemon works on it"):
            held_by_daemon(tmp_path / seen).__enter__()
    assert not is_there()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (b"fail2ban-\xff.log", "fail2ban-\ufffd.log"),
        (b"fail2ban-\x1b[2J.log.1", "fail2ban-\u241b[2J.log"),
    ],
)
def test_a_file_may_have_any_name(
    imports: Imports, written: bytes, stored: str
) -> None:
    """What is stored of it can be stored, and shown."""
    log = os.fsdecode(os.fsencode(imports.folder) + b"/" + written)
    with open(log, "w") as file:  # noqa: PTH123 - a name that is no text
        file.write(BAN.format("192.0.2.7"))

    assert imports.facts("fail2ban-log", log)["bans_new"] == 1

    assert imports.rows("SELECT reference FROM bans") == [(stored,)]
    assert imports.rows("SELECT name FROM imports") == [(stored,)]


def test_a_link_into_a_closed_folder_is_told_of_and_others_are_read(
    imports: Imports, as_nobody: tuple[str, ...], short_folder: Path
) -> None:
    logs, closed = short_folder / "logs", short_folder / "closed"
    logs.mkdir()
    closed.mkdir()
    (closed / "old").touch()
    closed.chmod(0o700)
    link = logs / "fail2ban.log.1"
    link.symlink_to(closed / "old")
    (logs / "fail2ban.log").write_text(BAN.format("192.0.2.7"))

    done = imports.ran_by(as_nobody, short_folder, "fail2ban-log", logs)

    assert done.stderr == f"f2b-enrich: {link}: Permission denied\n"
    assert done.returncode == 1
    assert imports.rows("SELECT ip FROM bans") == [("192.0.2.7",)]


def test_what_was_loaded_before_an_interruption_is_told(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = imports.folder / "fail2ban.log"
    log.write_text(BAN.format("192.0.2.7") + BAN.format("192.0.2.8"))
    write = Loading.write

    def write_and_be_interrupted(self: Loading) -> None:
        write(self)
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Loading, "write", write_and_be_interrupted)
        done = imports.ran("fail2ban-log", log)

    assert done.code == 1
    assert done.err == (
        "f2b-enrich: interrupted: 2 bans new; run the same command again to go on\n"
    )
    assert imports.facts("fail2ban-log", log)["bans_new"] == 0
    assert len(imports.rows("SELECT id FROM bans")) == 2


def begun(imports: Imports, log: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "f2b_enrich", *imports.words("fail2ban-log", log)),
        env=uncovered.environ(),
        stderr=subprocess.PIPE,
        text=True,
    )


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    latest = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < latest


def waits_for_a_lock(pid: int) -> bool:
    return any(
        " -> FLOCK " in line and f" {pid} " in line
        for line in LOCKS.read_text().splitlines()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_who_loads_can_be_ended(
    imports: Imports, number: signal.Signals
) -> None:
    """Which takes a minute, and for ever if that one is stopped."""
    log = imports.folder / "fail2ban.log"
    log.write_text(BAN.format("192.0.2.7"))
    with open_writer(imports.store) as store, openers_waiting(store):
        process = begun(imports, log)
        until(lambda: waits_for_a_lock(process.pid))
        process.send_signal(number)
        _, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, err) == (1, INTERRUPTED)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_to_load_can_be_ended(imports: Imports, number: signal.Signals) -> None:
    pipe = imports.folder / "pipe"
    os.mkfifo(pipe)
    process = begun(imports, pipe)
    with (
        pipe.open("w") as lines,
        open_writer(imports.store) as store,
        openers_waiting(store),
    ):
        lines.write(BAN.format("192.0.2.7"))
        lines.close()
        until(lambda: waits_for_a_lock(process.pid))
        process.send_signal(number)
        _, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, err) == (1, INTERRUPTED)
    assert imports.rows("SELECT id FROM bans") == []


def test_without_room_to_sort_in_it_says_where_room_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself does not tell which of its files does not fit."""

    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    monkeypatch.setattr(store_loading, "sort_many_rows", fill)
    with pytest.raises(StoreError) as failed:
        load_many(tmp_path / "bans.db")

    assert str(failed.value) == (
        f"store {tmp_path}/bans.db: database or disk is full, here or where SQLite's "
        "temporary files are, in SQLITE_TMPDIR, else TMPDIR, else /var/tmp"
    )


def load_many(path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    portion = Portion()
    portion.add_events(
        [(0, "ban", "lab", f"2001:db8::{number:x}") for number in range(5000)],
        Names(host="web1"),
        reference="fail2ban.log",
        now=now,
    )
    with (
        open_writer(path) as store,
        a_writer(store, now=now, is_daemon_there=lambda: False) as (writer, _),
    ):
        writer.add(portion)
        writer.flush()
