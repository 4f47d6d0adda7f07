"""Who holds a lock on a file, seen without touching it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = 6


def holders(inode: int, locks: Path) -> list[str]:
    """List the processes that hold a lock on a file of that number.

    Of the device the kernel may say another number than stat (btrfs, overlay), so
    another file's lock can look like this one.

    Raises:
        OSError: `locks` cannot be read.
        ValueError: it is none of the kernel's.
    """
    found = filter(None, map(_flock, locks.read_text("ascii").splitlines()))
    return [process for process, locked in found if locked == str(inode)]


def _flock(line: str) -> tuple[str, str] | None:
    """Tell process and inode, as in `1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF`.

    One that waits has an arrow: `1: -> FLOCK  ADVISORY ...`.
    """
    words = line.split()
    if len(words) < _WORDS or words[1] != "FLOCK":
        return None
    return words[4], words[5].rpartition(":")[2]
