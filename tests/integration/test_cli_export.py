"""Tests of the command `export`."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from f2b_enrich.report.anonymised import Row
from f2b_enrich.report.anonymised_forms import COLUMNS
from f2b_enrich.report.summary import VERSION
from tests import uncovered
from tests.cli import Ran, run
from tests.report_events import DUTCH, OCTOBER, ReportStore, banned, place

PAGE = Path(__file__).parents[2] / "docs/reference/export.md"
BANS = 12
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store of October 2024 with two cities, one of them a formula."""
    made = ReportStore(tmp_path_factory.mktemp("export") / "bans.db")
    ips = [f"198.51.100.{number + 1}" for number in range(BANS)]
    made.add(
        banned(ips, OCTOBER),
        [
            place(ip, DUTCH, (64500, "Example"), city=city)
            for ip, city in zip(ips, ["Amsterdam", FORMULA] * BANS, strict=False)
        ],
    )
    return made.path


def export(store: Path, *words: str | Path) -> Ran:
    return run("export", *words, "--month", "2024-10", "--db", store)


def test_csv_is_a_row_a_ban_and_no_formula(store: Path) -> None:
    ran = export(store, "anonymised")
    header, *rows = csv.reader(io.StringIO(ran.out, newline=""))

    assert ran.code == 0
    assert tuple(header) == Row._fields == tuple(COLUMNS)
    assert len(rows) == BANS
    told = ["NL", "", "Amsterdam", "64500", "2024-10-01", "ssh"]
    assert rows.count(told) == BANS / 2
    assert {row[2] for row in rows} == {"Amsterdam", f"'{FORMULA}"}


def test_json_lines_are_an_object_a_ban(store: Path) -> None:
    ran = export(store, "anonymised", "--format", "jsonl")
    rows = [json.loads(line) for line in ran.out.splitlines()]

    assert len(rows) == BANS
    assert {tuple(row) for row in rows} == {Row._fields}
    assert {row["city"] for row in rows} == {"Amsterdam", FORMULA}
    assert {(row["region"], row["asn"]) for row in rows} == {(None, 64500)}


def test_sqlite_describes_its_columns(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "bans.db"
    ran = export(store, "anonymised", "--format", "sqlite", "-o", output)

    assert (ran.code, ran.out) == (0, "")
    with closing(sqlite3.connect(output)) as made:
        assert made.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert made.execute("PRAGMA freelist_count").fetchone() == (0,)
        columns = made.execute("SELECT name FROM pragma_table_info('bans')").fetchall()
        assert tuple(name for (name,) in columns) == Row._fields
        assert dict(made.execute("SELECT * FROM columns")) == COLUMNS
        about = dict(made.execute("SELECT * FROM about"))
        assert about == {"version": "1", "least_addresses_of_a_row": "5"}
        assert made.execute("SELECT count(*), min(asn) FROM bans").fetchone() == (
            BANS,
            64500,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["bans.db"]


def test_it_says_how_much_is_told(store: Path) -> None:
    """Too coarse a data set is of no use, and one says so beside the data."""
    whole = export(store, "anonymised")
    coarse = export(store, "anonymised", "--min-cell", "7")
    none = export(store, "anonymised", "--min-cell", "13")
    single = export(store, "anonymised", "--min-cell", "1")

    assert whole.err == (
        "f2b-enrich: October 2024: 12 of 12 bans told, in rows of at least 5 "
        "addresses; 0 left out\n"
        "f2b-enrich: 12 told whole\n"
    )
    assert coarse.err.endswith("f2b-enrich: 0 told whole; 12 without city\n")
    assert "0 of 12 bans told" in none.err
    assert len(none.out.splitlines()) == 1
    assert "a row may be about one person" in single.err


def test_a_month_without_bans_is_told_so(store: Path) -> None:
    for words in (("anonymised",), ("summary", "--timezone", "UTC")):
        ran = run("export", *words, "--month", "2024-08", "--db", store)

        assert (ran.code, ran.err) == (0, "f2b-enrich: no bans in August 2024\n")


def test_a_summary_is_json(store: Path) -> None:
    ran = export(store, "summary", "--timezone", "UTC", "--min-cell", "6")
    found = json.loads(ran.out)

    assert (ran.code, ran.err) == (0, "")
    assert (found["version"], found["least"]) == (VERSION, 6)
    assert found["totals"]["addresses"] == BANS
    assert [row["addresses"] for row in found["cities"]] == [6, 6]
    assert found["organisations"][0]["asn"] == 64500
    assert found["period"]["zone"] == "UTC"


def test_a_summary_says_what_it_is_confined_to_but_whom_it_names(store: Path) -> None:
    words = ("--host", "web1", "--country", "NL", "--timezone", "UTC")
    found = json.loads(export(store, "summary", *words).out)

    assert found["filters"] == [
        {"what": "host", "values": [], "leaves_out": False},
        {"what": "country", "values": ["NL"], "leaves_out": False},
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("anonymised", "--format", "sqlite"), "--format sqlite needs --output FILE"),
        (("anonymised", "--format", "sqlite", "-o", "-"), "needs --output FILE"),
        (("anonymised", "--min-cell", "0"), "0 is not in the range"),
        (("anonymised", "--host", "nowhere"), "no host nowhere"),
        (("summary", "--timezone", "Nowhere"), "no time zone is called Nowhere"),
        (("summary", "--last", "7d"), "name one time"),
        (("anonymised", "--last", "7d"), "name one time"),
    ],
)
def test_wrong_usage_is_one_line(
    store: Path, words: tuple[str, ...], reason: str
) -> None:
    ran = export(store, *words)

    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("form", ["csv", "jsonl", "sqlite"])
