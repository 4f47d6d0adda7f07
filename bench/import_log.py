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
SAMPLES = 100


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
    lines = 0
    sizes: list[float] = []
    begun = time.process_time()
    with opened(log) as source:
        assert source.size is not None
        for batch in read_log(source.read, zone=old_log.ZONE):
            lines += batch.kinds.total()
            if source.position * SAMPLES > source.size * (len(sizes) + 1):
                sizes.append(resident_mib())
    rate = lines / (time.process_time() - begun)
    return rate, max(sizes) - sizes[SAMPLES // 10]


def resident_mib() -> float:
    """Give what this process has in memory now."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * resource.getpagesize() / 1024**2
