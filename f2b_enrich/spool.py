"""Events that clients left in files while no daemon answered."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.errors import SpoolError
from f2b_enrich.wire import MAX_REQUEST

if TYPE_CHECKING:
    from pathlib import Path

BAD = "bad"
"""The folder beside the files for those that cannot be read as an event."""

SLOW = "slow"
"""Beside the socket: clients that see it, and fresh, spool without connecting."""

LOST = "lost"
"""Beside the socket: a line for each event that found neither daemon nor spool."""

UNFINISHED_SECONDS = 60
"""After this a file without its final name is one whose client was killed."""


_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})
"""Trouble of this moment, or of the disk: no fault of the file."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies in a spool: files that wait, and files that were set aside."""

    files: int
    unreadable: int


def beside(socket: Path) -> Path:
    """Name the second spool, on a memory file system beside the socket."""
    return socket.parent / "spool"


def prepare(folder: Path) -> None:
    """Make the folder if it is missing; its parent must be there.

    Raises:
        SpoolError: it cannot be made.
    """
    try:
        folder.mkdir()
        # What fail2ban's root leaves here must get the group of the daemon.
        folder.chmod(0o2770)
    except OSError as exc:
        if not folder.is_dir():
            raise SpoolError(f"spool {folder}: {exc.strerror}") from exc


def waiting(folder: Path, *, now: float) -> tuple[Path, ...]:
    """List the files to drain, oldest first; `now` is Unix time.

    A file that a killed client did not finish is listed once it is old enough. Names
    begin with the time, so their order is that of the events.
    """
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            unfinished = entry.name.endswith(".tmp")
            orphaned = unfinished and _age(entry, now) > UNFINISHED_SECONDS
            if orphaned or entry.name.endswith(".ban"):
                found.append(entry.name)
    return tuple(folder / name for name in sorted(found))


def _age(entry: os.DirEntry[str], now: float) -> float:
    try:
        return now - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def read(file: Path, *, owners: frozenset[int] | None) -> bytes:
    """Read one file, at most what a request may hold.

    `owners` are the numbers of the users who may report bans, None for anybody's: more
    users than these may write there, for the folder has the group that reads the store.

    Raises:
        SpoolError: it is no plain file, another user's, too large, or cannot be read.
    """
    try:
        with open(file, "rb", opener=_open_safely) as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SpoolError(f"spool {file}: not a plain file")
            if owners is not None and found.st_uid not in owners:
                raise SpoolError(
                    f"spool {file}: user {found.st_uid} may not report bans"
                    " (daemon.users)"
                )
            content = stream.read(MAX_REQUEST + 1)
    except OSError as exc:
        passing = exc.errno in _PASSING
        raise SpoolError(f"spool {file}: {exc.strerror}", retryable=passing) from exc
    if len(content) > MAX_REQUEST:
        raise SpoolError(f"spool {file}: over the limit of {MAX_REQUEST} bytes")
    return content


def _open_safely(path: str, mode: int) -> int:
    return os.open(path, mode | os.O_NOFOLLOW | os.O_NONBLOCK)


def set_aside(file: Path) -> None:
    """Move a file that is no event to the folder `bad`, where it stays for people.

    Raises:
        SpoolError: it cannot be moved.
    """
    bad = file.parent / BAD
    try:
        with suppress(FileExistsError):
            bad.mkdir(mode=0o770)
        # Whoever may write to the spool may have made a link of it to anywhere.
        folder = os.open(bad, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as exc:
        raise SpoolError(f"spool {bad}: {exc.strerror}") from exc
    try:
        os.rename(file, file.name, dst_dir_fd=folder)
    except OSError as exc:
        raise SpoolError(f"spool {file}: {exc.strerror}") from exc
    finally:
        os.close(folder)


def backlog(folder: Path) -> Backlog:
    """Count what lies in a spool; a folder that is missing holds nothing."""
    files = unreadable = 0
    with suppress(OSError):
        files = sum(name.endswith((".ban", ".tmp")) for name in os.listdir(folder))  # noqa: PTH208
    with suppress(OSError):
        unreadable = len(os.listdir(folder / BAD))  # noqa: PTH208
    return Backlog(files, unreadable)


def lost(run: Path) -> int | None:
    """Count the events that clients could leave nowhere, each once; None: not known.

    fail2ban runs an action that failed a second time, which leaves a second line. The
    file is for root to read.
    """
    try:
        return len(set((run / LOST).read_bytes().splitlines()))
    except FileNotFoundError:
        return 0
    except OSError:
        return None
