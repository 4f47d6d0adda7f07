"""Real logs of eight releases, packed and rotated as they lie on a server."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.importing.log_batches import Batch, Found
from f2b_enrich.importing.log_lines import LineKind
from f2b_enrich.importing.log_reading import read_log
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import Record
from tests.imports import records_of

BERLIN = ZoneInfo("Europe/Berlin")
KINDS = {"Ban": "ban", "Unban": "unban"}


@dataclass(slots=True)
class Said:
    """All that a file says."""

    records: list[Record] = field(default_factory=list)
    found: Counter[Found] = field(default_factory=Counter)
    kinds: Counter[LineKind] = field(default_factory=Counter)
    unread: list[bytes] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.records += records_of(batch)
        self.found.update(batch.found)
        self.kinds.update(batch.kinds)
        self.unread += batch.unread


def said_in(path: Path) -> Said:
    said = Said()
    with opened(path) as source:
        for batch in read_log(source.read, zone=BERLIN):
            said.add(batch)
    return said


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""), "fail2ban-logs")
    if not found.is_dir():
        pytest.skip("F2B_ENRICH_EXTRA_DATA has no folder fail2ban-logs")
    return found


def figures(said: Said, jail: str, event: str) -> list[str]:
    """Give what a row of expected.csv says, as far as it can be told from a reading."""
    if event == "Found":
        found = {key: lines for key, lines in said.found.items() if key[1] == jail}
        addresses = {ip for _, _, ip, _ in found}
        return [str(sum(found.values())), str(len(addresses))]
    of_kind = [
        one for one in said.records if one.kind == KINDS[event] and one.jail == jail
    ]
    times = [one.at.astimezone(BERLIN) for one in of_kind if one.at is not None]
    return [
        str(len(of_kind)),
        str(len({one.ip for one in of_kind})),
        f"{min(times):%Y-%m-%d %H:%M:%S}",
        f"{max(times):%Y-%m-%d %H:%M:%S}",
    ]


def test_every_real_log_gives_the_counts_that_were_made_without_us(
    folder: Path,
) -> None:
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    files = {row["file"] for row in rows}

    assert files == {path.name for path in folder.glob("*.log")}
    for name in sorted(files):
        said = said_in(folder / name)
        of_file = [row for row in rows if row["file"] == name]
        assert said.kinds.total() == int(of_file[0]["lines"])
        assert said.unread == []
        assert not said.kinds.keys() & {LineKind.UNDATED, LineKind.OVERLONG}
        counted = [row for row in of_file if row["event"] != "none"]
        for row in counted:
            expected = [row[key] for key in ("count", "unique_ips", "first", "last")]
            reached = figures(said, row["jail"], row["event"])
            assert reached == expected[: len(reached)]
        assert {(one.jail, one.kind) for one in said.records} == {
            (row["jail"], KINDS[row["event"]])
            for row in counted
            if row["event"] in KINDS
        }
        assert {jail for _, jail, _, _ in said.found} == {
            row["jail"] for row in counted if row["event"] == "Found"
        }


def test_what_real_logs_found_is_dated_within_them(folder: Path) -> None:
    said = said_in(folder / "2019-sshd.log")

    days = {day.isoformat() for _, _, _, day in said.found}
    assert days == {"2019-12-02"}
