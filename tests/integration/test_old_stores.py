"""A store that any released version wrote is brought up to date with all its rows."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab
from f2b_enrich import __version__
from f2b_enrich.store.connection import open_reader, open_writer
from f2b_enrich.store.schema import NAME, STEPS
from tests import cli, old_store
from tests.e2e.site import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = sorted(file.stem for file in old_store.FOLDER.glob("*.sql"))
TABLES = (
    *("hosts", "enrichments", "bans", "other_ids", "other_origins", "log_lines"),
    *("rule_sets", "jails", "ban_attacks", "observed", "campaigns", "chores"),
    *("outbox", "floods", "waiting_events", "purged"),
)
"""Those of the first version."""

Rows = list[dict[str, object]]


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, short_folder: Path) -> Path:
    """Give a store as that version left it."""
    path = short_folder / "bans.db"
    text = (old_store.FOLDER / f"{request.param}.sql").read_text("utf-8")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)
    return path


@pytest.fixture
def lab(short_folder: Path) -> Iterator[Lab]:
    with Lab(short_folder) as lab:
        lab.write_config(
            geo={"database": ""},
            enrich={"reserved_networks": NETWORKS},
            mail={"allow_domains": ["example.org"]},
            mail__smtp={"host": "127.0.0.1", "port": 1},
        )
        yield lab


def rows(connection: sqlite3.Connection, table: str) -> Rows:
    connection.row_factory = sqlite3.Row
    found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
    return [dict(row) for row in found]


def all_rows(path: Path) -> dict[str, Rows]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {table: rows(connection, table) for table in TABLES}


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    found = connection.execute("SELECT name, sql FROM sqlite_schema")
    # What sqlite-utils and FTS5 make for themselves is theirs.
    return {
        name: " ".join(str(sql).split())
        for name, sql in found
        if not name.startswith(("_", "sqlite_", "log_lines_fts_"))
    }


def is_in(old: dict[str, object], new: Rows) -> bool:
    """Tell whether a row is still there, whatever columns it has got since."""
    return any(old.items() <= row.items() for row in new)


def test_a_store_of_this_version_is_kept() -> None:
    assert __version__ in VERSIONS, "write it: .venv/bin/python -m tests.old_store"


def test_an_old_store_has_rows_in_every_table(old: Path) -> None:
    assert [table for table, found in all_rows(old).items() if not found] == []


def test_an_old_store_keeps_all_its_rows(old: Path) -> None:
    before = all_rows(old)
    with open_writer(old) as connection:
        after = {table: rows(connection, table) for table in TABLES}
        log = rows(connection, "ban_log")
    for table in TABLES:
        assert len(after[table]) >= len(before[table])
        for row in before[table]:
            assert is_in(row, after[table]), (table, row)
    assert {row["id"] for row in log} == {row["id"] for row in before["bans"]}
    assert any("Failed password for root" in str(row["lines"]) for row in log)


def test_an_old_store_becomes_what_a_new_one_is(old: Path, tmp_path: Path) -> None:
    with open_writer(old) as connection, open_writer(tmp_path / "new.db") as fresh:
        assert schema(connection) == schema(fresh), (
            "is 0.1.0 not released yet? then .venv/bin/python -m tests.old_store; "
            "else a new step is missing in store/schema.py"
        )
        steps = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
        names = {name for (name,) in connection.execute(steps, (NAME,))}
        assert names == STEPS.keys()
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        # It fails where the index and the lines do not agree.
        connection.execute(
            "INSERT INTO log_lines_fts (log_lines_fts, rank) "
            "VALUES ('integrity-check', 1)"
        )


def test_opening_it_again_changes_nothing(old: Path) -> None:
    with open_writer(old):
        pass
    before = old.read_bytes()
    with open_reader(old):
        pass
    assert old.read_bytes() == before


def test_the_commands_read_an_old_store_once_it_is_up_to_date(old: Path) -> None:
    with open_writer(old):
        pass
    shown = cli.run("show", "192.0.2.7", "--db", old)
    assert (shown.code, shown.err) == (0, "")
    assert "Amsterdam" in shown.out
    found = cli.run("search", "root", "--json", "--db", old)
    assert found.code == 0
    assert "Failed password for root" in found.out


def test_the_daemon_goes_on_with_an_old_store(old: Path, lab: Lab) -> None:
    bans = len(all_rows(old)["bans"])
    lab.start_daemon()
    command = (
        *("/usr/bin/python3", "-I", "-S", "f2b_enrich/client.py", str(lab.socket)),
        *(str(lab.root / "spool"), "EVENT=ban", "JAIL=sshd", "IP=203.0.113.77"),
        *("TIME=1795262100", "BANTIME=600", "MATCHES", "a line"),
    )
    project = old_store.FOLDER.parents[2]
    subprocess.run(command, check=True, cwd=project)
    assert lab.stop_daemon() == 0
    assert len(all_rows(old)["bans"]) == bans + 1


def test_the_daemon_refuses_a_newer_store_and_leaves_it_alone(
    old: Path, lab: Lab
) -> None:
    with contextlib.closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES (?, 'of_the_future', '2030-01-01T00:00:00Z')",
            (NAME,),
        )
    before = old.read_bytes()
    refused = subprocess.run(
        (
            *(sys.executable, "-m", "f2b_enrich", "daemon"),
            *("--config", str(lab.config)),
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"f2b-enrich: store {old}: a newer f2b-enrich wrote it (of_the_future), "
        "this version cannot read it\n"
    )
    assert old.read_bytes() == before
    assert not old.with_name("bans.db-wal").exists()
