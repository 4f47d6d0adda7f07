"""Whether a daemon is at work, and for how long."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from f2b_enrich.health.locks import holders

PROC = Path("/proc")
_STARTED = 19
"""Where the start stands behind the name in /proc/PID/stat (proc(5), field 22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonFacts:
    """Whether a daemon answers; None is not known, and `detail` says why.

    `up_seconds` is None where it cannot be known.
    """

    socket: Path
    answers: bool | None
    detail: str | None = None
    up_seconds: int | None = None


def ask_daemon(
    path: Path, *, seconds: float, up_seconds: int | None = None
) -> DaemonFacts:
    """Connect, say that nothing follows, and see whether it hangs up as it should.

    A daemon that was stopped still has the kernel take connections for it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(os.fspath(path))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except PermissionError as exc:
            answers, detail = None, exc.strerror
        except (TimeoutError, BlockingIOError):
            answers = False
            detail = f"it takes connections, but no answer came within {seconds:g} s"
        except OSError as exc:
            answers, detail = False, exc.strerror or str(exc)
        else:
            answers, detail = True, None
    return DaemonFacts(
        socket=path, answers=answers, detail=detail, up_seconds=up_seconds
    )


def uptime(lock: Path, *, since_boot: float, proc: Path = PROC) -> int | None:
    """Tell for how many seconds the daemon runs that holds this lock.

    systemd may have made the socket, so that does not tell which process serves it.
    `since_boot` is the clock CLOCK_BOOTTIME.
    """
    try:
        processes = holders(lock.stat().st_ino, proc / "locks")
    except (OSError, ValueError):
        return None  # it is a courtesy
    ages = (_age(proc / process, since_boot) for process in processes)
    return next((age for age in ages if age is not None), None)


def _age(process: Path, since_boot: float) -> int | None:
    try:
        if b"f2b" not in (process / "cmdline").read_bytes():
            return None
        # The name of a process may hold blanks and brackets.
        _, _, behind = (process / "stat").read_text("utf-8", "replace").rpartition(")")
        ticks = int(behind.split()[_STARTED])
    except (OSError, ValueError, IndexError):
        return None
    age = since_boot - ticks / os.sysconf("SC_CLK_TCK")
    return int(age) if age >= 0 else None
