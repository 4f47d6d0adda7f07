"""Measure what a ban costs, and write docs/benchmarks.md.

Each figure is a ratio within this run, or a number of this machine that is named
beside it. A busy machine gives poor figures: run it when nothing else runs.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    acknowledgements,
    classify,
    client,
    imports,
    report,
    spool,
    throughput,
)
from bench.row import Row
from demo.lab import PROJECT, Lab

PAGE = """\
# Benchmarks

Made by `make bench` on {when}: {machine}.
Ratios are taken within one run, so they carry over to other machines better than times.

| what | reached | wanted | |
| --- | --- | --- | --- |
{rows}

The machine shares its processor with others; a sum of a million squares in Python took
{pace} this run (45 ms is its best).

How it is measured:

- Client: median of alternating runs, each a process started and waited for, against
  `/usr/bin/python3 -I -S -c pass`; the daemon is up and every ban is on disk when the
  client returns.
- fail2ban: one `banip` with 1,000 addresses through a real fail2ban-server, our action
  alone in its jail, against a jail whose action only starts that bare Python (shell
  action) or does nothing (in-process action). The jails take turns, each round begins
  when Fail2Ban has written its own database, and the ratio is the median of the pairs.
- Acknowledgements: 50 connections, each sending the next ban of five log lines when the
  one before is acknowledged; every ban is new, and on disk when acknowledged. Median of
  three rounds of 10,000 bans, each into a new store.
- Classification: processor time, the best of 40 runs over the same lines, once RE2's
  states are made.
- Spool: a file for each ban, as the client leaves it, all of them days old; no mail is
  due, and each waits for the digest.
- fail2ban.log: ten million lines in the proportions of real logs, three tenths as of
  2016 (half `Ban`, half `Unban`), six as of 2018 and 2019 (18 `Found` a ban, most of
  them about addresses that are never banned), one as of release 1.0. They tell of 2.0
  million bans and 1.7 million unbans, and 6.0 million finds that come to 2.8 million
  counts by address and day: each is stored, and a line in three is a ban or its end.
  The log of the second server is as long, and most of its bans are of addresses that
  the first had banned.
- Imports: by the command, whole, from its start to its end, every index and the search
  complete, while no daemon works on the store, but for the row of acknowledgements.
  Against the standard library's `mailbox` and `email` (policy `default`, the enclosed
  mail parsed too) and a plain insert for each of 5,000 mails of the same file. One
  report in ten has five log lines; 5,000 servers sent them.
- Figures: all that `report` counts, by two processes that read the store and count with
  NumPy. DuckDB counts the same, but for user names and log lines, from a table of its
  own that was filled beforehand.
- Memory: resident set of the daemon after 50,000 and 100,000 bans, each classed, each
  address looked up in the whole IPinfo Lite database, and no mail server answering.
"""


def main(names: Sequence[str]) -> int:
    """Run the named measurements, or all and write the page; 1 for a missed figure."""
    parts: tuple[Callable[[Lab], list[Row]], ...] = (
        client.measure,
        throughput.shell,
        throughput.in_process,
        acknowledgements.measure,
        classify.measure,
        spool.measure,
        imports.log,
        imports.mails,
        report.measure,
    )
    rows = []
    before = speed()
    for measure in parts:
        name = f"{measure.__module__}.{measure.__name__}".removeprefix("bench.")
        if names and name not in names:
            continue
        with (
            tempfile.TemporaryDirectory(prefix="f2b-") as folder,
            Lab(Path(folder)) as lab,
        ):
            for row in measure(lab):
                print(row.line(), flush=True)
                rows.append(row)
    after = speed()
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    table = "\n".join(row.line() for row in rows)
    pace = f"{before:.0f} ms before, {after:.0f} ms after"
    page = PAGE.format(when=when, machine=machine(), rows=table, pace=pace)
    print(pace)
    if not names:
        (PROJECT / "docs" / "benchmarks.md").write_text(page)
    return int(any(not row.holds for row in rows))


def speed() -> float:
    """Time a fixed piece of Python, in ms: shared machines are not always as fast."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        sum(number * number for number in range(1_000_000))
        times.append(time.perf_counter() - begun)
    return min(times) * 1000


def machine() -> str:
    """Say what this was measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    version = Path("/etc/debian_version").read_text().strip()
    return f"{cpu}, {cores} cores, Debian {version}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
