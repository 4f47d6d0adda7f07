"""Whether a daemon answers and how long it is up, against sockets and processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.cli import daemon_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def stopped(path: Path) -> Iterator[socket.socket]:
    """Listen as a daemon under SIGSTOP does: the kernel alone takes connections."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


def test_a_daemon_that_was_stopped_does_not_answer(short_folder: Path) -> None:
    with stopped(short_folder / "s"):
        found = daemon_facts.ask_daemon(short_folder / "s", seconds=0.05)

    assert found.answers is False
    assert found.detail == "it takes connections, but no answer came within 0.05 s"


def test_the_socket_of_a_daemon_that_is_gone_does_not_answer(
    short_folder: Path,
) -> None:
    with stopped(short_folder / "s"):
        pass

    found = daemon_facts.ask_daemon(short_folder / "s", seconds=1)

    assert (found.answers, found.detail) == (False, "Connection refused")


def test_a_path_too_long_for_a_socket_does_not_answer(short_folder: Path) -> None:
    found = daemon_facts.ask_daemon(short_folder / ("x" * 120), seconds=1)

    assert (found.answers, found.detail) == (False, "AF_UNIX path too long")


HOLDER = """
import sys
from pathlib import Path
from f2b_enrich.store.connection import held_by_daemon
with held_by_daemon(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(db: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the store as a daemon does, in another process."""
    with subprocess.Popen(
        (sys.executable, "-c", HOLDER, str(db)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        assert holder.stdin is not None
        holder.stdin.close()


def test_the_time_a_daemon_is_up_is_told(short_folder: Path) -> None:
    clock = time.clock_gettime(time.CLOCK_BOOTTIME)
    lock = short_folder / "bans.db.daemon"
    with holding(short_folder / "bans.db"):
        up = daemon_facts.uptime(lock, since_boot=clock + 7200)
        before_its_start = daemon_facts.uptime(lock, since_boot=clock - 3600)
    gone = daemon_facts.uptime(lock, since_boot=clock)

    assert up is not None
    assert 7100 < up < 7260
    assert before_its_start is None
    assert gone is None


@pytest.mark.parametrize(
    "locks",
    ["", "1: FLOCK ADVISORY\n", "1: FLOCK ADVISORY WRITE 999999999 0:1:{} 0 EOF\n"],
)
def test_what_the_kernel_does_not_tell_is_not_known(
    short_folder: Path, locks: str
) -> None:
    lock, proc = short_folder / "lock", short_folder / "proc"
    assert daemon_facts.uptime(lock, since_boot=9, proc=proc) is None
    lock.touch()
    proc.mkdir()
    (proc / "locks").write_text(locks.format(lock.stat().st_ino))

    assert daemon_facts.uptime(lock, since_boot=9, proc=proc) is None


def test_another_program_that_holds_such_a_lock_is_no_daemon(
    short_folder: Path,
) -> None:
    lock, process = short_folder / "lock", short_folder / "proc" / "7"
    lock.touch()
    process.mkdir(parents=True)
    inode = lock.stat().st_ino
    (process.parent / "locks").write_text(
        f"1: POSIX ADVISORY WRITE 5 0:1:{inode} 0 EOF\n"
        f"2: FLOCK ADVISORY WRITE 7 0:1:{inode} 0 EOF\n"
    )
    fields = " ".join(["S", *map(str, range(18)), "100", "0"])
    (process / "stat").write_text(f"7 (odd) name) {fields}\n")
    (process / "cmdline").write_bytes(b"/usr/bin/cat\0")
    other = daemon_facts.uptime(lock, since_boot=61, proc=process.parent)
    (process / "cmdline").write_bytes(b"/opt/f2b-enrich/bin/python\0")
    ours = daemon_facts.uptime(lock, since_boot=61, proc=process.parent)

    assert other is None
    assert ours == 61 - 100 // os.sysconf("SC_CLK_TCK")


def test_another_file_with_the_same_number_hides_no_daemon(short_folder: Path) -> None:
    lock, proc = short_folder / "lock", short_folder / "proc"
    lock.touch()
    inode = lock.stat().st_ino
    for number, name in ((5, "/usr/bin/cat"), (7, "/opt/f2b-enrich/bin/python")):
        process = proc / str(number)
        process.mkdir(parents=True)
        fields = " ".join(["S", *map(str, range(18)), "100", "0"])
        (process / "stat").write_text(f"{number} (name) {fields}\n")
        (process / "cmdline").write_text(f"{name}\0")
    (proc / "locks").write_text(
        f"1: FLOCK ADVISORY WRITE 999999999 0:1:{inode} 0 EOF\n"
        f"2: FLOCK ADVISORY WRITE 5 0:2:{inode} 0 EOF\n"
        f"2: -> FLOCK ADVISORY WRITE 5 0:2:{inode} 0 EOF\n"
        "3: FLOCK ADVISORY\n"
        f"4: FLOCK ADVISORY WRITE 7 0:1:{inode} 0 EOF\n"
    )

    up = daemon_facts.uptime(lock, since_boot=61, proc=proc)

    assert up == 61 - 100 // os.sysconf("SC_CLK_TCK")
