"""Which files hold a log, and in what order: rotated ones from the oldest on."""

from __future__ import annotations

import errno
import re
import stat
from typing import TYPE_CHECKING

from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_FILES = 100_000
"""Files looked at in a folder."""

_LEADS_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}

_PACKED = r"(?:\.(?:gz|xz|zst|bz2))?"
# logrotate's numbers, its dates (dateext, dateformat with the time), fail2ban.log.old.
_ROTATED = re.compile(
    r"(?P<log>.+?)(?:[.-](?P<date>\d{4}-?\d\d-?\d\d(?:[-_T]?\d{2,10})?)"
    r"|\.(?P<number>\d{1,4}))?(?P<old>\.old)?" + _PACKED
)
_LOG = re.compile(
    r".+\.log(?:[.-]\d{4}-?\d\d-?\d\d[\d_T-]*|\.\d{1,4})?(?:\.old)?" + _PACKED
)


def log_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List the files at these paths, each once, a rotated set from the oldest on.

    Sets stand in the order in which they are named. Of a folder those are taken that
    have fail2ban in their name; when there are none, all that are named like logs.

    Raises:
        UnreadableError: a path is not there, or no file, or a folder without a log.
    """
    sets: dict[tuple[Path, str], list[Path]] = {}
    seen: set[tuple[int, int] | Path] = set()
    for path in paths:
        for file in _files(path):
            key = _identity(file)
            if key not in seen:
                seen.add(key)
                sets.setdefault((file.parent, _parts(file.name)[0]), []).append(file)
    return tuple(
        file
        for files in sets.values()
        for file in sorted(files, key=lambda file: _parts(file.name)[1])
    )


def set_name(path: Path) -> str:
    """Give the name of a log, the same before and after it was rotated and packed."""
    return _parts(path.name)[0]


def _files(path: Path) -> Iterator[Path]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
            yield path
        elif stat.S_ISDIR(mode):
            yield from _in_folder(path)
        else:
            raise UnreadableError(
                f"{printable(str(path))} is neither a file nor a folder"
            )
    except OSError as exc:
        raise UnreadableError(f"{printable(str(path))}: {exc.strerror}") from exc


def _identity(file: Path) -> tuple[int, int] | Path:
    try:
        about = file.stat()
    except OSError:  # rotated away since it was listed, say: who reads it tells
        return file
    return about.st_dev, about.st_ino


def _may_be_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as exc:
        # What a link into a closed folder leads to, say, is told of by who reads it.
        # `is_file` raises nothing there from Python 3.14 on.
        return exc.errno not in _LEADS_NOWHERE


def _in_folder(folder: Path) -> list[Path]:
    name = printable(str(folder))
    logs, of_fail2ban, looked_at = [], [], 0
    for file in folder.iterdir():
        looked_at += 1
        if looked_at > MOST_FILES:
            raise UnreadableError(f"{name} holds more files than {MOST_FILES}")
        if not _may_be_file(file):
            continue
        if "fail2ban" in file.name.lower():
            of_fail2ban.append(file)
        elif _LOG.fullmatch(file.name):
            logs.append(file)
    found = of_fail2ban or logs
    if not found:
        raise UnreadableError(f"{name} holds no file that is named like a log")
    return sorted(found)


def _parts(name: str) -> tuple[str, tuple[int, str, int, int]]:
    """Give the name of the log, and what rotated ones are ordered by."""
    rotated = _ROTATED.fullmatch(name)
    if rotated is None:
        return name, (3, "", 0, 0)
    if rotated["date"]:
        return rotated["log"], (0, re.sub(r"\D", "", rotated["date"]), 0, 0)
    if rotated["number"]:
        return rotated["log"], (1, "", -int(rotated["number"]), 0)
    return rotated["log"], (2, "", 0, 0 if rotated["old"] else 1)
