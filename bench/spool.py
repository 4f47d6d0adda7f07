"""How long the daemon takes over the bans that waited while it was away."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from bench.client import LINES, MAIL
from bench.row import Row
from demo.lab import LabError, until

if TYPE_CHECKING:
    from pathlib import Path

    from demo.lab import Lab

BANS = 50_000
WEEK = 7 * 86_400
MOST_SECONDS = 60


def measure(lab: Lab) -> list[Row]:
    """Fill the spool with a week's bans of five log lines, then start the daemon."""
    lab.write_config(**MAIL)
    fill(lab.root / "spool")
    begun = time.monotonic()
    lab.start_daemon()
    if not until(lambda: count(lab.store) == BANS, seconds=600):
        raise LabError("not all bans were taken in within 600 s")
    seconds = time.monotonic() - begun
    return [
        Row(
            f"{BANS:,} bans in the spool, from the start to the last one on disk",
            f"{seconds:.0f} s",
            f"at most {MOST_SECONDS} s",
            seconds <= MOST_SECONDS,
        )
    ]


def fill(spool: Path) -> None:
    """Leave the files as the client does, which counts them all before each one."""
    first = time.time() - WEEK
    for number in range(BANS):
        at = first + number * 600_000 / BANS
        ip = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
        fields = ("V=1", f"AT={at:.3f}", "EVENT=ban", "JAIL=sshd", f"IP={ip}")
        rest = (f"TIME={at:.3f}", "BANTIME=600", "FAILURES=5", f"MATCHES={LINES}")
        content = "\0".join((*fields, *rest, "", "")).encode()
        file = spool / f"{number:020}-1-{len(content)}.ban"
        file.write_bytes(content)


def count(store: Path) -> int:
    """Count the alerts that wait for a digest."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT count(*) FROM outbox WHERE state = 'held'")
        found: int = row.fetchone()[0]
        return found
