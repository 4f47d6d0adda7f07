"""The log of a real fail2ban tells what was done to it."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from demo.lab import Lab, until
from f2b_enrich.importing.log_batches import Found
from f2b_enrich.importing.log_lines import LineKind
from f2b_enrich.importing.log_reading import read_log
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import Record
from tests.imports import records_of

pytestmark = pytest.mark.skipif(
    shutil.which("fail2ban-server") is None, reason="NOT tested: fail2ban is missing"
)

REPEATER, OTHER, BY_HAND = "192.0.2.7", "198.51.100.7", "203.0.113.9"
SOON = timedelta(seconds=2)


def test_a_real_log_tells_all_that_happened() -> None:
    with tempfile.TemporaryDirectory(prefix="f2b-") as folder:
        log = Path(folder, "fail2ban.log")
        before = datetime.now(UTC)
        with Lab(Path(folder)) as lab:
            what_happens(lab, log)
        zone = before.astimezone().tzinfo
        assert zone is not None
        records, found, kinds = read(log, zone)
    after = datetime.now(UTC)

    told = Counter((one.kind, one.ip, one.is_restored) for one in records)
    assert told["ban", REPEATER, False] == 2
    assert told["ban", OTHER, False] == 1
    assert told["ban", BY_HAND, False] == 1
    assert {ip for kind, ip, again in told if kind == "ban" and again} == {
        *(REPEATER, OTHER, BY_HAND)
    }
    assert told["unban", REPEATER, False] >= 1
    assert {one.jail for one in records} == {"sshd"}
    assert all(one.at and before - SOON < one.at < after for one in records)
    (longer,) = (one for one in records if one.kind == "prolong")
    assert (longer.ip, longer.ban_count, longer.bantime_seconds) == (REPEATER, 2, 7200)
    assert longer.ends_at is not None
    assert longer.at is not None
    assert abs(longer.ends_at - longer.at - timedelta(hours=2)) < timedelta(seconds=30)
    counted = Counter[str]()
    for (_, _, ip, _), lines in found.items():
        counted[ip] += lines
    assert counted[OTHER] >= 3
    assert kinds[LineKind.FOUND_BAD] >= 3
    assert not kinds.keys() & {LineKind.UNREAD, LineKind.UNDATED, LineKind.FOREIGN}


def read(
    log: Path, zone: tzinfo
) -> tuple[list[Record], Counter[Found], Counter[LineKind]]:
    records: list[Record] = []
    found: Counter[Found] = Counter()
    kinds: Counter[LineKind] = Counter()
    with opened(log) as source:
        for batch in read_log(source.read, zone=zone):
            records += records_of(batch)
            found.update(batch.found)
            kinds.update(batch.kinds)
    return records, found, kinds


def what_happens(lab: Lab, log: Path) -> None:
    lab.write_fail2ban("action = lab-firewall\nbantime.increment = true\n")
    lab.start_fail2ban()
    lab.fail2ban("set", "sshd", "bantime", "5")
    lab.attack(REPEATER)
    wait_for(log, f"[sshd] Unban {REPEATER}")  # a ban ended by hand is forgotten
    lab.fail2ban("set", "sshd", "bantime", "3600")
    lab.attack(REPEATER)
    wait_for(log, f"[sshd] Increase Ban {REPEATER}")
    lab.attack(OTHER)
    wait_for(log, f"[sshd] Ban {OTHER}")
    lab.fail2ban("set", "sshd", "banip", BY_HAND)
    wait_for(log, f"[sshd] Ban {BY_HAND}")
    lab.stop_fail2ban()
    lab.start_fail2ban()
    for ip in (REPEATER, OTHER, BY_HAND):
        wait_for(log, f"[sshd] Restore Ban {ip}")


def wait_for(log: Path, text: str) -> None:
    assert until(lambda: text in log.read_text("utf-8"), seconds=30), log.read_text()
