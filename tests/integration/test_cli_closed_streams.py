"""A program whose outputs are closed still tells by its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stores import filled


@pytest.mark.parametrize("closed", [">&- 2>&-", ">&- 2>&- <&-", "2>&-"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show",), 2),
        (("no-such-command",), 2),
        (("show", "203.0.113.99"), 1),
        (("bans", "list"), 1),
    ],
)
def test_the_exit_code_is_that_of_what_happened(
    tmp_path: Path, words: tuple[str, ...], code: int, closed: str
) -> None:
    db = tmp_path / "bans.db"
    filled(db)
    before = db.read_bytes()
    options = ("--db", str(db)) if len(words) > 1 else ()
    expected = 0 if words[0] == "bans" and ">&- 2" not in closed else code

    ran = subprocess.run(
        (
            *("sh", "-c", f'exec "$@" {closed}', "sh"),
            *(sys.executable, "-m", "f2b_enrich", *words, *options),
        ),
        stdout=subprocess.DEVNULL,
        check=False,
    )

    assert ran.returncode == expected
    assert db.read_bytes() == before


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("bans", "list"), ("--version",)])
def test_an_output_that_takes_nothing_is_told_of(
    tmp_path: Path, words: tuple[str, ...], unbuffered: str
) -> None:
    db = tmp_path / "bans.db"
    filled(db)
    options = ("--db", str(db)) if len(words) > 1 else ()
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            (sys.executable, "-m", "f2b_enrich", *words, *options),
            stdout=full,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr == (
        "f2b-enrich: cannot write the output: No space left on device\n"
    )


@pytest.mark.parametrize(
    "words", [("sql", "-"), ("outbox", "bounce", "-"), ("classify", "-")]
)
def test_a_closed_input_is_told_in_one_line(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    db = tmp_path / "bans.db"
    filled(db)

    ran = subprocess.run(
        (
            *("sh", "-c", 'exec "$@" <&-', "sh"),
            *(sys.executable, "-m", "f2b_enrich", *words, "--db", str(db)),
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr == "f2b-enrich: standard input: it is closed\n"
    assert ran.returncode == 1
