"""What a real fail2ban did and nobody told us, found again by `reconcile`."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from demo.lab import until
from f2b_enrich.model import ban_id
from tests.cli import run

if TYPE_CHECKING:
    from tests.e2e.site import Site

pytestmark = pytest.mark.skipif(
    shutil.which("fail2ban-server") is None, reason="NOT tested: fail2ban is missing"
)

TOLD, TOO_LARGE, WITH_NUL, KILLED = (f"192.0.2.{n}" for n in (7, 20, 21, 22))
ENDED = "198.51.100.9"
EARLIER = 3600
"""Seconds that failures are put back, so that they are no longer on their way."""

NAMES = ("bans", "more", "ended", "young", "others", "unread", "waiting")

LASTING = "[sshd]\nfindtime = 1d\nbantime = 1d\n"


def reconcile(site: Site, *more: str) -> dict[str, Any]:
    lab = site.lab
    socket = lab.root / "run" / "fail2ban.sock"
    ran = run("reconcile", "--json", "--config", lab.config, "--socket", socket, *more)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def rows_in_fail2ban(site: Site) -> dict[str, int]:
    path = site.lab.root / "fail2ban.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT ip, timeofban FROM bans").fetchall())


def attack_earlier(site: Site, ip: str, *, user: str = "root") -> None:
    """Fail long ago: fail2ban believes it of lines that are there when it starts."""
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(time.time() - EARLIER))
    with site.lab.log.open("a") as log:
        log.writelines(
            f"{stamp} web1 sshd[{port}]: Failed password for {user} "
            f"from {ip} port {port} ssh2\n"
            for port in range(50000, 50003)
        )


def lay_out(site: Site) -> None:
    site.lab.write_fail2ban()
    (site.lab.root / "etc" / "jail.d" / "lasting.local").write_text(LASTING)


def wait_for_rows(site: Site, ips: set[str]) -> None:
    assert until(lambda: ips <= rows_in_fail2ban(site).keys(), seconds=30), site.told()


def kill_the_client(site: Site) -> None:
    """Have no ban reach us from the next start on."""
    file = site.lab.root / "etc" / "action.d" / "f2b-enrich.local"
    told = file.read_text("utf-8")
    file.write_text(f"[Definition]\nactionban = kill -9 $$\n{told}")


def keep_no_database(site: Site) -> None:
    file = site.lab.root / "etc" / "fail2ban.local"
    text = file.read_text("utf-8")
    database = str(site.lab.root / "fail2ban.sqlite3")
    file.write_text(text.replace(database, "None"), "utf-8")


def test_bans_that_never_reached_us_are_found_as_if_they_had(site: Site) -> None:
    attack_earlier(site, TOLD, user="admin")
    attack_earlier(site, TOO_LARGE, user="x" * 250_000)
    attack_earlier(site, WITH_NUL, user="a\0b")
    site.start_daemon()
    lay_out(site)
    site.lab.start_fail2ban()
    site.wait_for_bans(1)
    wait_for_rows(site, {TOO_LARGE, WITH_NUL})  # no shell can run their actions
    nothing = dict.fromkeys(NAMES, 0)

    assert reconcile(site) == {**nothing, "bans": 2}
    site.lab.stop_fail2ban()
    kill_the_client(site)
    attack_earlier(site, KILLED)
    site.lab.start_fail2ban()
    wait_for_rows(site, {KILLED})
    action = ("sshd", "action", "f2b-enrich")
    site.lab.fail2ban("set", *action, "dest", "sshd@alerts.example")
    assert reconcile(site) == {**nothing, "bans": 1}

    bans = {row["ip"]: row for row in site.bans()}
    assert bans.keys() == {TOLD, TOO_LARGE, WITH_NUL, KILLED}
    failed_at = rows_in_fail2ban(site)
    for ip, row in bans.items():
        assert row["id"] == ban_id("web1.example.org", "sshd", ip, failed_at[ip])
        assert row["banned_at_source"] == "failure"
        assert (row["failures"], row["bantime_seconds"]) == (3, 86_400)
    assert bans[KILLED]["origins"] == "fail2ban-db"
    assert bans[TOLD]["origins"] == "live"
    assert "\u2400" in bans[WITH_NUL]["lines"]
    # What passed us by before the first look is told of by no digest.
    mails = site.rows("SELECT * FROM outbox WHERE ban_id != ?", bans[TOLD]["id"])
    (mail,) = mails
    assert mail["ban_id"] == bans[KILLED]["id"]
    assert mail["recipient"] == "sshd@alerts.example"
    assert mail["last_error"] == "told of more than 15 minutes late"
    before = site.rows("SELECT * FROM ban_records"), site.rows("SELECT * FROM bans")
    assert reconcile(site) == nothing
    after = site.rows("SELECT * FROM ban_records"), site.rows("SELECT * FROM bans")
    assert after == before


def test_an_end_that_passed_us_by_closes_the_ban(site: Site) -> None:
    site.start()
    site.lab.fail2ban("set", "sshd", "banip", ENDED, TOLD)
    site.wait_for_bans(2)
    name = "f2b-enrich"
    site.lab.fail2ban("set", "sshd", "action", name, "actionunban", "true")
    site.lab.fail2ban("set", "sshd", "unbanip", ENDED)

    assert reconcile(site)["ended"] == 1

    bans = {row["ip"]: row for row in site.bans()}
    assert bans[TOLD]["unbanned_at"] is None
    assert bans[ENDED]["unbanned_at"] >= bans[ENDED]["banned_at"]
    before = site.rows("SELECT * FROM bans")
    assert reconcile(site)["ended"] == 0
    assert site.rows("SELECT * FROM bans") == before


def test_bans_stay_open_that_fail2ban_will_put_in_place_again(site: Site) -> None:
    site.start()
    site.lab.fail2ban("set", "sshd", "banip", ENDED)
    site.wait_for_bans(1)
    site.lab.stop_fail2ban()
    site.lab.start_fail2ban()

    assert reconcile(site)["ended"] == 0


def test_a_fail2ban_without_a_database_tells_what_it_holds(site: Site) -> None:
    site.start_daemon()
    lay_out(site)
    keep_no_database(site)
    kill_the_client(site)
    attack_earlier(site, KILLED)
    site.lab.start_fail2ban()
    held = ("get", "sshd", "banip", "--with-time")
    assert until(lambda: KILLED in site.lab.fail2ban(*held), seconds=30), site.told()

    assert reconcile(site)["bans"] == 1
    assert reconcile(site)["bans"] == 0

    (ban,) = site.bans()
    assert (ban["ip"], ban["banned_at_source"]) == (KILLED, "logged")
    assert ban["bantime_seconds"] == 86_400


def test_a_fail2ban_in_another_zone_is_understood(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.start_daemon()
    lay_out(site)
    keep_no_database(site)
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "XST+3:30")
        site.lab.start_fail2ban()
    site.lab.fail2ban("set", "sshd", "banip", TOLD, ENDED)
    site.wait_for_bans(2)
    name = "f2b-enrich"
    site.lab.fail2ban("set", "sshd", "action", name, "actionban", "true")
    site.lab.fail2ban("set", "sshd", "action", name, "actionunban", "true")
    site.lab.fail2ban("set", "sshd", "banip", KILLED)
    site.lab.fail2ban("set", "sshd", "unbanip", ENDED)

    # By our zone it would be hours old, and what stands another ban.
    assert reconcile(site) == {**dict.fromkeys(NAMES, 0), "young": 1, "ended": 1}
    bans = {row["ip"]: row["unbanned_at"] for row in site.bans()}
    assert bans.keys() == {TOLD, ENDED}
    assert bans[TOLD] is None


def test_what_a_log_line_had_banned_stops_nothing(site: Site) -> None:
    site.start_daemon()
    lay_out(site)
    keep_no_database(site)
    site.lab.start_fail2ban()
    forged = "192.0.2.99 \t2026-01-01 00:00:00 + 86400 = x"
    site.lab.fail2ban("set", "sshd", "banip", TOLD, "a\x85b\rc\u2028d", forged)
    held = ("get", "sshd", "banip", "--with-time")
    assert until(lambda: forged in site.lab.fail2ban(*held), seconds=30), site.told()
    site.wait_for_bans(3)

    assert reconcile(site) == dict.fromkeys(NAMES, 0)
    assert {row["ip"] for row in site.bans()} == {TOLD, "a\x85b\rc\u2028d", forged}
