"""`merge` that is told to end in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import uncovered
from tests.stores import StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 60.0


def started(folder: Path, *before: str) -> subprocess.Popen[str]:
    """Start to merge two stores; return when the new one is being written."""
    store = StoreBuilder(folder / "a.db")
    store.record(*(event(f"192.0.2.{number}", lines=()) for number in range(250)))
    other = folder / "b.db"
    other.write_bytes(store.path.read_bytes())
    words = ("-m", "f2b_enrich", "merge", str(store.path), str(other))
    process = subprocess.Popen(
        (*before, sys.executable, *words, "-o", str(folder / "all.db")),
        env=uncovered.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + DEADLINE
    while not any(folder.glob(".all.db.*/all.db")):
        assert process.poll() is None
        assert time.monotonic() < until
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    # Whoever runs the tests may have been told to survive his terminal.
    process = started(tmp_path, "env", "--default-signal=HUP")
    for _ in range(2):
        process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out, err) == (1, "", "f2b-enrich: interrupted\n")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "a.db",
        "a.db.lock",
        "b.db",
    ]


def test_who_is_to_survive_a_terminal_does(tmp_path: Path) -> None:
    process = started(tmp_path, "nohup")
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (
        0,
        f"{tmp_path}/all.db: 250 bans, of which the stores have 500 records\n",
    )
