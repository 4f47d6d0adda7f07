"""How fast old records come into the store by the commands, all of them in the end."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from bench import bounced_reports, old_log
from bench.acknowledgements import ROUND, requests
from bench.client import MAIL
from bench.import_mail import read_and_written_by_library
from bench.row import Row
from demo.lab import PROJECT, LabError

if TYPE_CHECKING:
    from demo.lab import Lab

MAILS = 2_000_000
LINES = 10_000_000
SEED = 7
TIMES = 5
LINES_A_SECOND = 200_000
SECOND_TIMES = 0.5
MOST_MIB = 300
MOST_MS = 250
PACE = 0.02


def mails(lab: Lab) -> list[Row]:
    """Import bounced reports into an empty store, and others into what it is then.

    Then some more with the daemon up, while bans arrive.
    """
    lab.write_config(**MAIL)
    boxes = [lab.root / f"{number}.mbox" for number in range(2)]
    for number, box in enumerate(boxes):
        with box.open("wb") as file:
            bounced_reports.write_mbox(file, MAILS, seed=SEED + number)
    rows = []
    library = read_and_written_by_library(boxes[0], lab.root / "library.db")
    for box, into in zip(boxes, ("an empty store", "that store"), strict=True):
        before = bans(lab.store)
        seconds, mib = run(lab, "import", "mail", str(box))
        new = bans(lab.store) - before
        times = MAILS / seconds / library
        rows.append(
            Row(
                f"{MAILS:,} bounced reports into {into} ({new:,} bans new)",
                f"{MAILS / seconds:,.0f} a second, {times:.1f} x the standard library",
                f"at least {TIMES} x",
                times >= TIMES,
            )
        )
        rows.append(memory("its processes, the largest", mib))
        box.unlink()
    rows.append(beside_daemon(lab))
    return rows


def log(lab: Lab) -> list[Row]:
    """Import a long fail2ban.log, and that of another server into the same store."""
    lab.write_config(**MAIL)
    rates, sizes = [], []
    for number in range(2):
        file = lab.root / f"{number}.log"
        old_log.write(file, LINES, seed=SEED + number)
        seconds, mib = run(
            lab,
            *("import", "fail2ban-log", "--timezone", old_log.ZONE.key),
            *("--host", f"web{number}.example", str(file)),
        )
        rates.append(LINES / seconds)
        sizes.append(mib)
        file.unlink()
    first, second = rates
    return [
        Row(
            f"fail2ban.log of {LINES:,} lines imported, lines a second",
            f"{first:,.0f}",
            f"at least {LINES_A_SECOND:,}",
            first >= LINES_A_SECOND,
        ),
        Row(
            "that of a second server into the same store, lines a second",
            f"{second:,.0f}, {second / first:.2f} x the first",
            f"at least {SECOND_TIMES} x the first",
            second >= SECOND_TIMES * first,
        ),
        memory("its processes, the largest", max(sizes)),
    ]


def beside_daemon(lab: Lab) -> Row:
    """Send bans, one after the other, while an import writes into the same store."""
    box = lab.root / "beside.mbox"
    with box.open("wb") as file:
        bounced_reports.write_mbox(file, MAILS // 20, seed=SEED + 2)
    lab.start_daemon()
    importing = threading.Thread(target=run, args=(lab, "import", "mail", str(box)))
    bans_of_now = chain.from_iterable(map(requests, count(step=ROUND)))
    waits = []
    importing.start()
    while importing.is_alive():
        waits.append(acknowledged(lab.socket, next(bans_of_now)))
        time.sleep(PACE)
    importing.join()
    lab.stop_daemon()
    return Row(
        f"slowest of {len(waits):,} acknowledgements while mails come in",
        f"{max(waits) * 1000:.0f} ms",
        f"at most {MOST_MS} ms",
        max(waits) * 1000 <= MOST_MS,
    )


def run(lab: Lab, *words: str) -> tuple[float, float]:
    """Run a command; give its seconds, and the most MiB of one of its processes."""
    command = (sys.executable, "-m", "f2b_enrich", *words)
    begun = time.monotonic()
    with subprocess.Popen(
        (*command, "--config", str(lab.config)), cwd=PROJECT, stdout=subprocess.DEVNULL
    ) as process:
        mib = largest(process)
    if process.returncode:
        raise LabError(f"{' '.join(words)} ended with {process.returncode}")
    return time.monotonic() - begun, mib


def acknowledged(path: Path, request: bytes) -> float:
    """Send a ban, and give the seconds until it is on disk."""
    begun = time.monotonic()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path))
        client.sendall(request)
        answer = client.recv(1024)
    if not answer.startswith(b"ok "):
        raise LabError(f"not acknowledged: {answer!r}")
    return time.monotonic() - begun


def largest(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; give the most MiB that it or a child of it ever had."""
    most = 0.0
    while process.poll() is None:
        for pid in (process.pid, *children(process.pid)):
            with suppress(OSError):  # it has just ended
                most = max(most, high_water(pid))
        time.sleep(0.2)
    return most


def children(pid: int) -> list[int]:
    """List the processes that a process has started."""
    with suppress(OSError):
        return [int(child) for child in _proc(pid, f"task/{pid}/children").split()]
    return []


def high_water(pid: int) -> float:
    """Read the most MiB that a process ever had in memory."""
    for line in _proc(pid, "status").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("ascii", "replace")


def bans(store: Path) -> int:
    """Count the bans in a store, if there is one."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as connection:
        found: int = connection.execute("SELECT count(*) FROM bans").fetchone()[0]
        return found


def memory(what: str, mib: float) -> Row:
    """Say what an import took in memory."""
    return Row(
        f"memory of {what}",
        f"{mib:.0f} MiB",
        f"at most {MOST_MIB} MiB",
        mib <= MOST_MIB,
    )
