"""The moment in which a jail carries out no ban.

fail2ban goes through a jail's actions for each ban; one that is added or taken away
meanwhile breaks that off, and the actions behind the present one are skipped
("OrderedDict mutated during iteration" in its log; tried with 1.0.2).
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT_SECONDS = 15.0
PAUSE_SECONDS = 0.02
_CALM_LOOKS = 4
_LONGEST_NAME = 15
"""Linux cuts the name of a thread to so many bytes."""


def wait_until_quiet(
    pid: int,
    jail: str,
    *,
    elapsed: Callable[[], float],
    pause: Callable[[], None],
    proc: Path = Path("/proc"),
) -> bool:
    """Wait until the server's jail runs no command; False after `LIMIT_SECONDS`.

    `elapsed` gives seconds since the beginning, `pause` waits `PAUSE_SECONDS`.
    An action in Python is not seen: it has no process.
    """
    calm = 0
    while elapsed() < LIMIT_SECONDS:
        # Between two actions of one ban there is no process for some microseconds.
        calm = 0 if _is_busy(proc / str(pid) / "task", jail) else calm + 1
        if calm == _CALM_LOOKS:
            return True
        pause()
    return False


def _is_busy(tasks: Path, jail: str) -> bool:
    # Bytes: the cut may go through a character.
    name = f"f2b/a.{jail}".encode()[:_LONGEST_NAME]
    children = list(_children(tasks))
    own = [found for thread, found in children if thread == name]
    # A fail2ban that does not name its threads: any of them may be the jail's.
    return any(own) if own else any(found for _, found in children)


def _children(tasks: Path) -> Iterator[tuple[bytes, bool]]:
    """Give each thread's name, and whether a process of its own runs."""
    # What is gone in between, or cannot be read, is no process to wait for.
    with contextlib.suppress(OSError):
        for task in tasks.iterdir():
            with contextlib.suppress(OSError):
                name = (task / "comm").read_bytes().rstrip(b"\n")
                yield name, bool((task / "children").read_bytes().strip())
