"""Imports of standard input and named pipes: closed, waited for, ended by signals."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.intake.bringing import WORTH_A_PROCESS
from tests import uncovered
from tests.imports import Imports, imports

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["imports"]

DEADLINE = 60.0
LINE = b"2026-11-21 20:39:55,756 fail2ban.actions [9365]: NOTICE [lab] Ban 192.0.2.7\n"
ENDS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
STREAMED = pytest.mark.parametrize("kind", ["fail2ban-log", "mail"])


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    latest = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < latest


def begun(imports: Imports, kind: str, *words: str | Path) -> subprocess.Popen[bytes]:
    """Start an import, in a process group of its own."""
    return subprocess.Popen(
        (sys.executable, "-m", "f2b_enrich", *imports.words(kind, *words)),
        env=uncovered.environ(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ends_well(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal, and see it say so, with all that it started."""
    process.send_signal(number)
    assert process.wait(DEADLINE) == 1  # what it waits for does not come
    _, err = process.communicate()
    assert err == (
        b"f2b-enrich: interrupted: 0 bans new; run the same command again to go on\n"
    )
    until(lambda: not is_any_left(process.pid))


def is_any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@STREAMED
def test_a_closed_standard_input_is_told_of(imports: Imports, kind: str) -> None:
    words = (sys.executable, "-m", "f2b_enrich", *imports.words(kind, "-"))
    done = subprocess.run(
        ("sh", "-c", 'exec "$@" <&-', "sh", *words),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == 1
    assert done.stderr == "f2b-enrich: standard input is closed\n"


@STREAMED
@ENDS
def test_waiting_for_standard_input_can_be_ended(
    imports: Imports, kind: str, number: int
) -> None:
    process = begun(imports, kind, "-")
    assert process.stdin is not None
    pipe = process.stdin
    pipe.write(LINE)
    pipe.flush()
    until(lambda: bytes_in(pipe.fileno()) == 0)
    ends_well(process, number)


def bytes_in(pipe: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


@ENDS
def test_waiting_for_who_writes_to_a_pipe_can_be_ended(
    imports: Imports, number: int
) -> None:
    pipe = imports.folder / "pipe"
    os.mkfifo(pipe)
    process = begun(imports, "fail2ban-log", pipe)
    # A signal that comes before it waits ends it as well, in the same way.
    until(imports.store.exists)
    until(lambda: sleeps(process.pid))
    ends_well(process, number)


def sleeps(pid: int) -> bool:
    return "State:\tS" in Path(f"/proc/{pid}/status").read_text()


@ENDS
def test_a_reader_of_its_own_that_waits_is_ended(imports: Imports, number: int) -> None:
    pipe, large = imports.folder / "pipe", imports.folder / "large"
    os.mkfifo(pipe)
    with large.open("wb") as sparse:
        sparse.truncate(WORTH_A_PROCESS)
    process = begun(imports, "mail", large, pipe)
    writing: list[int] = []
    until(lambda: is_opened(pipe, writing))
    ends_well(process, number)
    os.close(writing[0])


def is_opened(pipe: Path, writing: list[int]) -> bool:
    """Open it for writing if somebody reads from it."""
    try:
        writing.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # ENXIO: nobody does
        return False
    return True


def test_a_stream_without_years_is_told_of(imports: Imports) -> None:
    words = (sys.executable, "-m", "f2b_enrich", *imports.words("fail2ban-log", "-"))
    done = subprocess.run(
        words,
        input=b"Nov 21 20:39:55 web1 fail2ban.actions[9]: NOTICE [sshd] Ban ::7\n"
        + LINE,
        capture_output=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == 1
    assert done.stderr == (
        b"f2b-enrich: standard input does not tell the year of its lines: 1 left "
        b"out; name the file itself, or give journalctl -o short-iso\n"
    )
    assert imports.rows("SELECT ip FROM bans") == [("192.0.2.7",)]