def test_a_file_is_replaced_whole_and_keeps_its_rights(
    store: Path, tmp_path: Path, form: str
) -> None:
    output = tmp_path / "bans"
    output.write_text("before", encoding="utf-8")
    output.chmod(0o640)

    assert export(store, "anonymised", "--format", form, "-o", output).code == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    assert b"Amsterdam" in output.read_bytes()
    assert b"before" not in output.read_bytes()


@pytest.mark.parametrize("words", [("anonymised",), ("summary", "--timezone", "UTC")])
def test_a_new_file_is_its_owner_s(
    store: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert export(store, *words, "-o", tmp_path / "new").code == 0
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [("anonymised",), ("summary", "--timezone", "UTC")])
def test_the_store_is_never_written_over(
    store: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    before = store.read_bytes()
    links = [tmp_path / "link", tmp_path / "hard", tmp_path / "beside"]
    links[0].symlink_to(store)
    links[1].hardlink_to(store)
    # SQLite's log of the store, which holds bans while a daemon runs.
    log = store.with_name(f"{store.name}-wal")
    links[2].symlink_to(log)
    lock = store.with_name(f"{store.name}.daemon")
    linked = tmp_path / "linked.db"
    linked.symlink_to(store)
    for named in (store, linked):
        for output in (store, log, lock, *links):
            ran = export(named, *words, "-o", output)

            assert ran.code == 2
            assert "is the store" in ran.err
    assert store.read_bytes() == before
    assert not log.exists()
    assert not lock.exists()


@pytest.mark.parametrize("form", ["csv", "jsonl", "sqlite"])
@pytest.mark.parametrize("output", ["", "missing/bans", "/dev/full"])
def test_what_cannot_be_written_is_one_line(
    store: Path, tmp_path: Path, form: str, output: str
) -> None:
    ran = export(store, "anonymised", "--format", form, "-o", tmp_path / output)

    assert (ran.code, ran.out) == (1, "")
    assert str(tmp_path / output) in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_what_was_there(store: Path, tmp_path: Path) -> None:
    """SQLite meets the end of the room in its own way."""
    output = tmp_path / "bans.db"
    output.write_text("before", encoding="utf-8")
    words = ("export", "anonymised", "--month", "2024-10", "--db", store)
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", sys.executable, "-m", "f2b_enrich"]
        + [str(word) for word in (*words, "--format", "sqlite", "-o", output)],
        env=uncovered.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"f2b-enrich: {output}: ")
    assert done.stderr.count("\n") == 1
    assert output.read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["bans.db"]


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    for words in (("anonymised",), ("summary", "--timezone", "UTC")):
        ran = export(tmp_path / "none.db", *words)

        assert (ran.code, ran.out) == (1, "")
        assert "there is none yet" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_reader_that_leaves_is_no_error(tmp_path: Path, form: str) -> None:
    made = ReportStore(tmp_path / "bans.db")
    # Several times what a pipe holds, and what is written at once.
    ips = [f"198.51.{net}.{one}" for net in range(48) for one in range(250)]
    made.add(banned(ips, OCTOBER))
    words = ("export", "anonymised", "--month", "2024-10", "--db", str(made.path))
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "f2b_enrich", *words, "--format", form],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        _, err = running.communicate(timeout=60)

    assert running.returncode == 1
    assert err == ""


def test_who_is_told_to_end_leaves_no_draft(tmp_path: Path) -> None:
    made = ReportStore(tmp_path / "bans.db")
    # Enough to be met while they are written.
    nets = [f"198.18.{net}" for net in range(200)]
    made.add(banned((f"{net}.{one}" for net in nets for one in range(250)), OCTOBER))
    output = tmp_path / "out"
    output.mkdir()
    words = ("export", "anonymised", "--month", "2024-10", "--db", str(made.path))
    into = ("--format", "sqlite", "-o", str(output / "bans.db"))
    with subprocess.Popen(
        [sys.executable, "-m", "f2b_enrich", *words, *into],
        env=uncovered.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        until = time.monotonic() + 60
        while not any(output.iterdir()):
            assert running.poll() is None
            assert time.monotonic() < until
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=60)

    assert (running.returncode, out, err) == (1, "", "f2b-enrich: interrupted\n")
    assert list(output.iterdir()) == []


def test_many_bans_of_a_row_are_all_written(tmp_path: Path) -> None:
    """More of them than are written at once."""
    made = ReportStore(tmp_path / "bans.db")
    ips = [f"198.51.{net}.{one}" for net in range(12) for one in range(250)]
    made.add(banned(ips, OCTOBER))
    ran = run("export", "anonymised", "--month", "2024-10", "--db", made.path)

    assert ran.out.splitlines()[1:] == [",,,,2024-10-01,ssh"] * len(ips)


def test_without_a_time_it_is_the_last_month_of_utc(tmp_path: Path) -> None:
    made = ReportStore(tmp_path / "bans.db")
    end = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for at in (end - timedelta(minutes=1), end):
        made.add(banned(["192.0.2.7", "192.0.2.8"], at - timedelta(seconds=2)))
    ran = run("export", "anonymised", "--db", made.path, "--min-cell", "2")

    month = f"{end - timedelta(days=1):%Y-%m}"
    assert {row.split(",")[4][:7] for row in ran.out.splitlines()[1:]} == {month}


def test_the_page_describes_each_column() -> None:
    text = PAGE.read_text("utf-8")
    described = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE))

    assert {name: described.get(name) for name in COLUMNS} == dict(COLUMNS)
    assert "Version 1" in text
