"""Running `f2b-enrich` in this process, as its entry point does."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(*words: str | Path) -> Ran:
    """Run the command with these words; no exception but SystemExit may come out."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["f2b-enrich", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code: object = None
            main()
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())
