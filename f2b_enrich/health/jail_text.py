"""Where in fail2ban's jail files something stands: told to who is to change it.

What is in force only fail2ban's own dump tells (`health.configured`).
"""

from __future__ import annotations

import re
from configparser import Error, RawConfigParser
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT = "DEFAULT"
STOCK_FILE = "jail.conf"

_INCLUDES = "INCLUDES"
_CALLS_US = re.compile(
    r"%\(action_f2b_enrich\)s|^\s*f2b-enrich(?:\.py)?\s*(?:\[|$)", re.MULTILINE
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    place: Place
    key: str
    value: str


def action_of(etc: Path, jail: str) -> Place | None:
    """Find the `action =` that a jail has in force, if ours is left out."""
    found = {
        option.place.section: option.place
        for option in _all_options(etc)
        if option.key == "action" and option.place.section in {jail, DEFAULT}
    }
    return found.get(jail, found.get(DEFAULT))


def naming_us(etc: Path) -> tuple[Place, ...]:
    """Find the options of other jail files that call our action."""
    return tuple(
        option.place for option in _all_options(etc) if _CALLS_US.search(option.value)
    )


def _all_options(etc: Path) -> Iterator[_Option]:
    """Give the options of all files but ours; the later one wins (jail.conf(5))."""
    for suffix in (".conf", ".local"):
        for path in (
            etc / f"jail{suffix}",
            *sorted((etc / "jail.d").glob(f"*{suffix}")),
        ):
            if path.name != _OUR_FILE:
                yield from _options(path, ())


def _options(path: Path, within: tuple[Path, ...]) -> Iterator[_Option]:
    """Give the options of a file, between those of the files that it includes."""
    own = _own_options(path)
    included = {
        option.key: option.value for option in own if option.place.section == _INCLUDES
    }
    chain = (*within, path)
    yield from _included(path, included.get("before", ""), chain)
    yield from own
    yield from _included(path, included.get("after", ""), chain)


def _included(path: Path, names: str, within: tuple[Path, ...]) -> Iterator[_Option]:
    for name in filter(None, names.split("\n")):
        file = path.parent / name
        for each in dict.fromkeys((file, file.parent / f"{file.stem}.local")):
            if each not in within:  # one that includes itself
                yield from _options(each, within)


def _own_options(path: Path) -> tuple[_Option, ...]:
    """Read one file as fail2ban does; nothing of one that it cannot read."""
    try:
        if not path.is_file():
            return ()
        with path.open(encoding="utf-8") as file:
            text = file.read(_MOST_CHARACTERS)
    except (OSError, UnicodeDecodeError):
        return ()  # fail2ban itself complains
    lines = _Numbered(text)
    parser = RawConfigParser(strict=False, inline_comment_prefixes=";")
    # The parser keeps no line numbers, but asks for a key's form where it reads it.
    parser.optionxform = lambda optionstr: f"{lines.number} {optionstr.lower()}"  # type: ignore[method-assign]
    try:
        parser.read_file(lines)
    except Error:
        return ()
    common = parser.defaults()
    sections = {name: dict(parser.items(name)) for name in parser.sections()}
    return tuple(
        _option(path, section, key, value)
        for section, options in ((DEFAULT, common), *sections.items())
        for key, value in options.items()
        if section == DEFAULT or key not in common
    )


def _option(path: Path, section: str, key: str, value: str) -> _Option:
    number, _, name = key.partition(" ")
    place = Place(path=path, line=int(number), section=section)
    return _Option(place=place, key=name, value=value)


class _Numbered:
    """The lines of a text, and the number of the one that was read last."""

    def __init__(self, text: str) -> None:
        self.number = 0
        self._text = text

    def __iter__(self) -> Iterator[str]:
        for line in self._text.split("\n"):
            self.number += 1
            yield line
