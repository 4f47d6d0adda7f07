"""The database of a real fail2ban, read while it runs and after it stopped."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import until
from f2b_enrich.address import read_address
from f2b_enrich.importing.fail2ban_db import Tally, opened_database
from f2b_enrich.model import ban_id
from tests.fail2ban_databases import DATA, lay_out

if TYPE_CHECKING:
    from f2b_enrich.importing.fail2ban_rows import StoredBan
    from tests.e2e.site import Site

SYSTEM_PYTHON = Path("/usr/bin/python3")

pytestmark = pytest.mark.skipif(
    shutil.which("fail2ban-server") is None, reason="NOT tested: fail2ban is missing"
)

REPEATER, V6 = "192.0.2.7", "2001:db8::7"
MANUAL = ("203.0.113.9", "198.51.100.16/28", "2001:db8:1::/64")
TOO_LARGE, WITH_NUL = "192.0.2.20", "192.0.2.21"
REPORTED = {REPEATER, V6, *MANUAL}
LOST = {TOO_LARGE, WITH_NUL}
"""Bans whose action fail2ban cannot run: more than the shell takes, and a NUL."""


def records_of(path: Path) -> tuple[list[StoredBan], Tally]:
    with opened_database(path) as database:
        pages = list(database.pages())
    records = [record for page in pages for record in page.records]
    return records, sum((page.tally for page in pages), Tally())


def read(path: Path) -> tuple[dict[str, StoredBan], Tally]:
    records, tally = records_of(path)
    by_ip = {record.ip: record for record in records}
    assert len(by_ip) == len(records)
    return by_ip, tally


def identity(record: StoredBan) -> str:
    assert record.jail is not None
    ip = read_address(record.ip).text
    return ban_id("web1.example.org", record.jail, ip, record.failed_at)


def test_every_ban_of_a_running_fail2ban_is_the_one_that_was_reported(
    site: Site,
) -> None:
    path = site.lab.root / "fail2ban.sqlite3"
    site.start("bantime.increment = true\n")
    bans_of_several_forms(site)
    wait_for_rows(path, REPORTED | LOST)
    site.wait_for_bans(len(REPORTED))

    running, tally = read(path)

    assert tally.bans == tally.repeated == len(REPORTED | LOST)
    assert (tally.unread.total(), tally.without_data) == (0, 0)
    reported = {row["ip"]: row for row in site.bans()}
    assert reported.keys() == REPORTED
    for ip, row in reported.items():
        record = running[ip]
        assert identity(record) == row["id"]
        assert record.jail == row["jail"]
        assert record.failures == row["failures"]
        lines = row["lines"]  # none where it was banned by hand
        assert record.lines == (tuple(lines.encode().split(b"\n")) if lines else ())
    assert dict(running[REPEATER].captures)["user"] == "admin"
    assert len(running[TOO_LARGE].lines[0]) > 200_000
    assert b"\0" in running[WITH_NUL].lines[0]
    site.lab.stop_fail2ban()
    assert read(path) == (running, tally)


def test_a_longer_ban_and_one_ended_by_hand(site: Site) -> None:
    path = site.lab.root / "fail2ban.sqlite3"
    site.lab.write_fail2ban("action = lab-firewall\nbantime.increment = true\n")
    site.lab.start_fail2ban()
    site.lab.fail2ban("set", "sshd", "bantime", "3")
    site.lab.attack(REPEATER)
    log = site.lab.root / "fail2ban.log"
    wait_for(log, f"[sshd] Unban {REPEATER}")
    site.lab.fail2ban("set", "sshd", "bantime", "3600")
    site.lab.attack(REPEATER)
    wait_for(log, f"[sshd] Increase Ban {REPEATER}")
    site.lab.fail2ban("set", "sshd", "banip", MANUAL[0])
    wait_for_rows(path, {REPEATER, MANUAL[0]})
    site.lab.fail2ban("set", "sshd", "unbanip", MANUAL[0])

    records, _ = records_of(path)

    assert [(one.ip, one.ban_count, one.bantime_seconds) for one in records] == [
        *((REPEATER, 1, 3), (REPEATER, 2, 7200)),
    ]
    assert len({identity(record) for record in records}) == 2


UPGRADE = """
import sys
sys.path.insert(0, "/usr/lib/python3/dist-packages")
from fail2ban.server.database import Fail2BanDb
Fail2BanDb(sys.argv[1]).close()
"""


@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="NOT tested: no Python's own")
@pytest.mark.parametrize("version", [1, 2])
def test_an_upgrade_by_fail2ban_changes_no_ban(tmp_path: Path, version: int) -> None:
    path = lay_out(tmp_path / "f2b.sqlite3", version=version)
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO jails VALUES ('sshd', 1)")
        db.execute("CREATE TABLE logs(jail, path, firstlinemd5, lastfilepos)")
        db.executemany(
            "INSERT INTO bans VALUES ('sshd', ?, ?, ?)",
            [
                ("192.0.2.7", 1388009243.4999998, DATA.decode()),
                ("192.0.2.8", 1388009243.5, DATA.decode()),
                ("192.0.2.9", 1388009243, DATA),
            ],
        )
        db.commit()
    before, _ = read(path)

    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", UPGRADE, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    with opened_database(path) as database:
        assert database.version == 4
    after, tally = read(path)
    assert after == before
    assert len({identity(record) for record in after.values()}) == 3
    assert tally.repeated == 3


def bans_of_several_forms(site: Site) -> None:
    lab = site.lab
    lab.attack(V6, user="M\xfcller<x>$(id)'quoted'")
    # All have one process id: fail2ban 1.0.2 takes an IPv6 address for the IPv4 one
    # that the same process named before.
    wait_for_rows(lab.root / "fail2ban.sqlite3", {V6})
    lab.attack(REPEATER, user="admin")
    lab.attack(TOO_LARGE, user="x" * 250_000)
    lab.attack(WITH_NUL, user="a\0b")
    lab.fail2ban("set", "sshd", "banip", *MANUAL)


def wait_for_rows(path: Path, ips: set[str]) -> None:
    def are_there() -> bool:
        return ips <= {record.ip for record in records_of(path)[0]}

    assert until(are_there, seconds=30), records_of(path)


def wait_for(log: Path, text: str) -> None:
    assert until(lambda: text in log.read_text("utf-8"), seconds=30), log.read_text()
