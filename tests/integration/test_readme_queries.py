"""The queries of README and reference, run on a store as the daemon leaves it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from tests.cli import run
from tests.stores import event, filled, located

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/reference/store.md")
DATABASE = "/var/lib/f2b-enrich/bans.db"
HOSTILE = "\x1b[2J\u202e\x9b31m"

_WORD = re.compile(r"`([a-z_.]+)`")
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def queries(text: str) -> list[str]:
    """Take the commands that ask the store out of the sh blocks."""
    return [
        command
        for block in _BLOCK.findall(text)
        for command in _commands(block)
        if command.startswith(("sqlite-utils ", "f2b-enrich s"))
    ]


def _commands(block: str) -> Iterator[str]:
    """Join the lines of a command that goes on in quotes or behind a backslash."""
    command = ""
    for line in block.splitlines():
        command += f"\n{line}" if command else line
        if _is_whole(command):
            yield command
            command = ""
    if command:
        yield command


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def ask(command: str, store: Path) -> str:
    """Run one as the reader would, on another store."""
    if command.startswith("f2b-enrich "):
        assert not set("$`\\") & set(command)  # a shell would change them
        _, *words = shlex.split(command)
        asked = run(*words, "--db", store)
        assert (asked.code, asked.err) == (0, ""), f"{command}: {asked.err}"
        return asked.out
    tools = Path(sys.executable).parent
    ran = subprocess.run(
        ("/bin/sh", "-c", command.replace(DATABASE, str(store))),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    )
    assert (ran.returncode, ran.stderr) == (0, ""), f"{command}: {ran.stderr}"
    return ran.stdout


def shown(page: str) -> list[str]:
    return queries((ROOT / page).read_text("utf-8"))


def test_queries_are_found_where_they_stand() -> None:
    text = (
        "```sh\n"
        "sqlite-utils a.db 'select 1'\n"
        "# a comment\n"
        'sqlite-utils a.db "\n  select 2\n" --table\n'
        "sqlite-utils a.db \\\n  'select 3'\n"
        "f2b-enrich sql 'select 4'\n"
        "f2b-enrich daemon\n"
        "```\n"
        "```\nsqlite-utils a.db 'not in an sh block'\n```\n"
        "sqlite-utils a.db 'not in a block'\n"
    )

    assert queries(text) == [
        "sqlite-utils a.db 'select 1'",
        'sqlite-utils a.db "\n  select 2\n" --table',
        "sqlite-utils a.db \\\n  'select 3'",
        "f2b-enrich sql 'select 4'",
    ]


def test_a_query_that_fails_is_noticed(tmp_path: Path) -> None:
    filled(tmp_path / "bans.db")
    query = "select count(*) as bans from ban_log"
    command = f"sqlite-utils {DATABASE} '{query}'"

    assert ask(command, tmp_path / "bans.db") == '[{"bans": 5}]\n'
    with pytest.raises(AssertionError, match="no_such_view"):
        ask(command.replace("ban_log", "no_such_view"), tmp_path / "bans.db")


def test_the_readme_names_both_ways() -> None:
    found = shown("README.md")

    assert len(found) >= 9
    assert {command.split()[0] for command in found} == {"f2b-enrich", "sqlite-utils"}


@pytest.mark.parametrize("page", PAGES)
def test_every_query_answers_and_no_word_of_an_attacker_comes_raw(
    page: str, tmp_path: Path
) -> None:
    store = filled(tmp_path / "bans.db", now=datetime.now(UTC))
    name = f"oracle {HOSTILE}"
    line = f"sshd[7]: Invalid user admin {name} from 192.0.2.7"
    ip = f"203.0.113.5 {HOSTILE}"
    ids = store.record(*(event(each, lines=(line,)) for each in ("192.0.2.7", ip)))
    store.learn(replace(located(), ip=ip, hostname=name, as_name=name, country=name))
    store.mail(ids[0], state=OutboxState.DEAD, error=name)
    seen = ""
    for command in shown(page):
        assert command.startswith("f2b-enrich ") or DATABASE in command
        told = ask(command, store.path)
        assert told.strip() not in {"", "[]"}, command
        assert all(char.isprintable() or char == "\n" for char in told), command
        seen += told
    assert "oracle" in seen
    assert "[2J" in seen


def test_every_table_and_column_is_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs/reference/store.md").read_text("utf-8")
    named = {name for word in _WORD.findall(text) for name in word.split(".")}
    inner = {
        *("_sqlite_migrations", "rule_sets", "chores", "waiting_events", "mailboxes"),
        *("ban_records", "found_counts"),
    }
    with filled(tmp_path / "bans.db").reading() as store:
        tables = [
            row["name"]
            for row in store.execute("SELECT name FROM sqlite_master WHERE sql NOTNULL")
            if "log_lines_" not in row["name"] and not row["name"].startswith("sqlite_")
        ]
        columns = {
            f"{table}.{row['name']}"
            for table in tables
            if table not in inner
            for row in store.execute(f"PRAGMA table_info({table})")
        }

    assert len(columns) > 150
    assert {each for each in columns if set(each.split(".")) - named} == set()
    assert inner <= named
