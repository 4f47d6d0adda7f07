"""The Python action, inside a real fail2ban."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, until

if TYPE_CHECKING:
    from tests.e2e.site import Site

JAIL = """
[inside]
enabled = true
filter = sshd
backend = polling
logpath = {root}/inside.log
maxretry = 3
action = f2b-enrich.py[client="{client}", socket="{socket}", spool="{root}/spool",
         dest="%(destemail)s", sender="%(sender)s"]
"""


@pytest.fixture
def inside(site: Site) -> Site:
    """A site whose jail `inside` has the Python action alone."""
    lab = site.lab
    client = PROJECT / "f2b_enrich" / "client.py"
    (lab.root / "inside.log").touch()
    site.start_daemon(alerts={"merge_seconds": 0})
    lab.write_fail2ban(JAIL.format(root=lab.root, client=client, socket=lab.socket))
    action = PROJECT / "action.d" / "f2b-enrich.py"
    shutil.copy(action, lab.root / "etc" / "action.d")
    lab.start_fail2ban()
    return site


def test_log_lines_become_a_row_and_a_mail_under_the_addresses_of_the_jail(
    inside: Site,
) -> None:
    log = inside.lab.root / "inside.log"
    inside.lab.attack("192.0.2.7", user="admin")
    log.write_text(inside.lab.log.read_text())

    inside.wait_for_row("SELECT 1 FROM bans WHERE jail = 'inside'")
    (ban,) = inside.rows("SELECT * FROM ban_log WHERE jail = 'inside'")
    assert (ban["ip"], ban["failures"], ban["lines_received"]) == ("192.0.2.7", 3, 3)
    assert ban["lines"].count("Failed password for admin") == 3
    assert {mail["From"] for mail in inside.mails(2)} == {"root@web1.example.org"}
    assert {mail["To"] for mail in inside.mails(2)} == {"noc@alerts.example"}


def test_a_nul_in_a_log_line_costs_no_ban(inside: Site) -> None:
    inside.lab.attack("192.0.2.7", user="ad\0min")
    log = inside.lab.root / "inside.log"
    log.write_text(inside.lab.log.read_text())

    inside.wait_for_row("SELECT 1 FROM bans WHERE jail = 'inside'")
    (ban,) = inside.rows("SELECT * FROM ban_log WHERE jail = 'inside'")
    assert "ad\u2400min" in ban["lines"]


def test_it_outlives_a_reload_and_reports_unbans(inside: Site) -> None:
    inside.lab.fail2ban("reload")

    inside.lab.fail2ban("set", "inside", "banip", "192.0.2.8")
    inside.wait_for_bans(1)
    inside.lab.fail2ban("set", "inside", "unbanip", "192.0.2.8")

    inside.wait_for_row("SELECT 1 FROM bans WHERE unbanned_at IS NOT NULL")
    inside.lab.fail2ban("set", "inside", "banip", "192.0.2.9")
    inside.lab.fail2ban("restart")
    (open_ban,) = inside.rows("SELECT * FROM bans WHERE ip = '192.0.2.9'")
    assert open_ban["unbanned_at"] is None


def test_a_daemon_that_hangs_or_is_gone_costs_no_ban(inside: Site) -> None:
    spool = inside.lab.root / "spool"
    addresses = [f"192.0.2.{last}" for last in range(1, 31)]
    assert inside.lab.daemon is not None
    inside.lab.fail2ban("set", "inside", "banip", "192.0.2.99")
    inside.wait_for_bans(1)

    inside.lab.daemon.send_signal(signal.SIGSTOP)
    try:
        inside.lab.fail2ban("set", "inside", "banip", *addresses)
        assert len(list(spool.iterdir())) == 30
    finally:
        inside.lab.daemon.send_signal(signal.SIGCONT)
    inside.wait_for_bans(31)

    inside.lab.stop_daemon()
    inside.lab.fail2ban("set", "inside", "banip", "192.0.2.100")
    assert until(lambda: len(list(spool.iterdir())) == 1)
    inside.lab.start_daemon()
    inside.wait_for_bans(32)
    inside.lab.fail2ban("set", "inside", "banip", "192.0.2.101")
    inside.wait_for_bans(33)
