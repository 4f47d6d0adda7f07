"""The queries that the README shows, run on a store as the daemon leaves it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stores import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parents[2] / "README.md"
DATABASE = "/var/lib/f2b-enrich/bans.db"

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def queries(text: str) -> list[str]:
    """Take the commands that start with `sqlite-utils` out of the sh blocks."""
    return [
        command
        for block in _BLOCK.findall(text)
        for command in _commands(block)
        if command.startswith("sqlite-utils ")
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


def test_queries_are_found_where_they_stand() -> None:
    text = (
        "```sh\n"
        "sqlite-utils a.db 'select 1'\n"
        "# a comment\n"
        'sqlite-utils a.db "\n  select 2\n" --table\n'
        "sqlite-utils a.db \\\n  'select 3'\n"
        "f2b-enrich status\n"
        "```\n"
        "```\nsqlite-utils a.db 'not in an sh block'\n```\n"
        "sqlite-utils a.db 'not in a block'\n"
    )

    assert queries(text) == [
        "sqlite-utils a.db 'select 1'",
        'sqlite-utils a.db "\n  select 2\n" --table',
        "sqlite-utils a.db \\\n  'select 3'",
    ]


def test_a_query_that_fails_is_noticed(tmp_path: Path) -> None:
    filled(tmp_path / "bans.db")
    query = "select count(*) as bans from ban_log"
    command = f"sqlite-utils {DATABASE} '{query}'"

    assert ask(command, tmp_path / "bans.db") == '[{"bans": 5}]\n'
    with pytest.raises(AssertionError, match="no_such_view"):
        ask(command.replace("ban_log", "no_such_view"), tmp_path / "bans.db")


def test_every_query_of_the_readme_answers(tmp_path: Path) -> None:
    found = queries(README.read_text("utf-8"))
    filled(tmp_path / "bans.db")

    assert len(found) >= 4
    for command in found:
        assert DATABASE in command
        assert ask(command, tmp_path / "bans.db").strip() not in {"", "[]"}, command
