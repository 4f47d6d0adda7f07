"""The main job on the real programs: fail2ban, client, daemon, SMTP."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from demo.lab import until

if TYPE_CHECKING:
    from tests.e2e.site import Site

OWN_ACTION = """
[own]
enabled = true
filter = sshd
logpath = {root}/own.log
backend = polling
destemail = owner@alerts.example
sender = guard@alerts.example
action = %(action_)s
         %(action_f2b_enrich)s
"""


def test_fail2ban_accepts_the_configuration_and_keeps_the_firewall(site: Site) -> None:
    site.lab.write_fail2ban()

    assert "successful" in site.lab.fail2ban("-t")

    resolved = site.lab.fail2ban("-d")
    assert "['set', 'sshd', 'addaction', 'lab-firewall']" in resolved
    assert "['set', 'sshd', 'addaction', 'f2b-enrich']" in resolved


def test_failed_log_ins_become_a_row_and_a_mail(site: Site) -> None:
    site.start()

    site.lab.attack("192.0.2.7", times=3, user="admin")

    (mail,) = site.mails(1)
    (ban,) = site.bans()
    assert ban["host"] == "web1.example.org"
    assert (ban["jail"], ban["ip"], ban["failures"]) == ("sshd", "192.0.2.7", 3)
    assert (ban["country_code"], ban["asn"]) == ("DE", 64496)
    assert ban["bantime_seconds"] == 3600
    assert ban["banned_at_source"] == "failure"
    assert ban["lines"].count("Failed password for admin from 192.0.2.7") == 3
    assert mail["Subject"] == (
        "[fail2ban] web1 sshd: banned 192.0.2.7 (DE, AS64496 Example Hosting GmbH), "
        "1st ban"
    )
    assert mail["To"] == "noc@alerts.example"
    # fail2ban's stock sender names the machine: it counts as unset.
    assert mail["From"] == "root@web1.example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert body.count("Failed password for admin from 192.0.2.7") == 3
    assert "fail2ban-client set sshd unbanip 192.0.2.7" in body
    assert not (site.lab.root / "spool").joinpath("bad").exists()
    assert until(lambda: site.bans()[0]["mail_state"] == "sent")


def test_a_ban_by_hand_has_no_lines_and_says_so(site: Site) -> None:
    site.start()

    site.lab.fail2ban("set", "sshd", "banip", "2001:db8::7")

    (mail,) = site.mails(1)
    (ban,) = site.bans()
    assert (ban["ip"], ban["subnet"]) == ("2001:db8::7", "2001:db8::/64")
    assert (ban["failures"], ban["lines"]) == (0, None)
    assert "by hand" in mail.get_content()


def test_networks_and_names_are_recorded_and_never_looked_up(site: Site) -> None:
    site.start()

    site.lab.fail2ban("set", "sshd", "banip", "198.51.100.0/24", "notanip!")

    site.mails(2)
    found = {ban["ip"]: ban for ban in site.bans()}
    assert set(found) == {"198.51.100.0/24", "notanip!"}
    assert all(ban["country_code"] is None for ban in found.values())


def test_an_unban_closes_the_ban(site: Site) -> None:
    site.start()
    site.lab.attack("192.0.2.7")
    site.wait_for_bans(1)

    site.lab.fail2ban("set", "sshd", "unbanip", "192.0.2.7")

    site.wait_for_row("SELECT 1 FROM bans WHERE unbanned_at IS NOT NULL")
    assert site.rows("SELECT * FROM waiting_events") == []


def test_the_real_time_of_a_repeat_offender_reaches_row_and_mail(site: Site) -> None:
    site.start("bantime.increment = true\n")
    site.lab.attack("192.0.2.7")
    site.wait_for_bans(1)
    site.lab.fail2ban("set", "sshd", "unbanip", "192.0.2.7")
    site.wait_for_row("SELECT 1 FROM bans WHERE unbanned_at IS NOT NULL")
    site.lab.fail2ban("set", "sshd", "banip", "192.0.2.9")
    site.mails(2)
    # An unban makes fail2ban forget; only a ban that ends by itself counts. So the
    # time is prolonged as the observer does it: a longer ban of the same ticket.
    site.lab.fail2ban("set", "sshd", "bantime", "5")
    site.lab.attack("192.0.2.11")
    site.wait_for_row("SELECT 1 FROM bans WHERE ip = '192.0.2.11' AND unbanned_at > ''")

    site.lab.attack("192.0.2.11")

    site.wait_for_row("SELECT 1 FROM bans WHERE prolonged_at IS NOT NULL")
    (ban,) = site.rows("SELECT * FROM bans WHERE prolonged_at IS NOT NULL")
    assert ban["ban_count"] == 2
    assert ban["bantime_seconds"] > 5
    mail = next(m for m in site.mails(4) if ban["id"] in m["Message-ID"])
    assert "at least" not in mail.get_content()


def test_a_restart_with_fifty_bans_is_silent(site: Site) -> None:
    site.start(alerts={"burst": 51})
    addresses = [f"192.0.2.{last}" for last in range(1, 51)]
    site.lab.fail2ban("set", "sshd", "banip", *addresses)
    site.mails(50)
    before = site.rows("SELECT * FROM bans ORDER BY id")

    site.lab.fail2ban("restart")

    restored = re.compile(r"Currently banned:\s+50")
    assert until(lambda: bool(restored.search(site.lab.fail2ban("status", "sshd"))))
    # A new ban goes the same way as anything that the restart might have caused.
    site.lab.fail2ban("set", "sshd", "banip", "192.0.2.99")
    assert len(site.mails(51)) == 51
    after = site.rows("SELECT * FROM bans WHERE ip != '192.0.2.99' ORDER BY id")
    assert after == before


def test_a_start_with_five_thousand_bans_is_silent(site: Site) -> None:
    (site.lab.root / "own.log").touch()
    # Without a firewall program for each of them, which would take minutes.
    ours_alone = OWN_ACTION.replace("%(action_)s\n         ", "")
    site.start(ours_alone.format(root=site.lab.root))
    site.lab.fail2ban("set", "own", "banip", "192.0.2.1")
    site.mails(1)
    site.lab.stop_fail2ban()
    with closing(sqlite3.connect(site.lab.root / "fail2ban.sqlite3")) as connection:
        for table in ("bans", "bips"):
            connection.execute(f"CREATE TEMP TABLE one AS SELECT * FROM {table}")  # noqa: S608
            for number in range(4999):
                ip = f"2001:db8:5::{number:x}"
                connection.execute("UPDATE one SET ip = ?", (ip,))
                connection.execute(f"INSERT INTO {table} SELECT * FROM one")  # noqa: S608
            connection.execute("DROP TABLE one")
        connection.commit()

    site.lab.start_fail2ban()

    restored = re.compile(r"Currently banned:\s+5000")
    assert until(
        lambda: bool(restored.search(site.lab.fail2ban("status", "own"))), seconds=60
    )
    site.lab.fail2ban("set", "own", "banip", "192.0.2.99")
    assert len(site.mails(2)) == 2
    assert [ban["ip"] for ban in site.bans()] == ["192.0.2.1", "192.0.2.99"]


def test_a_jail_with_its_own_action_has_its_own_addresses(site: Site) -> None:
    (site.lab.root / "own.log").touch()
    site.start(OWN_ACTION.format(root=site.lab.root))

    site.lab.fail2ban("set", "own", "banip", "192.0.2.7")

    (mail,) = site.mails(1)
    assert mail["To"] == "owner@alerts.example"
    assert mail["From"] == "guard@alerts.example"
    assert site.smtp.received[0].sender == "guard@alerts.example"


def test_hostile_log_lines_stay_text(site: Site) -> None:
    trap = site.lab.root / "trap"
    user = f"$(touch {trap}) `touch {trap}` \x1b[31m =?utf-8?q?x?= \"';|&><"
    site.start()

    site.lab.attack("192.0.2.7", user=user)

    (mail,) = site.mails(1)
    (ban,) = site.bans()
    assert not trap.exists()
    assert user in ban["lines"]
    body = mail.get_content()
    assert "\x1b" not in body
    assert f"$(touch {trap})" in body
    assert mail.keys().count("Subject") == 1


def test_a_hundred_and_thirty_kilobytes_of_lines_arrive(site: Site) -> None:
    site.start()

    site.lab.attack("192.0.2.7", times=3, user="x" * 43_500)

    site.wait_for_bans(1)
    (ban,) = site.rows("SELECT lines_received FROM bans")
    assert ban["lines_received"] == 3
    kept = site.rows("SELECT sum(length(CAST(line AS BLOB))) AS size FROM log_lines")
    assert kept[0]["size"] <= 64 * 1024


def test_the_same_ban_reported_twice_is_one_row_and_one_mail(site: Site) -> None:
    twice = site.lab.root / "twice.sh"
    client = "/usr/bin/python3 -I -S"
    twice.write_text(f'#!/bin/sh\n{client} "$@"\n{client} "$@"\nexit 1\n')
    twice.chmod(0o755)
    site.start_daemon()
    site.lab.write_fail2ban()
    local = site.lab.root / "etc" / "action.d" / "f2b-enrich.local"
    local.write_text(local.read_text() + f"python = {twice}\n")
    site.lab.start_fail2ban()

    # It fails, so fail2ban runs it again: four reports of one ban.
    site.lab.fail2ban("set", "sshd", "banip", "192.0.2.7")
    local.write_text(local.read_text().replace(str(twice), client))
    site.lab.fail2ban("set", "sshd", "banip", "192.0.2.8")

    site.mails(2)
    assert sorted(ban["ip"] for ban in site.bans()) == ["192.0.2.7", "192.0.2.8"]
    assert len(site.smtp.received) == 2


def test_with_the_daemon_stopped_bans_pass_and_are_all_there_later(site: Site) -> None:
    site.start(alerts={"burst": 31})
    assert site.lab.daemon is not None
    site.lab.daemon.send_signal(signal.SIGSTOP)
    addresses = [f"192.0.2.{last}" for last in range(1, 31)]
    try:
        site.lab.fail2ban("set", "sshd", "banip", *addresses)
        spooled = list((site.lab.root / "spool").iterdir())
        assert len(spooled) == 30
    finally:
        site.lab.daemon.send_signal(signal.SIGCONT)

    site.wait_for_bans(30)
    assert len(site.mails(30)) == 30
    assert until(lambda: not list((site.lab.root / "spool").glob("*.ban")))
    assert not (site.lab.root / "run" / "slow").exists()
    site.lab.fail2ban("set", "sshd", "banip", "192.0.2.99")
    site.wait_for_bans(31)
    assert len({mail["Message-ID"] for mail in site.mails(31)}) == 31
