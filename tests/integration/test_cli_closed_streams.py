"""A program whose outputs are closed still tells by its exit code."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.stores import filled

if TYPE_CHECKING:
    from pathlib import Path


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
