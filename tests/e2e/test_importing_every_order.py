"""A real fail2ban's log, database and mails, in every order, are each ban once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from demo.lab import until
from tests.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.site import Site

pytestmark = pytest.mark.skipif(
    shutil.which("fail2ban-server") is None, reason="NOT tested: fail2ban is missing"
)

REPEATER, OTHER, BY_HAND, LIFTED = (
    *("192.0.2.7", "198.51.100.7", "203.0.113.9", "203.0.113.10"),
)
BANS = {REPEATER: 2, OTHER: 1, BY_HAND: 1, LIFTED: 1}
JAILS = """
bantime.increment = true
action = f2b-enrich
    lab-firewall
    sendmail-whois-lines[mailcmd="cat > {root}/mails/$$", sender="f2b@site.example",
        logpath="{root}/auth.log", _whois="echo none"]
"""
HOST = "web1.example.org"
KINDS = {
    "fail2ban-log": "fail2ban.log",
    "fail2ban-db": "fail2ban.sqlite3",
    "mail": "mails",
}
ORDERS = list(permutations(KINDS))
# Mails of two bans within seconds are one ban until another record parts them: which
# lines stay with which of them depends on the order (docs/adr/0015).
QUERY = """
    SELECT ip, jail, host, banned_at, banned_at_source, bantime_seconds, expires_at,
    unbanned_at, failures, ban_count,
    EXISTS (SELECT 1 FROM log_lines WHERE ban_id = bans.id) AS has_lines,
    (SELECT group_concat(origin) FROM (
        SELECT DISTINCT origin FROM ban_origins WHERE ban_id = bans.id ORDER BY origin
    )) AS origins
    FROM bans ORDER BY ip, banned_at
"""


@dataclass(frozen=True)
class Store:
    """A store that is being filled."""

    site: Site
    path: Path

    def take_in(self, kind: str) -> int:
        """Import what fail2ban has left; give how many bans were new."""
        before = len(self.bans())
        source = self.site.lab.root / KINDS[kind]
        words = ("import", kind, source, "--host", HOST)
        done = run(*words, "--config", self.site.lab.config, "--db", self.path)
        assert (done.code, done.err) == (0, "")
        return len(self.bans()) - before

    def bans(self) -> list[dict[str, object]]:
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(QUERY)]


def test_each_ban_is_there_once_in_every_order(site: Site) -> None:
    what_happens(site)
    live = {row["id"] for row in site.rows("SELECT id FROM bans")}
    assert len(live) == sum(BANS.values())
    ends = []
    for number, order in enumerate(ORDERS):
        for begun in ("empty", "live"):
            store = Store(site, site.lab.root / f"{number}-{begun}.db")
            if begun == "live":
                shutil.copy(site.lab.store, store.path)
            for kind in order:
                store.take_in(kind)
            found = store.bans()
            counted = [row["ip"] for row in found]
            assert {ip: counted.count(ip) for ip in counted} == BANS, (order, begun)
            if begun == "live":
                assert ids(store) == live
            ends.append((begun, found))
    for begun in ("empty", "live"):
        first, *others = [found for kind, found in ends if kind == begun]
        for order, other in zip(ORDERS[1:], others, strict=True):
            assert other == first, (order, begun)
    store = Store(site, site.lab.root / "0-empty.db")
    assert [store.take_in(kind) for kind in KINDS] == [0, 0, 0]
    assert store.bans() == ends[0][1]


def ids(store: Store) -> set[str]:
    with closing(sqlite3.connect(store.path)) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM bans")}


def what_happens(site: Site) -> None:
    """Ban, prolong, ban by hand, lift, start anew; then stop all of it."""
    lab, log = site.lab, site.lab.root / "fail2ban.log"
    mails = lab.root / "mails"
    mails.mkdir()
    site.start(JAILS.format(root=lab.root), mail={"prolong_wait_seconds": 1})
    lab.fail2ban("set", "sshd", "bantime", "5")
    lab.attack(REPEATER)
    wait_for(log, f"[sshd] Unban {REPEATER}")
    lab.fail2ban("set", "sshd", "bantime", "3600")
    lab.attack(REPEATER)
    wait_for(log, f"[sshd] Increase Ban {REPEATER}")
    lab.attack(OTHER)
    wait_for(log, f"[sshd] Ban {OTHER}")
    for ip in (BY_HAND, LIFTED):
        lab.fail2ban("set", "sshd", "banip", ip)
        wait_for(log, f"[sshd] Ban {ip}")
    site.wait_for_bans(sum(BANS.values()))
    lab.fail2ban("set", "sshd", "unbanip", LIFTED)
    site.wait_for_row("SELECT 1 FROM bans WHERE ip = ? AND unbanned_at NOTNULL", LIFTED)
    for number, mail in enumerate(site.smtp.wait_for(sum(BANS.values()), seconds=60)):
        (mails / f"ours-{number}").write_bytes(mail.content)
    lab.stop_fail2ban()
    lab.start_fail2ban()
    for ip in (REPEATER, OTHER, BY_HAND):
        wait_for(log, f"[sshd] Restore Ban {ip}")
    lab.stop_fail2ban()
    lab.stop_daemon()


def wait_for(log: Path, text: str) -> None:
    assert until(lambda: text in log.read_text("utf-8"), seconds=30), log.read_text()
