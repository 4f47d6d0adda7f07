"""Files of SQLite that are none of fail2ban's, damaged, or made to harm."""

from __future__ import annotations

import os
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.fail2ban_db import PAGE, opened_database
from f2b_enrich.importing.fail2ban_db_opening import MAX_VALUE
from f2b_enrich.importing.fail2ban_rows import Unread
from f2b_enrich.importing.records import UnreadableError
from tests.fail2ban_databases import DATA, NOW, add, bans, lay_out, read, refusal


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("2026-11-21 20:39:55,756 fail2ban.actions\n" * 9)
    os.mkfifo(tmp_path / "pipe")

    assert refusal(tmp_path / "missing") == ": No such file or directory"
    assert refusal(tmp_path) == "is not a file"
    assert refusal(tmp_path / "pipe") == "is not a file"
    assert refusal(tmp_path / "empty") == "is empty"
    assert refusal(tmp_path / "text") == "is no SQLite database"


@pytest.mark.parametrize("version", [99, 5, 0, -1, None, "4\x1b", 4.5, b"4"])
def test_an_unknown_version_is_refused(tmp_path: Path, version: object) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE fail2banDb SET version = ?", (version,))
        db.commit()

    shown = version if isinstance(version, int) else "none"
    assert refusal(path) == (
        f"is fail2ban's database of version {shown}, known are 1 to 4"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE fail2banDb", "is not fail2ban's database"),
        ("DROP TABLE bans", "is not fail2ban's database"),
        ("DELETE FROM fail2banDb", "is fail2ban's database of version none, known"),
        ("ALTER TABLE bans DROP COLUMN data", "bans has no column data"),
        ("ALTER TABLE bips DROP COLUMN timeofban", "bips has no column timeofban"),
        (
            "DROP TABLE bans; CREATE VIEW bans AS "
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS jail, i AS ip, i AS timeofban, i AS data FROM n",
            "is not fail2ban's database",
        ),
        (
            "DROP TABLE bans; CREATE VIRTUAL TABLE bans USING fts5"
            "(jail, ip, timeofban, data)",
            "is not fail2ban's database",
        ),
        (
            "DROP TABLE bips; CREATE TABLE bips(jail, ip, timeofban, data, "
            "PRIMARY KEY(ip)) WITHOUT ROWID",
            "cannot be read: no such column: rowid",
        ),
        (
            f"DROP TABLE jails; CREATE TABLE jails(a DEFAULT '{'x' * MAX_VALUE}')",
            f"has a schema of over {MAX_VALUE} bytes: it is not fail2ban's",
        ),
    ],
)
def test_a_database_of_something_else_is_refused(
    tmp_path: Path, change: str, said: str
) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"DROP INDEX bans_jail_timeofban_ip; {change}")

    assert said in refusal(path)


