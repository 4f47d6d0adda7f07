"""Our action enters a fail2ban that runs, and leaves it, while every ban stays."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

from demo.lab import PROJECT, until
from tests.e2e.activating import (
    BANNED,
    FILES,
    OWN_JAIL,
    action,
    actions,
    banned,
    errors,
    lay_out,
    start_without_us,
    take_away,
    unbans,
)

if TYPE_CHECKING:
    from tests.e2e.site import Site


def test_our_action_comes_into_a_server_with_bans_and_stays(site: Site) -> None:
    site.start_daemon()
    start_without_us(site)
    lay_out(site)

    ran = action(site, "add")

    assert (ran.code, ran.out, ran.err) == (0, "added to sshd; active in 1 jail\n", "")
    assert banned(site) == set(BANNED)
    assert actions(site) == ["lab-firewall", "f2b-enrich"]

    site.lab.attack("192.0.2.1")
    site.wait_for_bans(1)

    for number, command in enumerate((("reload",), ("reload", "sshd")), 2):
        site.lab.fail2ban(*command)
        site.lab.attack(f"192.0.2.{number}")
        site.wait_for_bans(number)
        assert actions(site) == ["lab-firewall", "f2b-enrich"]
    assert unbans(site) == 0
    assert set(BANNED) <= banned(site)

    site.lab.fail2ban("restart")
    assert until(lambda: set(BANNED) <= banned(site))
    site.lab.attack("192.0.2.4")
    site.wait_for_bans(4)
    assert errors(site) == []


def test_our_action_leaves_a_server_with_bans(site: Site) -> None:
    site.start_daemon()
    start_without_us(site)
    lay_out(site)
    action(site, "add")

    ran = action(site, "remove")
    take_away(site)

    assert (ran.code, ran.out, ran.err) == (0, "removed from sshd\n", "")
    assert actions(site) == ["lab-firewall"]
    site.lab.fail2ban("reload")
    assert actions(site) == ["lab-firewall"]
    assert banned(site) == set(BANNED)
    assert unbans(site) == 0
    site.lab.attack("192.0.2.1")
    assert until(lambda: "192.0.2.1" in banned(site))
    assert site.bans() == []

    again = action(site, "remove")

    assert (again.code, again.out) == (0, "no jail runs with our action\n")
    assert errors(site) == []


def test_a_second_add_changes_nothing(site: Site) -> None:
    site.configure()
    start_without_us(site)
    lay_out(site)
    action(site, "add")
    before = (site.lab.root / "fail2ban.log").read_text()

    ran = action(site, "add")

    assert ran.code == 0
    assert ran.out == "nothing was to be added; active in 1 jail\n"
    assert (site.lab.root / "fail2ban.log").read_text() == before


def test_the_running_action_is_the_one_that_a_start_would_give(site: Site) -> None:
    site.configure()
    start_without_us(site)
    lay_out(site)
    action(site, "add")
    names = site.lab.fail2ban("get", "sshd", "actionproperties", "f2b-enrich")
    keys = sorted(names.split("\n", 1)[1].replace(",", " ").split())

    def properties() -> dict[str, str]:
        asked = ("get", "sshd", "action", "f2b-enrich")
        return {key: site.lab.fail2ban(*asked, key) for key in keys}

    added = properties()
    site.lab.fail2ban("restart")

    assert added == properties() | {"norestored": "True\n"}
    assert "client.py" in added["actionban"]


def test_a_plan_before_our_files_are_there_changes_nothing(site: Site) -> None:
    site.configure()
    start_without_us(site, OWN_JAIL)

    ran = action(site, "plan", "--files", PROJECT)

    assert ran.code == 0
    assert ran.out.splitlines()[1:] == [
        'own   lacking      append "%(action_f2b_enrich)s" to the "action =" in '
        f"{site.lab.root}/etc/jail.local:19 [own]",
        "sshd  to be added  -",
        "jails: 1 to be added, 1 lacking",
    ]
    assert actions(site) == ["lab-firewall"]
    assert not (site.lab.root / "etc" / FILES[1]).exists()


def test_a_jail_with_an_action_of_its_own_is_told_the_line(site: Site) -> None:
    site.configure()
    start_without_us(site, OWN_JAIL)
    lay_out(site)

    ran = action(site, "add")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "added to sshd; active in 1 jail",
        'own: append "%(action_f2b_enrich)s" to the "action =" in '
        f"{site.lab.root}/etc/jail.local:19 [own]",
    ]
    assert actions(site, "own") == ["mine"]

    local = site.lab.root / "etc" / "jail.local"
    own = "action = lab-firewall[actname=mine]\n"
    local.write_text(
        local.read_text().replace(own, f"{own}         %(action_f2b_enrich)s\n")
    )
    again = action(site, "add")

    assert again.out == "added to own; active in 2 jails\n"
    assert actions(site, "own") == ["mine", "f2b-enrich"]
    site.lab.fail2ban("reload")
    assert actions(site, "own") == ["mine", "f2b-enrich"]


def test_without_a_server_only_files_matter(site: Site) -> None:
    site.configure()
    site.lab.write_fail2ban()

    added = action(site, "add")
    planned = action(site, "plan")
    removed = action(site, "remove")
    as_json = action(site, "remove", "--json")

    down = "f2b-enrich: fail2ban does not run: "
    assert (added.code, added.out, added.err) == (
        0,
        "nothing was to be added; active in 0 jails\n",
        f"{down}it takes our action when it starts\n",
    )
    assert planned.code == 0
    assert "sshd  not yet" in planned.out
    assert (removed.code, removed.err) == (
        0,
        f"{down}only the files are left to remove\n",
    )
    assert json.loads(as_json.out) == {"running": False, "removed": []}


def test_the_action_inside_the_server_is_ours_as_well(site: Site) -> None:
    site.start_daemon()
    start_without_us(site, OWN_JAIL)
    etc = site.lab.root / "etc"
    shutil.copy(PROJECT / "action.d" / "f2b-enrich.py", etc / "action.d")
    options = (
        f"client={PROJECT}/f2b_enrich/client.py, "
        f"socket={site.lab.socket}, spool={site.lab.root}/spool"
    )
    with (etc / "jail.local").open("a") as local:
        local.write(f"         f2b-enrich.py[{options}]\n")

    ran = action(site, "add")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "added to own; active in 1 jail\n"
        f"sshd: {etc}/jail.d/f2b-enrich.conf is not there\n"
    )
    assert actions(site, "own") == ["mine", "f2b-enrich"]
    site.lab.fail2ban("set", "own", "banip", "192.0.2.1")
    site.wait_for_bans(1)
    site.lab.fail2ban("reload")
    site.lab.fail2ban("set", "own", "banip", "192.0.2.2")
    site.wait_for_bans(2)

    again = action(site, "add")

    assert again.out.startswith("nothing was to be added; active in 1 jail\n")
    assert action(site, "remove", "--json").out == (
        '{"running": true, "removed": ["own"]}\n'
    )
    assert banned(site) == set(BANNED)


SLOW_JAIL = """
[slow]
enabled = true
filter = sshd
logpath = {root}/own.log
action = lab-slow
         lab-after
