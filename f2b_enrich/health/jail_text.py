"""Where in fail2ban's jail files something stands: told to who is to change it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT = "DEFAULT"
STOCK_FILE = "jail.conf"

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_ACTION = re.compile(r"action\s*[=:]")
_NAMES_US = re.compile(r"f2b[-_]enrich")
_OUR_FILE = f"{OURS}.conf"
_MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a file; `section` is the jail's name or DEFAULT."""

    path: Path
    line: int
    section: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} [{self.section}]"


def action_of(etc: Path, jail: str) -> Place | None:
    """Find the `action =` that a jail has in force, if ours is left out.

    None where a file that is included has it: those are not read.
    """
    found: dict[str, Place] = {}
    for path in _files(etc):
        if path.name != _OUR_FILE:
            for section, line, text in _lines(path):
                if section in {jail, DEFAULT} and _ACTION.match(text):
                    found[section] = Place(path=path, line=line, section=section)
    return found.get(jail, found.get(DEFAULT))


def naming_us(etc: Path) -> tuple[Place, ...]:
    """Find the lines of other jail files that cannot do without ours."""
    return tuple(
        Place(path=path, line=line, section=section)
        for path in _files(etc)
        if path.name != _OUR_FILE
        for section, line, text in _lines(path)
        if _NAMES_US.search(text)
    )


def _files(etc: Path) -> Iterator[Path]:
    """Give the files in the order in which the later one wins (jail.conf(5))."""
    for suffix in (".conf", ".local"):
        yield etc / f"jail{suffix}"
        yield from sorted((etc / "jail.d").glob(f"*{suffix}"))


def _lines(path: Path) -> Iterator[tuple[str, int, str]]:
    """Give section, number and text of each line that is no comment."""
    try:
        if not path.is_file():
            return
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_MOST_CHARACTERS)
    except OSError:
        return  # fail2ban itself complains
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(("#", ";")):
            continue
        head = _SECTION.match(line)
        if head is not None:
            section = head["name"]
        yield section, number, line