def test_words_of_sqlite_that_are_no_text_are_shown(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    path.write_bytes(
        path.read_bytes().replace(b"CREATE TABLE jails", b"CREATE TA\xffLE jails")
    )

    assert refusal(path) == (
        'cannot be read: malformed database schema (jails) - near "TA\ufffdLE": '
        "syntax error"
    )


# Columns made to harm


def test_bytes_of_no_encoding_are_read(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "INSERT INTO bans VALUES (CAST(x'ff00' AS TEXT), CAST(x'c3' AS TEXT), "
            "1795293841.5, -1, 1, CAST(x'fffe' AS TEXT))"
        )
        db.commit()

    ((record,), tally) = read(path)

    assert (record.jail, record.ip) == ("\ufffd\u2400", "\ufffd")
    assert record.failed_at == 1795293841.5
    assert (tally.bans, tally.without_data) == (1, 1)


def test_rows_that_tell_of_no_ban_are_counted_by_reason(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(
        path,
        [
            ("", "192.0.2.1", NOW, 600, 1, DATA),
            ("sshd", None, NOW, 600, 1, DATA),
            ("sshd", "192.0.2.3", "never", 600, 1, DATA),
            ("sshd", "192.0.2.4", -62135596800, 600, 1, DATA),
            ("sshd", "192.0.2.5", 10**15, 600, 1, DATA),
            ("sshd", "x" * 5000, NOW, 600, 1, DATA),
            ("sshd", "192.0.2.7", NOW, "long", "often", None),
        ],
        "bans",
    )

    (record,), tally = read(path)

    assert (record.ip, record.bantime_seconds, record.ban_count) == (
        *("192.0.2.7", None),
        None,
    )
    assert tally.unread == {Unread.JAIL: 1, Unread.IP: 2, Unread.TIME: 3}
    assert (tally.rows, tally.bans, tally.without_data) == (7, 1, 1)


def test_columns_of_many_megabytes_take_no_memory(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    large = 4 * MAX_VALUE
    with closing(sqlite3.connect(path)) as db:
        for jail, ip, data in (
            ("'sshd'", "'192.0.2.1'", f"zeroblob({large})"),
            ("'sshd'", "'192.0.2.2'", f"hex(zeroblob({large // 2}))"),
            ("'sshd'", f"hex(zeroblob({large // 2}))", "NULL"),
            (f"zeroblob({large})", "'192.0.2.4'", "NULL"),
            ("'sshd'", "'192.0.2.5'", f"x'{DATA.hex()}'"),
        ):
            for table in ("bans", "bips"):
                db.execute(
                    f"INSERT INTO {table}(jail, ip, timeofban, bantime, data) "  # noqa: S608 - ours
                    f"VALUES ({jail}, {ip}, {NOW}, 600, {data})"
                )
        db.commit()

    tracemalloc.start()
    try:
        records, tally = read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [record.ip for record in records] == [
        *("192.0.2.1", "192.0.2.2", "192.0.2.5"),
    ]
    assert [record.data_is_read for record in records] == [False, False, True]
    assert (tally.rows, tally.bans, tally.repeated) == (10, 3, 3)
    assert tally.unread == {Unread.SIZE: 4}
    assert peak < 2 * MAX_VALUE


def test_many_large_rows_come_a_few_at_a_time(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    data = b'{"matches": ["' + b"x" * 1_000_000 + b'"]}'
    rows = [(*row[:5], data) for row in bans(40)]
    add(path, rows, "bans")

    seen = 0
    tracemalloc.start()
    try:
        with opened_database(path) as database:
            for page in database.pages():
                seen += page.tally.bans
                assert len(page.records) <= 5
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert seen == 40
    assert peak < 8 * MAX_VALUE


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = lay_out(tmp_path_factory.mktemp("good") / "f2b.sqlite3")
    add(path, bans(100))
    return path.read_bytes()


parts = st.floats(0, 1, exclude_max=True)


@given(
    damage=st.lists(st.tuples(parts, st.binary(min_size=8, max_size=8)), max_size=20),
    cut=st.one_of(st.just(1.0), parts),
)
def test_any_damage_ends_with_bans_or_one_line(
    good: bytes,
    damage: list[tuple[float, bytes]],
    cut: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    content = bytearray(good)
    for place, written in damage:
        begin = int(place * (len(content) - len(written)))
        content[begin : begin + len(written)] = written
    path = tmp_path_factory.mktemp("damaged") / "f2b.sqlite3"
    path.write_bytes(content[: int(cut * len(content))])

    try:
        records, tally = read(path)
    except UnreadableError as exc:
        said = str(exc)
    else:
        said = str(tally.unread)
        assert len(records) == tally.bans
        assert tally.rows == tally.bans + tally.repeated + tally.unread.total()
    assert "\n" not in said


@given(content=st.binary(max_size=4000))
def test_any_bytes_behind_the_mark_are_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "f2b.sqlite3"
    path.write_bytes(b"SQLite format 3\0" + content)

    assert refusal(path)


def test_a_cut_file_tells_what_it_gave_before(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, bans(4 * PAGE), "bans")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    assert "cannot be read: database disk image is malformed" in refusal(path)


def test_a_second_with_thousands_of_bans_takes_no_longer(tmp_path: Path) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, [("sshd", f"2001:db8::{n:x}", NOW, 1, 1, None) for n in range(20_000)])

    _, tally = read(path)

    assert (tally.bans, tally.repeated) == (20_000, 20_000)


def test_rows_in_no_order_end_the_reading(tmp_path: Path) -> None:
    """A page that points at its rows the wrong way round, as nobody writes it."""
    path = lay_out(tmp_path / "f2b.sqlite3")
    add(path, bans(3), "bans")
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'bans'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    pointers = (root - 1) * size + 8  # behind the header of a leaf
    first, third = (slice(pointers + n, pointers + n + 2) for n in (0, 4))
    content[first], content[third] = content[third], content[first]
    path.write_bytes(content)

    assert refusal(path) == "is damaged"
