"""An administrator's own rules, from all files of a folder."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from f2b_enrich.classify.rules import Rule, RuleError, load, taken
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 20
"""How much of a file is read: more is refused."""


def load_folder(folder: Path) -> tuple[Rule, ...]:
    """Read `*.toml` in order of their names; these rules go before the shipped ones.

    A folder that is not there has none. Files whose names begin with a dot are
    passed over.

    Raises:
        RuleError: with all problems of all files.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - glob hides what is wrong
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise RuleError((printable(f"{folder}: {exc.strerror}"),)) from exc
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for name in names:
        if fnmatch(name, "[!.]*.toml"):
            try:
                _add(rules, folder / name)
            except RuleError as exc:
                problems += exc.problems
    if problems:
        raise RuleError(tuple(problems))
    return tuple(rules.values())


def _add(rules: dict[str, Rule], file: Path) -> None:
    read = load(_text(file), origin=str(file))
    twice = [rule.name for rule in read if rule.name in rules]
    if twice:
        problems = (taken(name, origin=str(file)) for name in twice)
        raise RuleError(tuple(printable(problem) for problem in problems))
    rules.update((rule.name, rule) for rule in read)


def _text(file: Path) -> str:
    try:
        with open(file, "rb", opener=_without_waiting) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise RuleError((printable(f"{file}: it is no regular file"),))
            raw = opened.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise RuleError(
                (printable(f"{file}: it has more than {MOST_BYTES >> 20} MiB"),)
            )
        return raw.decode("utf-8")
    except OSError as exc:
        raise RuleError((printable(f"{file}: {exc.strerror}"),)) from exc
    except UnicodeDecodeError as exc:
        raise RuleError((printable(f"{file}: {exc}"),)) from exc


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; of a FIFO, whoever else may write to it is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
