"""Tests of the processes that count: none of them outlives its report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.child import Child, ChildError
from tests import uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

PROCESSES = 2

# A pipe without a writer is a store whose reading never ends.
_COUNT = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.report import sharing
from f2b_enrich.selection import Selection
if __name__ == "__main__":
    selection = Selection(since=datetime.now(UTC), until=datetime.now(UTC), newest=1)
    wanted = sharing.Wanted(selection=selection)
    try:
        sharing.count(Path(sys.argv[1]), [wanted], None, processes={PROCESSES})
    except F2bEnrichError as exc:
        sys.exit(str(exc))
"""


@contextmanager
def _counting(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a count, and give it with the processes that it started."""
    store = folder / "store"
    os.mkfifo(store)
    # Whoever runs the tests in the background may have told them to hear no signal.
    command = ["env", "--default-signal", sys.executable, "-c", _COUNT, str(store)]
    with subprocess.Popen(
        command, env=uncovered.environ(), stderr=subprocess.PIPE, text=True
    ) as process:
        found: list[int] = []
        try:
            _until(lambda: len(_counters(process.pid)) == PROCESSES)
            found = _counters(process.pid)
            yield process, found
        finally:
            process.kill()
            for pid in filter(_is_there, found):
                os.kill(pid, signal.SIGKILL)


def _counters(parent: int) -> list[int]:
    """Name the processes that have begun to count."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    # Beside them is the one that multiprocessing has for itself, and where coverage is
    # measured each of the three has SQLite open.
    return [
        pid
        for pid in map(int, children)
        if "spawn_main" in _told_of(pid, "cmdline") and "numpy" in _told_of(pid, "maps")
    ]


def _told_of(pid: int, what: str) -> str:
    try:
        return Path(f"/proc/{pid}/{what}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _is_there(pid: int) -> bool:
    # What ended and waits for its parent has nothing left.
    return bool(_told_of(pid, "maps"))


def _until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT]
)
def test_counting_ends_with_the_report(tmp_path: Path, how: signal.Signals) -> None:
    """However the report is ended, nothing goes on in the background."""
    with _counting(tmp_path) as (process, counters):
        process.send_signal(how)
        process.wait(10)

        _until(lambda: not any(map(_is_there, counters)), seconds=5)


def test_a_counter_that_is_killed_is_told_in_one_line(tmp_path: Path) -> None:
    """The kernel kills what takes too much memory; the report says so and ends."""
    with _counting(tmp_path) as (process, counters):
        os.kill(counters[0], signal.SIGKILL)
        _, words = process.communicate(timeout=10)

        assert words == (
            "a process that counts ended too early: killed by signal 9, out of "
            "memory?\n"
        )
        assert process.returncode == 1
        _until(lambda: not any(map(_is_there, counters)), seconds=5)


def _without_memory(connection: Connection) -> None:
    connection.recv()
    raise MemoryError


def test_a_counter_without_memory_is_told_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Where a limit is set memory is refused, and nobody is killed."""
    counter: Child[None] = Child(_without_memory, does="counts")
    try:
        counter.send("count")
        with pytest.raises(ChildError, match=r"ended too early: out of memory$"):
            counter.receive()
    finally:
        counter.end()
    assert capfd.readouterr().err == ""
