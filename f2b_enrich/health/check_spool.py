"""Whether bans find a place while the daemon is away, and leave it again."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import spool
from f2b_enrich.health.cures import RESTART, command
from f2b_enrich.health.links import crit, ok, unknown, warn
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.health.links import Link

STUCK_SECONDS = 60
"""A daemon that runs takes a file within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFacts:
    """One spool; `trouble` is why clients can leave nothing in it.

    `oldest_seconds` is how long the oldest file waits. Of a folder that is `denied`
    this user sees nothing.
    """

    folder: Path
    files: int = 0
    unreadable: int = 0
    oldest_seconds: float = 0.0
    trouble: str | None = None
    denied: bool = False


def look(folder: Path, *, now: float) -> SpoolFacts:
    """Count what lies in a spool; `now` is Unix time."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return SpoolFacts(folder=folder, trouble="is not there")
    except OSError as exc:
        return SpoolFacts(folder=folder, trouble=exc.strerror, denied=True)
    if not stat.S_ISDIR(found.st_mode):
        return SpoolFacts(folder=folder, trouble="is no folder")
    if not os.access(folder, os.R_OK | os.X_OK):
        return SpoolFacts(folder=folder, trouble="not for this user", denied=True)
    held = spool.backlog(folder)
    return SpoolFacts(
        folder=folder,
        files=held.files,
        unreadable=held.unreadable,
        oldest_seconds=_oldest(folder, now),
        trouble=_unwritable(folder, found),
    )


def _oldest(folder: Path, now: float) -> float:
    oldest = now
    for file in spool.waiting(folder, now=now)[:1]:
        try:
            oldest = file.stat(follow_symlinks=False).st_mtime
        except OSError:
            continue  # the daemon took it meanwhile
    return max(now - oldest, 0.0)


def _unwritable(folder: Path, found: os.stat_result) -> str | None:
    if not found.st_mode & stat.S_IWUSR:
        return "takes no files of its owner"
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "is on a disk that is mounted read-only"
    return None


def links(first: SpoolFacts, second: SpoolFacts, *, lost: int) -> Iterator[Link]:
    """Say whether events get lost; the second spool is on /run, made when needed.

    `lost` counts the events that found neither daemon nor spool since the start.
    """
    before = False
    if lost:
        before = True
        yield warn(
            "spool",
            f"{counted(lost, 'event')} found neither daemon nor spool since the start",
            "mend what else is told here; they are in fail2ban's own log",
        )
    for facts in (first, second):
        if facts.denied:
            before = True
            text = f"{facts.folder}: {facts.trouble}"
            yield unknown("spool", text, "run this as root")
    if first.trouble is not None and not first.denied:
        before = True
        yield crit("spool", f"{first.folder} {first.trouble}", _place(first))
    for facts in (first, second):
        for link in _content(facts):
            before = True
            yield link
    if not before:
        files = first.files + second.files
        yield ok("spool", f"{files} waiting" if files else "empty, writable")


def _place(facts: SpoolFacts) -> str:
    if facts.trouble == "is not there":
        words = ("install", "-d", "-o", "root", "-g", "f2b-enrich", "-m", "2770")
        return command(*words, facts.folder)
    return f"make it root's, group f2b-enrich; {command('chmod', '2770', facts.folder)}"


def _content(facts: SpoolFacts) -> Iterator[Link]:
    if facts.unreadable:
        yield warn(
            "spool",
            f"{counted(facts.unreadable, 'file')} in {facts.folder / spool.BAD}: "
            "no events",
            "look at them, then remove them: the daemon's log says what is wrong",
        )
    if facts.oldest_seconds > STUCK_SECONDS:
        yield warn(
            "spool",
            f"{counted(facts.files, 'file')} in {facts.folder}, the oldest for "
            f"{facts.oldest_seconds:.0f} s: no daemon takes them",
            f"{RESTART}; journalctl -u f2b-enrich",
        )
