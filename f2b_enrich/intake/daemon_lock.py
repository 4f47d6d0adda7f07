"""Whether a daemon works on a store, seen without touching the lock it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOCKS = Path("/proc/locks")
_KIND, _INODE = 1, 5


def seeing_daemon(store: Path, *, locks: Path = LOCKS) -> Callable[[], bool]:
    """Give what tells whether a daemon works on the store; where unsure, one does.

    To try the lock would keep out a daemon that starts in that moment.
    """
    lock = store.with_name(f"{store.name}.daemon")

    def is_there() -> bool:
        try:
            inode = str(lock.stat().st_ino)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            lines = locks.read_text("ascii").splitlines()
        except (OSError, ValueError):
            return True
        # Of the device it may say another number than stat (btrfs, overlay).
        return any(_locked(line) == inode for line in lines)

    return is_there


def _locked(line: str) -> str | None:
    """Give the inode in `1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF`."""
    parts = line.split()
    if len(parts) <= _INODE or parts[_KIND] != "FLOCK":
        return None
    return parts[_INODE].rpartition(":")[2]
