"""How fast a fail2ban.log is read into records, and what that takes in memory."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import old_log
from bench.row import Row
from f2b_enrich.importing.log_reading import read_log
from f2b_enrich.importing.opening import opened

if TYPE_CHECKING:
    from demo.lab import Lab

LINES = 10_000_000
SEED = 7
WANTED = 200_000
MOST_GROWTH_MIB = 16


def measure(lab: Lab) -> list[Row]:  # noqa: ARG001 - as the others are called
    """Write a log of ten million lines and read it, without a store."""
    with tempfile.TemporaryDirectory(prefix="f2b-") as folder:
        log = Path(folder, "fail2ban.log")
        old_log.write(log, LINES, seed=SEED)
        rate, growth = read(log)
    return [
        Row(
            f"fail2ban.log of {LINES:,} lines read into records, lines a second",
            f"{rate:,.0f}",
            f"at least {WANTED:,}",
            rate >= WANTED,
        ),
        Row(
            "memory that it takes after the first tenth",
            f"{growth:.1f} MiB more",
            f"at most {MOST_GROWTH_MIB} MiB more",
            growth <= MOST_GROWTH_MIB,
        ),
    ]


def read(log: Path) -> tuple[float, float]:
    """Give lines a second of processor time, and the growth in MiB after a tenth."""
    lines, before = 0, 0.0
    begun = time.process_time()
    with opened(log) as source:
        assert source.size is not None
        for batch in read_log(source.read, zone=old_log.ZONE):
            lines += batch.kinds.total()
            if not before and source.position * 10 > source.size:
                before = most_memory_mib()
    rate = lines / (time.process_time() - begun)
    return rate, most_memory_mib() - before


def most_memory_mib() -> float:
    """Give the largest resident set of this process by now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