"""


def begin_slow_ban(site: Site, ip: str) -> None:
    """Attack the slow jail, and come back while its first action is at work."""
    begun = site.lab.root / "begun"
    stamp = time.strftime("%b %e %H:%M:%S")
    with (site.lab.root / "own.log").open("a") as log:
        for port in range(50000, 50005):
            log.write(
                f"{stamp} web1 sshd[4021]: Failed password for root from {ip} "
                f"port {port} ssh2\n"
            )
    assert until(lambda: begun.exists() and ip in begun.read_text())


def test_a_ban_under_way_has_all_its_actions(site: Site) -> None:
    site.start_daemon()
    root = site.lab.root
    for name, command in (
        ("slow", f"echo <ip> >> {root}/begun; sleep 2"),
        ("after", f"echo <ip> >> {root}/after"),
    ):
        (root / "etc" / "action.d").mkdir(exist_ok=True)
        (root / "etc" / "action.d" / f"lab-{name}.conf").write_text(
            f"[Definition]\nactionban = {command}\nactionunban =\n"
        )
    start_without_us(site, SLOW_JAIL)
    lay_out(site)
    local = root / "etc" / "jail.local"
    without = local.read_text()
    local.write_text(f"{without.rstrip()}\n         %(action_f2b_enrich)s\n")

    begin_slow_ban(site, "192.0.2.1")
    added = action(site, "add")
    begin_slow_ban(site, "192.0.2.2")
    local.write_text(without)
    removed = action(site, "remove")

    assert (added.code, added.out) == (0, "added to slow, sshd; active in 2 jails\n")
    assert (removed.code, removed.out) == (0, "removed from slow, sshd\n")
    after = root / "after"
    assert until(lambda: after.read_text().split() == ["192.0.2.1", "192.0.2.2"])
    site.wait_for_bans(1)
    assert errors(site) == []
