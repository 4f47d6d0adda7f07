"""The files of fail2ban's jails, in the order in which the later one wins."""

from __future__ import annotations

import io
import os
import stat
from configparser import (
    BasicInterpolation,
    ConfigParser,
    DuplicateOptionError,
    DuplicateSectionError,
    Error,
    InterpolationDepthError,
    InterpolationError,
    InterpolationMissingOptionError,
    MissingSectionHeaderError,
    ParsingError,
)
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

INCLUDES = "INCLUDES"
_LARGEST = 1 << 20
_DEEPEST = 20
_MOST_FILES = 1000


class UnresolvedError(Exception):
    """Why a value has no meaning, without a word of it: it may hold a password."""


def resolved(section: str, option: str, raw: str, names: dict[str, str]) -> str:
    """Put values in the place of their %(names)s, as fail2ban's parser does.

    Raises:
        UnresolvedError: a name is not set, names itself, or is none.
    """
    # The parser lends only its way to write an option's name.
    parser = ConfigParser()
    try:
        return BasicInterpolation().before_get(parser, section, option, raw, names)
    except InterpolationMissingOptionError as exc:
        raise UnresolvedError(f"%({exc.reference})s is not set") from exc
    except InterpolationDepthError as exc:
        raise UnresolvedError("it names itself, or over 10 others in a row") from exc
    except InterpolationError as exc:
        raise UnresolvedError("a % without a name in brackets") from exc


@dataclass(frozen=True, slots=True)
class JailFile:
    """What one file says, nothing of it resolved."""

    defaults: Mapping[str, str]
    sections: Mapping[str, Mapping[str, str]]


class JailFiles:
    """The jails' files in one folder, and what they include."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self._folder = folder
        self._read: dict[Path, JailFile | None] = {}
        self._visits = 0

    def in_order(self) -> Iterator[JailFile]:
        """Give them in the order in which the later one wins."""
        more = self._listed(self._folder / "jail.d")
        for suffix in (".conf", ".local"):
            yield from self._with_included(self._folder / f"jail{suffix}")
            for path in more:
                if path.name.endswith(suffix):
                    yield from self._with_included(path)

    def _listed(self, folder: Path) -> list[Path]:
        try:
            return sorted(
                path for path in folder.iterdir() if not path.name.startswith(".")
            )
        except FileNotFoundError:
            return []
        except OSError as exc:
            self.problems.append(f"{folder}: {exc.strerror}")
            return []

    def _with_included(
        self, path: Path, within: tuple[Path, ...] = ()
    ) -> Iterator[JailFile]:
        if len(within) == _DEEPEST:
            self.problems.append(
                f"{path}: not included, the limit is {_DEEPEST} files within each other"
            )
            return
        if self._visits == _MOST_FILES:
            self.problems.append(
                f"{self._folder}: not read whole, the limit is {_MOST_FILES} files "
                "and includes"
            )
            return
        self._visits += 1
        file = self._file(path)
        if file is None:
            return
        within = (*within, path)
        yield from self._included(path, file, "before", within)
        yield file
        yield from self._included(path, file, "after", within)

    def _included(
        self, path: Path, file: JailFile, option: str, within: tuple[Path, ...]
    ) -> Iterator[JailFile]:
        for name in self._names(path, file, option):
            included = path.parent / name
            if included in within:
                continue
            yield from self._with_included(included, within)
            local = included.parent / f"{included.stem}.local"
            if local != included and local not in within:
                yield from self._with_included(local, within)

    def _names(self, path: Path, file: JailFile, option: str) -> list[str]:
        own = file.sections.get(INCLUDES)
        if own is None:
            return []
        # No other file's values are known here, nor fail2ban's own.
        values = {**file.defaults, **own, "__name__": INCLUDES}
        try:
            names = resolved(INCLUDES, option, values.get(option, ""), values)
        except UnresolvedError as exc:
            self.problems.append(f"{path}: {option} of [{INCLUDES}]: {exc}")
            return []
        return [name for name in names.split("\n") if name]

    def _file(self, path: Path) -> JailFile | None:
        if path not in self._read:
            try:
                self._read[path] = _parsed(path)
            except _UnreadableError as exc:
                self._read[path] = None
                self.problems.append(f"{path}: {exc}")
        return self._read[path]


class _UnreadableError(Exception):
    """Why a file is left out."""


def _parsed(path: Path) -> JailFile | None:
    """Read one file; None when there is none, which fail2ban takes without a word."""
    parser = ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    try:
        text = io.TextIOWrapper(io.BytesIO(_bytes(path)), "utf-8")
        parser.read_file(text)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _UnreadableError(exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise _UnreadableError("not UTF-8") from exc
    except Error as exc:
        raise _UnreadableError(_broken(exc)) from exc
    defaults = dict(parser.defaults())
    for option in defaults:  # now a section shows what is its own
        parser.remove_option(parser.default_section, option)
    return JailFile(defaults, {name: dict(parser[name]) for name in parser.sections()})


def _bytes(path: Path) -> bytes:
    # A pipe that nobody writes to would hold up the daemon's start.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
    except ValueError as exc:  # a NUL, in an include
        raise _UnreadableError("no file can have this name") from exc
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _UnreadableError("not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            found = file.read(_LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(found) > _LARGEST:
        raise _UnreadableError(f"too large, the limit is {_LARGEST} bytes")
    return found


def _broken(error: Error) -> str:
    # Not in its own words: they repeat the line, which may hold a password.
    match error:
        case DuplicateSectionError():
            return f"line {error.lineno}: a second [{error.section}]"
        case DuplicateOptionError():
            return f"line {error.lineno}: a second {error.option} in [{error.section}]"
        case MissingSectionHeaderError():
            return f"line {error.lineno}: no [section] before it"
        case ParsingError(errors=[(line, _), *_]):
            return f"line {line}: neither option nor section"
        case _:
            return type(error).__name__
