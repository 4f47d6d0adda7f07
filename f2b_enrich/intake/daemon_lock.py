"""Whether a daemon works on a store, seen without touching the lock it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.locks import holders
from f2b_enrich.store.connection import daemon_lock

if TYPE_CHECKING:
    from collections.abc import Callable

LOCKS = Path("/proc/locks")


def seeing_daemon(store: Path, *, locks: Path = LOCKS) -> Callable[[], bool]:
    """Give what tells whether a daemon works on the store; where unsure, one does.

    To try the lock would keep out a daemon that starts in that moment.
    """
    lock = daemon_lock(store)

    def is_there() -> bool:
        try:
            inode = lock.stat().st_ino
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            return bool(holders(inode, locks))
        except (OSError, ValueError):
            return True

    return is_there
