"""The recipes of docs/privacy.md delete what they say, and nothing else."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from f2b_enrich.store.connection import open_writer
from tests import cli
from tests.stores import StoreBuilder, event, filled

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
(ONE,) = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(OLD,) = re.findall(r"^f2b-enrich purge --lines.*$", PAGE, re.MULTILINE)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    """Give a store of today, and one ban with lines of last year in it."""
    store = filled(tmp_path / "bans.db", now=NOW)
    words = "Failed password for invalid user letmein7 from 198.51.100.9 port 2 ssh2"
    store.record(
        event(
            "198.51.100.9", at=NOW - timedelta(days=365), lines=(f"sshd[7]: {words}",)
        )
    )
    store.classify()
    return store


def delete(store: StoreBuilder, recipe: str) -> None:
    done = subprocess.run(
        ("sqlite3", "-bail", str(store.path)),
        input=recipe,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def count(store: StoreBuilder, query: str) -> int:
    with store.reading() as connection:
        number: int = connection.execute(f"SELECT count(*) FROM {query}").fetchone()[0]  # noqa: S608 - ours
    return number


def is_sound(store: StoreBuilder) -> None:
    """The store holds together, and the daemon's next lines are found."""
    with open_writer(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.record(event("203.0.113.1", at=NOW, lines=("Invalid user zebra",)))
    found = cli.run("search", "zebra", "--db", store.path)
    assert "203.0.113.1" in found.out


def test_one_address_is_deleted_whole(store: StoreBuilder) -> None:
    bans = count(store, "bans")
    assert b"192.0.2.7" in store.path.read_bytes()
    delete(store, ONE)
    assert count(store, "bans") == bans - 3
    assert count(store, "enrichments WHERE ip = '192.0.2.7'") == 0
    shown = cli.run("show", "192.0.2.7", "--db", store.path)
    assert shown.code == 1
    for table in ("observed", "ban_attacks", "log_lines", "outbox"):
        gone = " WHERE ban_id NOT IN (SELECT id FROM bans)"
        assert count(store, table + gone) == 0
    is_sound(store)


def test_old_lines_are_deleted_and_their_bans_stay(store: StoreBuilder) -> None:
    bans, lines = count(store, "bans"), count(store, "log_lines")
    assert b"letmein7" in store.path.read_bytes()
    ran = cli.run(*OLD.split()[1:], "--db", store.path)
    assert (ran.code, ran.err) == (0, "")
    assert count(store, "bans") == bans
    assert count(store, "log_lines") == lines - 1
    assert b"letmein7" not in store.path.read_bytes()
    assert cli.run("search", "letmein7", "--db", store.path).out == ""
    assert "root" in cli.run("search", "root", "--db", store.path).out
    is_sound(store)
