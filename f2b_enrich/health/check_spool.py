"""Whether bans find a place while the daemon is away, and leave it again."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import spool
from f2b_enrich.health.check_process import READ, SEARCH, WRITE
from f2b_enrich.health.cures import MOVE, RESTART, command
from f2b_enrich.health.links import crit, ok, unknown, warn
from f2b_enrich.health.sizes import size_text
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from f2b_enrich.health.check_process import Account
    from f2b_enrich.health.links import Link

STUCK_SECONDS = 60
"""A daemon that runs takes a file within seconds."""

MOST_FILES, MOST_BYTES = 50_000, 256 * 1024 * 1024
"""What clients leave in the spool at most; of the second one, an eighth."""

NO_SPACE = 5_000_000
_MISSING = "is not there"
_NO_FOLDER = "is no folder"
_READ_ONLY = "is on a disk that is mounted read-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFacts:
    """One spool; `trouble` is why clients can leave nothing in it.

    `oldest_seconds` is how long the oldest file waits, `names` and `size` are what
    clients count before they leave one more, the size in bytes. Of a folder that is
    `denied` this user sees nothing.
    """

    folder: Path
    files: int = 0
    names: int = 0
    size: int = 0
    free_bytes: int | None = None
    unreadable: int = 0
    oldest_seconds: float = 0.0
    trouble: str | None = None
    denied: bool = False


def look(
    folder: Path,
    *,
    now: float,
    account: Account | None = None,
    free_bytes: Callable[[Path], int] | None = None,
) -> SpoolFacts:
    """Count what lies in a spool; `now` is Unix time, `account` the daemon's."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return SpoolFacts(folder=folder, trouble=_MISSING)
    except OSError as exc:
        return SpoolFacts(folder=folder, trouble=exc.strerror, denied=True)
    if not stat.S_ISDIR(found.st_mode):
        return SpoolFacts(folder=folder, trouble=_NO_FOLDER)
    if not os.access(folder, os.R_OK | os.X_OK):
        return SpoolFacts(folder=folder, trouble="not for this user", denied=True)
    held = spool.backlog(folder)
    names = os.listdir(folder)  # noqa: PTH208
    return SpoolFacts(
        folder=folder,
        files=held.files,
        names=len(names),
        size=sum(map(_size, names)),
        free_bytes=None if free_bytes is None else free_bytes(folder),
        unreadable=held.unreadable,
        oldest_seconds=_oldest(folder, now),
        trouble=_unusable(folder, found, account),
    )


def _oldest(folder: Path, now: float) -> float:
    oldest = now
    for file in spool.waiting(folder, now=now)[:1]:
        try:
            oldest = file.stat(follow_symlinks=False).st_mtime
        except OSError:
            continue  # the daemon took it meanwhile
    return max(now - oldest, 0.0)


def _size(name: str) -> int:
    """Read the size of a file from its name, as clients do: TIME-PROCESS-SIZE.ban."""
    size = name.rpartition("-")[2].partition(".")[0]
    return int(size) if size.isdecimal() else 0


def _unusable(
    folder: Path, found: os.stat_result, account: Account | None
) -> str | None:
    if not found.st_mode & stat.S_IWUSR:
        return "takes no files of its owner"
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return _READ_ONLY
    if account is None:
        return None
    if not account.may(found, READ | WRITE | SEARCH):
        return f"cannot be emptied by user {account.user}, the daemon's"
    # Clients leave files that their owner and their group may read.
    group = found.st_gid if found.st_mode & stat.S_ISGID else 0
    if account.user and group not in account.groups:
        return f"has files of a group that user {account.user}, the daemon's, is not in"
    return None


def links(first: SpoolFacts, second: SpoolFacts, *, lost: int) -> Iterator[Link]:
    """Say whether events get lost; the second spool is on /run, made when needed.

    `lost` counts the events that found neither daemon nor spool since the start.
    """
    before = False
    if lost:
        before = True
        told = command("rm", second.folder.parent / spool.LOST)
        yield crit(
            "spool",
            f"{counted(lost, 'event')} found neither daemon nor spool since the start",
            f"mend what else is told here; they are in fail2ban's own log; then {told}",
        )
    for facts in (first, second):
        if facts.denied:
            before = True
            text = f"{facts.folder}: {facts.trouble}"
            yield unknown("spool", text, "run this as root")
    for link in (*_troubles(first, second), *_content(first, 1), *_content(second, 8)):
        before = True
        yield link
    if not before:
        files = first.files + second.files
        yield ok("spool", f"{files} waiting" if files else "empty, writable")


def _troubles(first: SpoolFacts, second: SpoolFacts) -> Iterator[Link]:
    for facts in (first, second):
        is_made_when_needed = facts is second and facts.trouble == _MISSING
        if facts.trouble and not facts.denied and not is_made_when_needed:
            yield crit("spool", f"{facts.folder} {facts.trouble}", _place(facts))
    free = first.free_bytes
    if free is not None and free < MOST_BYTES:
        tell = crit if free < NO_SPACE else warn
        yield tell(
            "spool",
            f"{size_text(free)} free on the disk of {first.folder}, a full spool takes "
            f"{size_text(MOST_BYTES)}",
            f"make room there, or move the spool (daemon.spool), {MOVE}",
        )


def _place(facts: SpoolFacts) -> str:
    folder = facts.folder
    words = ("install", "-d", "-o", "root", "-g", "f2b-enrich", "-m", "2770")
    if facts.trouble == _READ_ONLY:
        return "see what the kernel says of that disk (dmesg)"
    if facts.trouble == _NO_FOLDER:
        return f"{command('mv', folder, f'{folder}.odd')}; {command(*words, folder)}"
    return command(*words, folder)


def _content(facts: SpoolFacts, part: int) -> Iterator[Link]:
    files, size = MOST_FILES // part, MOST_BYTES // part
    if facts.names >= files or facts.size >= size:
        yield crit(
            "spool",
            f"{facts.folder} is full, with {facts.names:,} files of "
            f"{size_text(facts.size)} (limits {files:,} and {size_text(size)}): bans "
            "get lost",
            f"{RESTART}; journalctl -u f2b-enrich",
        )
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
