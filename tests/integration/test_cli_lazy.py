"""The program imports what one command needs, and still knows all of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from f2b_enrich.cli.main import cli
from tests.cli import run
from tests.stores import filled

if TYPE_CHECKING:
    from pathlib import Path

LOADED = """
import sys
from f2b_enrich.cli.main import main
sys.argv = ["f2b-enrich", *sys.argv[1:]]
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def modules(*words: str | Path) -> set[str]:
    """Run a command and name what it has imported."""
    ran = subprocess.run(
        (sys.executable, "-c", LOADED, *words),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stderr.split())


def test_the_version_needs_no_command() -> None:
    found = modules("--version")

    assert "click" in found
    assert not found & {"pydantic", "f2b_enrich.config", "f2b_enrich.cli.show"}


@pytest.mark.parametrize(
    "words", [("show", "192.0.2.7"), ("status",), ("bans", "list")]
)
def test_who_reads_needs_nothing_to_write_or_send(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    filled(tmp_path / "bans.db")

    found = modules(*words, "--db", tmp_path / "bans.db")

    assert "f2b_enrich.store.connection" in found
    assert not found & {
        *("sqlite_utils", "jinja2", "aiosmtplib", "aiohttp", "structlog"),
        *("f2b_enrich.daemon.app", "f2b_enrich.cli.daemon"),
        *("re2", "f2b_enrich.classify.rules"),
    }


def test_help_lists_every_command_with_what_it_does() -> None:
    with click.Context(cli) as context:
        names = cli.list_commands(context)
        commands = {name: cli.get_command(context, name) for name in names}
    listed = run("--help").out

    assert len(commands) == 20
    for name, command in commands.items():
        assert command is not None
        assert f"  {name} " in listed
        assert command.get_short_help_str(60).rstrip(".") in listed


@pytest.mark.parametrize("name", ["main", "opening", "..status", "os", ""])
def test_no_other_module_is_a_command(name: str) -> None:
    assert run(name).code == 2


def test_a_writer_does_without_numpy_which_may_be_imported_later(
    tmp_path: Path,
) -> None:
    """The daemon is one; sqlite-utils would take NumPy along."""
    program = """
import sys
from pathlib import Path
from f2b_enrich.store.connection import open_writer
with open_writer(Path(sys.argv[1])):
    print([name for name in sys.modules if name.partition(".")[0] == "numpy"])
import numpy
print(numpy.array([3]).sum())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "bans.db"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n3\n"
