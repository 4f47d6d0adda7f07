"""What attackers tried, from the log lines of a real fail2ban to row and mail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from demo.lab import until

if TYPE_CHECKING:
    from tests.e2e.site import Site

RECIDIVE = """
[recidive]
enabled = true
logpath = {root}/fail2ban.log
backend = polling
maxretry = 2
action = %(action_)s
         %(action_f2b_enrich)s
"""

ALL_CLASSED = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM bans WHERE attack IS NULL)"


def test_failed_log_ins_are_classed_and_their_names_counted(site: Site) -> None:
    site.start()

    site.lab.attack("192.0.2.7", times=3, user="admin")

    (mail,) = site.mails(1)
    (ban,) = site.bans()
    assert (ban["attack"], ban["service"]) == ("ssh-password-guessing", "ssh")
    (name,) = site.rows("SELECT value, lines FROM observed WHERE kind = 'username'")
    assert (name["value"], name["lines"]) == ("admin", 3)
    ports = site.rows("SELECT value FROM observed WHERE kind = 'port'")
    assert all(int(port["value"]) for port in ports)
    body = mail.get_content()
    assert "\nWHAT    SSH password guessing" in body
    assert "\nNAMES   admin" in body


def test_a_ban_of_recidive_points_at_the_ban_it_repeats(site: Site) -> None:
    (site.lab.root / "fail2ban.log").touch()  # else the jail does not start
    site.start(RECIDIVE.format(root=site.lab.root))
    site.lab.attack("192.0.2.7")
    site.wait_for_bans(1)
    site.lab.fail2ban("set", "sshd", "unbanip", "192.0.2.7")
    now = int(time.time())  # in the same second it would be the same ban
    assert until(lambda: int(time.time()) > now, seconds=3)

    site.lab.attack("192.0.2.7")

    jails = "SELECT jail FROM bans ORDER BY received_at, rowid"
    assert until(lambda: len(site.rows(jails)) == 3, seconds=30), site.told()
    site.mails(2)
    site.wait_for_row(ALL_CLASSED)
    first, second, again = site.rows(
        "SELECT * FROM ban_log ORDER BY is_repeat, banned_at"
    )
    assert again["jail"] == "recidive"
    assert again["repeat_of"] == second["id"] != first["id"]
    assert (again["attack"], again["attacks"]) == ("repeat-offender", "repeat-offender")
    assert "NOTICE" in again["lines"]
    # Nobody is told twice of the same attack.
    site.wait_for_row("SELECT 1 FROM outbox WHERE state = 'folded'")
    folded, into = site.rows(
        "SELECT ban_id FROM outbox WHERE state = 'folded' UNION ALL "
        "SELECT ban_id FROM outbox WHERE id = (SELECT max(folded_into) FROM outbox)"
    )
    assert (folded["ban_id"], into["ban_id"]) == (again["id"], second["id"])
