"""How long a year's figures of five thousand hosts take, and the page of them."""

from __future__ import annotations

import csv
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import duckdb

from bench.big_store import BEGUN, Size, fill
from bench.row import Row
from f2b_enrich.report.as_html import page
from f2b_enrich.report.making import make
from f2b_enrich.report.request import Request

if TYPE_CHECKING:
    from demo.lab import Lab
    from f2b_enrich.report.figures import Figures

SIZE = Size()
SEED = 7
MOST_SECONDS = 10
MOST_MIB = 700
MOST_SECONDS_OF_PAGE = 15
MOST_MB_OF_PAGE = 3
_GLANCE_SECONDS = 0.2

_FLAT = """
    SELECT bans.host, bans.jail, jails.service, bans.ip, bans.subnet, bans.attack,
    bans.failures, bans.ban_count, bans.bantime_seconds,
    strftime('%s', banned_at) / 900 AS quarter,
    country_code, region, city, asn, as_name, scanner
    FROM bans JOIN jails ON jails.jail = bans.jail
    LEFT JOIN enrichments AS e ON e.id = bans.enrichment_id
    WHERE jails.attack != 'repeat-offender'
"""

_COUNTS = "count(*), count(DISTINCT ip), sum(failures)"

_PLACES = ("country_code", "asn, as_name", "country_code, region, city", "subnet")

_AGGREGATES = (
    f"SELECT {_COUNTS}, count(DISTINCT host) FROM bans",
    f"SELECT service, {_COUNTS} FROM bans GROUP BY ALL",
    *(f"SELECT {place}, {_COUNTS} FROM bans GROUP BY ALL" for place in _PLACES),
    *(
        f"SELECT service, {place}, {_COUNTS} FROM bans GROUP BY ALL"
        for place in _PLACES
    ),
    "SELECT quarter, jail, count(*) FROM bans GROUP BY ALL",
    "SELECT bans, count(*) FROM (SELECT count(*) AS bans FROM bans GROUP BY ip) "
    "GROUP BY ALL",
    "SELECT ip, count(*), count(DISTINCT host) FROM bans GROUP BY ip "
    "ORDER BY 2 DESC LIMIT 10",
    "SELECT ban_count, median(bantime_seconds) FROM bans GROUP BY ALL",
    *(
        f"SELECT attack, {other}, {_COUNTS} FROM bans GROUP BY ALL"
        for other in ("service", "country_code")
    ),
    f"SELECT host, country_code, {_COUNTS} FROM bans GROUP BY ALL",
    f"SELECT scanner, {_COUNTS} FROM bans GROUP BY ALL",
)


def measure(lab: Lab) -> list[Row]:
    """Make the figures of a year, the same counts in DuckDB, and the page."""
    fill(lab.store, SIZE, seed=SEED)
    begun = time.monotonic()
    with _Memory() as memory:
        figures = make(
            lab.store,
            _year(),
            lambda asn, as_name: (f"{asn}", as_name),
            now=datetime.now(UTC),
            processes=len(os.sched_getaffinity(0)),
        )
    seconds = time.monotonic() - begun
    assert figures.totals.measure.bans + figures.totals.repeats == SIZE.bans
    duck = _in_duckdb(lab.store, lab.root)
    return [
        Row(
            f"figures of {SIZE.bans:,} bans of {SIZE.addresses:,} addresses, "
            f"{SIZE.hosts:,} hosts",
            f"{seconds:.1f} s, {seconds / duck:.1f} x DuckDB's time",
            f"at most {MOST_SECONDS} s",
            seconds <= MOST_SECONDS,
        ),
        Row(
            "memory of it and the processes that count, together",
            f"{memory.most_mib:.0f} MiB",
            f"at most {MOST_MIB} MiB",
            memory.most_mib <= MOST_MIB,
        ),
        _page(figures, seconds),
    ]


def _page(figures: Figures, seconds: float) -> Row:
    """Write the page; `seconds` are those that the figures took."""
    begun = time.monotonic()
    megabytes = len(page(figures, zone=UTC).encode()) / 1e6
    taken = seconds + time.monotonic() - begun
    return Row(
        "the page of them, the figures included",
        f"{taken:.1f} s, {megabytes:.1f} MB",
        f"at most {MOST_SECONDS_OF_PAGE} s, under {MOST_MB_OF_PAGE} MB",
        taken <= MOST_SECONDS_OF_PAGE and megabytes < MOST_MB_OF_PAGE,
    )


class _Memory:
    """What this process and those that it began take together, at most."""

    def __init__(self) -> None:
        self.most_mib = 0.0
        self._is_over = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        # Whichever thread began them, they are children of the process.
        tasks = Path("/proc/self/task")
        while not self._is_over.wait(_GLANCE_SECONDS):
            children = [
                pid
                for task in tasks.iterdir()
                for pid in (task / "children").read_text().split()
            ]
            kib = sum(map(_kib_of, ["self", *children]))
            self.most_mib = max(self.most_mib, kib / 1024)


def _kib_of(pid: str) -> int:
    """Give what a process has in memory; pages that several share count in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _year() -> Request:
    return Request(
        label=f"{BEGUN:%Y}",
        since=BEGUN,
        until=BEGUN.replace(year=BEGUN.year + 1),
        before_since=BEGUN.replace(year=BEGUN.year - 1),
        before_label=f"{BEGUN.year - 1}",
        zone=ZoneInfo("UTC"),
    )


def _in_duckdb(store: Path, folder: Path) -> float:
    """Give the seconds that the counts take, of a table that is there already."""
    table = folder / "bans.csv"
    with closing(sqlite3.connect(store)) as connection, table.open("w") as file:
        rows = connection.execute(_FLAT)
        writer = csv.writer(file)
        writer.writerow([name for name, *_ in rows.description])
        writer.writerows(rows)
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE bans AS FROM read_csv(?)", [str(table)])
        table.unlink()
        begun = time.monotonic()
        for query in _AGGREGATES:
            duck.execute(query).fetchall()
        return time.monotonic() - begun
