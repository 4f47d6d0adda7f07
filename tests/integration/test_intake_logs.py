"""Logs imported twice, side by side, grown and changed: nothing found counts twice."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.intake.jobs import portions_of
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.opened_logs import opened_log
from f2b_enrich.intake.planning import Plan
from f2b_enrich.intake.remembering import reached
from f2b_enrich.store.connection import open_writer
from tests.imports import HOST, Imports, a_writer, imports

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.intake.portions import Portion

__all__ = ["imports"]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGUN = datetime(2016, 12, 19, tzinfo=UTC)


def found_lines(count: int, *, first: int = 0) -> str:
    """Write lines that found something, one a minute, and a ban in ten."""
    lines = []
    for number in range(first, first + count):
        at = f"{BEGUN + timedelta(minutes=number):%Y-%m-%d %H:%M:%S}"
        ip = f"192.0.2.{number % 250}"
        lines.append(f"{at},100 fail2ban.filter [9]: INFO [a] Found {ip}\n")
        if number % 10 == 0:
            lines.append(f"{at},200 fail2ban.actions [9]: NOTICE [a] Ban {ip}\n")
    return "".join(lines)


def found(imports: Imports) -> int:
    (sum_of,) = imports.rows("SELECT sum(lines) FROM found_by_day")[0]
    count: int = sum_of or 0
    return count


@pytest.fixture
def log(imports: Imports) -> Path:
    path = imports.folder / "fail2ban.log"
    path.write_text(found_lines(3000))
    return path


def copied(log: Path, folder: str, *, more: str = "") -> Path:
    there = log.parent / folder
    there.mkdir()
    shutil.copy(log, there)
    with (there / log.name).open("a") as file:
        file.write(more)
    return there


def portions(imports: Imports, log: Path) -> Iterator[Portion]:
    """Begin an import: what was read before is looked up now."""
    plan = Plan(names=Names(host=HOST), now=NOW)
    with open_writer(imports.store) as store:
        plan.places = reached(store, "log", HOST)
    (job,) = plan.logs([str(log)], zone=None)
    return portions_of(job)


def write(store: sqlite3.Connection, portion: Portion, *, daemon: bool = False) -> None:
    with a_writer(store, now=NOW, is_daemon_there=lambda: daemon) as (writer, _):
        writer.add(portion)
        writer.flush()


def test_copies_in_two_folders_count_once(imports: Imports, log: Path) -> None:
    more = found_lines(100, first=3000)
    grown = copied(log, "grown", more=more)

    tally = imports.facts("fail2ban-log", log, copied(log, "same"), grown)

    assert tally["bans_new"] == 310
    assert found(imports) == 3100
    imports.facts("fail2ban-log", grown)
    assert found(imports) == 3100


@pytest.mark.parametrize("daemon", [False, True])
def test_imports_at_once_count_once(
    imports: Imports, log: Path, *, daemon: bool
) -> None:
    early = portions(imports, log)
    late = portions(imports, log)
    with log.open("a") as file:
        file.write(found_lines(1000, first=3000))
    lately = portions(imports, log)

    with open_writer(imports.store) as store:
        for run in (early, late, lately):
            for portion in run:
                write(store, portion, daemon=daemon)

    imports.facts("fail2ban-log", log)
    assert found(imports) == 4000


def test_steps_of_two_imports_in_turn_count_all(imports: Imports, log: Path) -> None:
    (one,) = portions(imports, log)
    (other,) = portions(imports, log)
    steps = one.steps
    assert len(steps) > 3
    # The other came to other places between.
    between = other.steps[1]
    counted = between.packed + other.steps[2].packed
    ahead = replace(other.steps[2], start=between.start, packed=counted)

    with open_writer(imports.store) as store:
        for step in (steps[0], ahead, *steps[1:]):
            one.steps = [step]
            write(store, one)

    assert found(imports) == 3000


def test_an_older_copy_adds_nothing(imports: Imports, log: Path) -> None:
    older = copied(log, "older")
    with log.open("a") as file:
        file.write(found_lines(500, first=3000))
    imports.facts("fail2ban-log", log)
    before = imports.content()

    tally = imports.facts("fail2ban-log", older)

    assert (tally["read"], tally["bans_new"]) == (3300, 0)
    assert imports.content() == before
    assert imports.facts("fail2ban-log", log)["read"] == 0


@pytest.mark.parametrize("more", [1, 40, 3000])
def test_what_was_counted_ends_where_more_begins(
    imports: Imports, log: Path, more: int
) -> None:
    imports.facts("fail2ban-log", log)
    with log.open("a") as file:
        file.write(found_lines(more, first=3000))

    imports.facts("fail2ban-log", "--again", log)

    assert found(imports) == 3000 + more
    assert imports.facts("fail2ban-log", log)["read"] == 0
    imports.facts("fail2ban-log", "--again", log)
    assert found(imports) == 3000 + more


def test_half_a_line_that_was_counted_is_no_new_one(
    imports: Imports, log: Path
) -> None:
    half = log.read_bytes()[:-1]
    log.write_bytes(half)
    os.utime(log, (0, 0))  # nobody writes it any more
    imports.facts("fail2ban-log", log)
    assert found(imports) == 3000
    log.write_bytes(half + b"\n" + found_lines(5, first=3000).encode())

    imports.facts("fail2ban-log", "--again", log)

    assert found(imports) == 3005


def test_a_part_and_then_the_whole(imports: Imports, log: Path) -> None:
    whole = log.read_text()
    part = imports.folder / "bans"
    bans = [line for line in whole.splitlines(keepends=True) if " Ban " in line]
    part.write_text("".join(bans))
    log.write_text(bans[0] + whole)

    assert imports.facts("fail2ban-log", part)["bans_new"] == 300
    assert imports.facts("fail2ban-log", log)["read"] == 3301
    assert found(imports) == 3000

    assert imports.facts("fail2ban-log", part)["bans_new"] == 0
    assert imports.facts("fail2ban-log", log)["read"] == 0
    assert found(imports) == 3000


def test_a_log_that_was_edited_counts_once(imports: Imports, log: Path) -> None:
    imports.facts("fail2ban-log", log)
    lines = log.read_text().splitlines(keepends=True)
    del lines[100:110]
    log.write_text("".join(lines) + found_lines(500, first=3000))

    tally = imports.facts("fail2ban-log", log)

    assert tally["bans_new"] == 50
    assert found(imports) == 3000 - 9 + 500
    assert imports.facts("fail2ban-log", log)["read"] == 0


@pytest.mark.parametrize("first", ["", "-- Boot 5f0c --"])
def test_logs_with_the_same_first_line_are_two(
    imports: Imports, log: Path, first: str
) -> None:
    other = imports.folder / "fail2ban.log.2016"
    other.write_text(f"{first}\n{found_lines(4000, first=3000)}")
    log.write_text(f"{first}\n{log.read_text()}")

    imports.facts("fail2ban-log", log)
    imports.facts("fail2ban-log", other)

    assert found(imports) == 7000


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_gone_on_with_whatever_its_lines(
    imports: Imports, *, packed: bool
) -> None:
    log = imports.folder / "fail2ban.log"
    content = b""
    for number, size in enumerate((5000, 20_000, 70_000, 300_000, 1)):
        content += found_lines(30, first=30 * number).encode() + b"x" * size + b"\n"
        log.write_bytes(gzip.compress(content) if packed else content)
        assert imports.facts("fail2ban-log", log)["read"] == 34
        assert imports.facts("fail2ban-log", log)["read"] == 0
    assert found(imports) == 30 * 5


def test_what_is_said_of_a_log_is_of_one_file(log: Path) -> None:
    content = log.read_bytes()
    with opened_log(log) as opened:
        log.rename(log.with_suffix(".1"))
        log.write_text("2026-11-21 20:39:55,756 fail2ban.server [9]: INFO rotated\n")
        assert opened.go_to(len(content))
        opened.begin()
        assert b"".join(iter(lambda: opened.read(1 << 16), b"")) == content


def piped(imports: Imports, content: str) -> tuple[int, str]:
    """Import it from a pipe, as the journal is; give the exit code and the problem."""
    done = subprocess.run(
        (sys.executable, "-m", "f2b_enrich", *imports.words("fail2ban-log", "-")),
        input=content,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_what_a_pipe_found_counts_once(imports: Imports, log: Path) -> None:
    content = log.read_text()
    header = "-- Journal begins at {}. --\n"

    assert piped(imports, header.format("Mon") + content) == (0, "")
    assert found(imports) == 3000
    assert piped(imports, header.format("Tue") + content) == (0, "")
    assert found(imports) == 3000
    more = content + found_lines(700, first=3000)
    assert piped(imports, header.format("Wed") + more) == (0, "")
    assert found(imports) == 3700
    assert piped(imports, header.format("Thu") + content) == (0, "")
    assert found(imports) == 3700


def test_a_log_may_come_by_a_pipe_and_as_a_file(imports: Imports, log: Path) -> None:
    assert piped(imports, log.read_text()) == (0, "")
    with log.open("a") as file:
        file.write(found_lines(700, first=3000))

    assert imports.facts("fail2ban-log", log)["read"] == 770
    assert piped(imports, log.read_text()) == (0, "")
    assert found(imports) == 3700


@pytest.mark.parametrize("same", [1, 1000])
def test_a_pipe_that_differs_is_told_of(imports: Imports, log: Path, same: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    part = lines[:same] + [line for line in lines[same:] if " Ban " in line]
    assert piped(imports, "".join(part)) == (0, "")

    code, problem = piped(imports, "".join([*lines, found_lines(10, first=3000)]))

    assert code == 1
    assert problem == (
        "f2b-enrich: standard input differs from what was read of that log before: "
        "what it found is not counted, unless it is imported as a file\n"
    )
    assert imports.rows("SELECT count(*) FROM bans") == [(301,)]
    assert imports.facts("fail2ban-log", log)["read"] == 3300
    assert found(imports) == 3000
