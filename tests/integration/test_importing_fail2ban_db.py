"""fail2ban's databases read from their files, also while others write to them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f2b_enrich.importing.fail2ban_db import (
    PAGE,
    Tally,
    opened_database,
)
from f2b_enrich.importing.fail2ban_rows import StoredBan
from f2b_enrich.importing.records import UnreadableError
from tests.fail2ban_databases import DATA, NOW, add, bans, lay_out, read


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""), "fail2ban-db")
    if not found.is_dir():
        pytest.skip("F2B_ENRICH_EXTRA_DATA has no folder fail2ban-db")
    return found


def test_the_database_of_a_server_gives_the_counts_of_its_readme(folder: Path) -> None:
    records, tally = read(folder / "v4-server-run.sqlite3")

    assert Counter(record.jail for record in records) == {
        "dovecot": 27,
        "apache-botsearch": 5,
    }
    assert len({record.ip for record in records}) == 32
    assert (tally.rows, tally.bans, tally.repeated) == (64, 32, 32)
    assert (tally.unread, tally.without_data) == (Counter(), 0)
    assert tally.first_at == datetime(2008, 7, 22, 6, 48, 30, tzinfo=UTC)
    assert {record.bantime_seconds for record in records} == {-1}
    assert sum(record.failures or 0 for record in records) == 32
    assert all(record.lines for record in records)
    (listed,) = (one for one in records if one.ip == "198.51.100.86")
    assert listed.lines == (
        b"[Tue Jul 22 06:48:30 2008] [error] [client 198.51.100.86] script not found "
        b"or unable to stat: /var/www/wp-login.php",
    )


def test_fail2ban_s_own_database_of_version_1_is_read(folder: Path) -> None:
    (record,), tally = read(folder / "fail2ban-test-v1.sqlite3")

    assert (record.jail, record.ip) == (
        "DummyJail #29162448 with 0 tickets",
        "127.0.0.1",
    )
    assert record.failed_at == 1388009242.259323
    assert (record.failures, record.lines) == (0, (b"abc",))
    assert (record.bantime_seconds, record.ban_count, record.ends_at) == (None,) * 3
    assert (tally.rows, tally.bans) == (1, 1)


def test_a_database_without_bans_has_none(folder: Path) -> None:
    assert read(folder / "v4-no-bans.sqlite3") == ([], Tally())


@pytest.mark.parametrize("version", [1, 2])
def test_old_versions_tell_less(tmp_path: Path, version: int) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3", version=version)
    with closing(sqlite3.connect(path)) as db:
        text = DATA.decode()  # Python 2 wrote text
        db.execute("INSERT INTO bans VALUES ('sshd', '192.0.2.7', ?, ?)", (NOW, text))
        db.commit()

    (record,), tally = read(path)

    assert (record.bantime_seconds, record.ban_count) == (None, None)
    assert (record.failures, record.lines) == (3, (b"a line",))
    assert record.captures == (("user", "root"),)
    assert tally.without_data == 0


def test_version_3_has_no_bips(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3", version=3)
    add(path, bans(3), "bans")

    records, tally = read(path)

    assert len(records) == tally.rows == 3
    assert {record.bantime_seconds for record in records} == {600}


def test_what_is_in_bips_alone_counts_and_nothing_twice(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, bans(PAGE + 50))
    add(path, bans(2, first=10_000), "bips")  # the day that `bans` keeps is over
    earlier = ("sshd", "2001:db8::1", NOW - 5, 600, 1, DATA)
    add(path, [earlier, *bans(1)], "bans")

    records, tally = read(path)

    assert (tally.rows, tally.bans, tally.repeated) == (
        2 * (PAGE + 50) + 4,
        PAGE + 53,
        PAGE + 51,
    )
    keys = Counter((one.jail, one.ip, one.failed_at) for one in records)
    assert set(keys.values()) == {1}
    assert {"2001:db8::2710", "2001:db8::2711"} <= {one.ip for one in records}
    assert tally.first_at == datetime.fromtimestamp(NOW - 5, UTC)
    assert tally.last_at == datetime.fromtimestamp(NOW + 10_001, UTC)


def test_a_jail_that_is_gone_is_read_too(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, [("gone", "192.0.2.7", NOW, 600, 1, DATA)])

    ((record,), _) = read(path)

    assert record.jail == "gone"


def test_a_file_with_an_odd_name_is_read(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "a b?mode=rwc&x#%41\xff.db")
    add(path, bans(1))

    assert len(read(path)[0]) == 1


# While fail2ban writes


def test_fail2ban_can_write_between_two_pages(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, bans(2 * PAGE))
    records: list[StoredBan] = []

    with opened_database(path) as database:
        for number, page in enumerate(database.pages()):
            records += page.records
            if number == 0:
                add(path, bans(5, first=5000), timeout=0)

    assert len({record.ip for record in records}) == 2 * PAGE + 5


def test_rows_deleted_while_they_are_read_end_no_reading(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, bans(2 * PAGE), "bans")

    with opened_database(path) as database:
        pages = database.pages()
        assert next(pages).tally.bans == PAGE
        with closing(sqlite3.connect(path)) as db:
            db.execute("DELETE FROM bans")
            db.commit()
        assert list(pages) == []


def test_a_database_that_stays_locked_is_said_to_be(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")

        with (
            pytest.raises(UnreadableError, match="is locked by another program"),
            opened_database(path, busy_seconds=0),
        ):
            pass


def test_a_database_in_wal_mode_is_read_with_what_is_in_its_wal(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO bans VALUES ('sshd', 'x', 1, 1, 1, NULL)")
        db.commit()

        assert len(read(path)[0]) == 1


PRINT_REFUSAL = """
import sys
from pathlib import Path
from f2b_enrich.importing.fail2ban_db import opened_database
from f2b_enrich.importing.records import UnreadableError
try:
    with opened_database(Path(sys.argv[1])) as database:
        print(sum(page.tally.bans for page in database.pages()))
except UnreadableError as exc:
    print(exc)
"""


def as_other(words: tuple[str, ...], path: Path) -> str:
    project = Path(__file__).parents[2]
    command = [*words, sys.executable, "-c", PRINT_REFUSAL, str(path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(project)},
    )
    return done.stdout


def test_who_may_not_write_reads_all_but_wal_mode(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    path = lay_out(short_folder / "f2b.sqlite3")
    path.chmod(0o644)
    add(path, bans(3))

    assert as_other(as_nobody, path) == "3\n"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    assert as_other(as_nobody, path) == (
        f"{path} is in WAL mode, which cannot be read in a folder that cannot be "
        "written: copy it, with the files -wal and -shm beside it\n"
    )
    path.chmod(0o600)
    assert as_other(as_nobody, path) == f"{path}: Permission denied\n"
