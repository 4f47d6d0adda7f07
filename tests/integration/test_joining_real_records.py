"""Real logs and databases tell of the bans that they were counted to tell of."""

from __future__ import annotations

import csv
import os
import sqlite3
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f2b_enrich.importing.log_reading import read_log
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import Record
from f2b_enrich.importing.sighted import sighting_of
from f2b_enrich.joining.joining import join
from f2b_enrich.joining.sightings import Joined, Sighting
from tests.imports import records_of

RUN = "2026-v1.0.2-server-run.log"


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""))
    if not (found / "fail2ban-logs").is_dir():
        pytest.skip("F2B_ENRICH_EXTRA_DATA has no folder fail2ban-logs")
    return found


def seen(record: Record) -> Sighting:
    assert record.at is not None
    return sighting_of(record, record.at, jail=record.jail)


def joined(records: list[Record]) -> list[Joined]:
    of_addresses: dict[str, list[Sighting]] = defaultdict(list)
    for record in records:
        of_addresses[record.ip].append(seen(record))
    return [ban for each in of_addresses.values() for ban in join(each).bans]


def logged(path: Path) -> list[Record]:
    with opened(path) as source:
        return [
            record
            for batch in read_log(source.read, zone=UTC)
            for record in records_of(batch)
        ]


def test_every_ban_line_of_a_log_is_a_ban(folder: Path) -> None:
    with (folder / "fail2ban-logs/expected.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["event"] == "Ban"]
    assert rows
    expected: dict[str, int] = defaultdict(int)
    for row in rows:
        expected[row["file"]] += int(row["count"])

    found = {
        name: len(joined(logged(folder / "fail2ban-logs" / name))) for name in expected
    }

    assert found == expected


def test_a_database_and_the_log_of_its_bans_tell_of_the_same_ones(folder: Path) -> None:
    """Fail2Ban read logs of years before: the times lie up to 18 years apart."""
    records = logged(folder / "fail2ban-logs" / RUN)
    database = folder / "fail2ban-db/v4-server-run.sqlite3"
    found = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
    rows = found.execute("SELECT jail, ip, timeofban, bantime FROM bans").fetchall()
    found.close()
    template = Record(
        kind="ban", ip="", jail=None, at=None, time_source="line", origin="db"
    )
    kept = [
        replace(
            template,
            jail=jail,
            ip=ip,
            at=datetime.fromtimestamp(at, UTC),
            bantime_seconds=bantime,
        )
        for jail, ip, at, bantime in rows
    ]

    bans = joined(records + kept)

    assert len(bans) == len(rows) == 32
    assert {ban.precision for ban in bans} == {"failure"}
    assert all(ban.unbanned_at is not None for ban in bans)
