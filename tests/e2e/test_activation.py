"""Our action enters a fail2ban that runs, and leaves it, while every ban stays."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, LabError, until
from tests.cli import Ran, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.site import Site

BANNED = tuple(f"198.51.100.{last}" for last in range(1, 21))
OWN_JAIL = """
[own]
enabled = true
filter = sshd
logpath = {root}/own.log
action = lab-firewall[actname=mine]
"""
FILES = ("action.d/f2b-enrich.conf", "jail.d/f2b-enrich.conf")


def lay_out(site: Site) -> None:
    for name in FILES:
        shutil.copy(PROJECT / name, site.lab.root / "etc" / name)


def take_away(site: Site) -> None:
    for name in FILES:
        (site.lab.root / "etc" / name).unlink()


def start_without_us(site: Site, jails: str = "") -> None:
    """Start fail2ban as it is before we come, with 20 bans."""
    (site.lab.root / "own.log").touch()
    site.lab.write_fail2ban(jails.format(root=site.lab.root))
    take_away(site)
    site.lab.start_fail2ban()
    site.lab.fail2ban("set", "sshd", "banip", *BANNED)


def action(site: Site, *words: str | Path) -> Ran:
    socket = site.lab.root / "run" / "fail2ban.sock"
    return run("action", *words, "--config", site.lab.config, "--socket", socket)


def actions(site: Site, jail: str = "sshd") -> list[str]:
    said = site.lab.fail2ban("get", jail, "actions").split("\n")
    return said[1].split(", ") if said[1:] else []


def banned(site: Site) -> set[str]:
    return set(site.lab.fail2ban("get", "sshd", "banip").split())


def unbans(site: Site) -> int:
    return (site.lab.root / "fail2ban.log").read_text().count(" Unban ")


def errors(site: Site) -> list[str]:
    log = (site.lab.root / "fail2ban.log").read_text().splitlines()
    return [line for line in log if ": ERROR " in line]


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


@pytest.mark.parametrize("files", [(), ("--files", PROJECT)])
def test_a_jail_that_would_lose_an_action_is_left_alone(
    site: Site, files: tuple[str | Path, ...]
) -> None:
    site.configure()
    start_without_us(site)
    early = site.lab.root / "etc" / "jail.d" / "admin.conf"
    early.write_text("[DEFAULT]\naction = lab-firewall[actname=admins]\n")
    site.lab.fail2ban("restart")
    assert actions(site) == ["admins"]
    if not files:
        lay_out(site)

    planned = json.loads(action(site, "plan", "--json", *files).out)
    ran = action(site, "plan", *files)

    assert ran.code == 1
    assert planned == {
        "running": True,
        "failures": {},
        "jails": [
            {
                "jail": "sshd",
                "standing": "loses",
                "other_actions": ["lab-firewall"],
                "lost_actions": ["admins"],
                "gained_actions": ["lab-firewall"],
                "append": "%(action_f2b_enrich)s",
                "file": str(early),
                "line": 2,
            }
        ],
    }
    assert "sshd  kept out" in ran.out
    if not files:
        added = action(site, "add")
        assert added.code == 1
        assert (
            "sshd: our jail.d file would take admins from it and give it lab-firewall; "
            'append "%(action_f2b_enrich)s" to a copy in jail.local of the "action =" '
            f"in {early}:2 [DEFAULT]"
        ) in added.out
    assert actions(site) == ["admins"]
    if not files:
        local = site.lab.root / "etc" / "jail.local"
        copy = "action = lab-firewall[actname=admins]\n         %(action_f2b_enrich)s"
        text = local.read_text().replace("[DEFAULT]", f"[DEFAULT]\n{copy}")
        local.write_text(text)
        assert action(site, "add").out == "added to sshd; active in 1 jail\n"
        assert actions(site) == ["admins", "f2b-enrich"]


def test_a_later_default_of_the_administrator_wins_and_is_told(site: Site) -> None:
    site.configure()
    start_without_us(site)
    lay_out(site)
    local = site.lab.root / "etc" / "jail.d" / "zz.local"
    local.write_text("[DEFAULT]\naction = lab-firewall[actname=admins]\n")

    ran = action(site, "add")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "nothing was to be added; active in 0 jails",
        f'sshd: append "%(action_f2b_enrich)s" to the "action =" in {local}:2 '
        "[DEFAULT]",
    ]


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


JAIL = """
[{name}]
enabled = true
filter = sshd
logpath = {root}/own.log
action = {action}
"""


def jail(site: Site, name: str, actions: str) -> str:
    return JAIL.format(name=name, root=site.lab.root, action=actions)


def start_with_us(site: Site, jails: str) -> None:
    site.configure()
    (site.lab.root / "own.log").touch()
    site.lab.write_fail2ban(jails)
    shutil.copy(PROJECT / "action.d" / "f2b-enrich.py", site.lab.root / "etc/action.d")
    site.lab.start_fail2ban()


def test_a_name_of_any_letters_hinders_no_jail(site: Site) -> None:
    site.configure()
    names = ("apache-böse", "my jail", "a, b", "known/x", "a*%%")
    start_without_us(site, "".join(jail(site, name, "%(action_)s") for name in names))
    lay_out(site)
    local = site.lab.root / "etc" / "jail.local"
    without = local.read_text()
    ours = "%(action_)s\n         %(action_f2b_enrich)s"
    local.write_text(without.replace("%(action_)s", ours))

    added = action(site, "add")
    local.write_text(without)
    removed = action(site, "remove")

    # One with ", " in it is two for fail2ban's own list of jails.
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("added to a*%%, apache-böse, known/x, my jail, sshd; ")
    assert (removed.code, removed.err) == (0, "")
    for name in (*names, "sshd"):
        assert actions(site, name) == ["lab-firewall"]


def test_of_two_actions_of_ours_the_missing_one_is_added(site: Site) -> None:
    start_with_us(
        site,
        jail(
            site,
            "two",
            "f2b-enrich[actname=f2b-enrich-a,dest=a@example.org]\n"
            "         f2b-enrich[actname=f2b-enrich-b,dest=b@example.org]",
        ),
    )
    site.lab.fail2ban("set", "two", "delaction", "f2b-enrich-b")

    ran = action(site, "add")

    assert (ran.code, ran.out) == (0, "added to two; active in 2 jails\n")
    assert actions(site, "two") == ["f2b-enrich-a", "f2b-enrich-b"]


def test_an_action_of_the_administrators_is_not_taken_for_ours(site: Site) -> None:
    root = site.lab.root
    (root / "etc" / "action.d").mkdir(parents=True, exist_ok=True)
    (root / "etc" / "action.d" / "siem.conf").write_text(
        "[Definition]\nactionban = /usr/local/bin/siem EVENT=ban IP=<ip>\n"
        "actionunban = /usr/local/bin/siem EVENT=unban IP=<ip>\n"
    )
    options = f"client={PROJECT}/f2b_enrich/client.py, socket=s, spool=p"
    start_with_us(
        site,
        jail(site, "hook", "lab-firewall\n         siem")
        + jail(site, "inside", f"lab-firewall\n  f2b-enrich.py[actname=t, {options}]")
        + jail(site, "told", 'lab-firewall\n  f2b-enrich[actname=t, name="x"]'),
    )
    assert actions(site, "inside") == actions(site, "told") == ["lab-firewall", "t"]
    take_jails_away(site, "told", "inside")

    ran = action(site, "remove")

    assert (ran.code, ran.out) == (0, "removed from inside, sshd, told\n")
    assert actions(site, "hook") == ["lab-firewall", "siem"]
    assert actions(site, "inside") == actions(site, "told") == ["lab-firewall"]


def take_jails_away(site: Site, *names: str) -> None:
    """Turn jails off in the files; those that run stay."""
    text = "".join(f"[{name}]\nenabled = false\n" for name in names)
    (site.lab.root / "etc" / "jail.d" / "zz.local").write_text(text)


def test_settings_that_changed_since_are_told_and_a_reload_takes_them(
    site: Site,
) -> None:
    start_with_us(site, "")
    local = site.lab.root / "etc" / "action.d" / "f2b-enrich.local"
    local.write_text(local.read_text().replace("/spool", "/spool2"))

    ran = action(site, "add")

    assert ran.code == 0
    assert ran.out == (
        "nothing was to be added; active in 1 jail\n"
        "sshd: runs with older settings; fail2ban-client reload takes the new ones\n"
    )
    site.lab.fail2ban("reload")
    assert action(site, "add").out == "nothing was to be added; active in 1 jail\n"


def test_a_firewall_that_our_file_would_bring_keeps_it_out(site: Site) -> None:
    site.configure()
    start_without_us(site)
    dry = site.lab.root / "etc" / "jail.d" / "00-dry.conf"
    dry.write_text("[DEFAULT]\naction =\n")
    site.lab.fail2ban("restart")
    lay_out(site)

    ran = action(site, "add")

    assert ran.code == 1
    assert ran.out.splitlines()[1] == (
        "sshd: our jail.d file would give it lab-firewall; append "
        '"%(action_f2b_enrich)s" to a copy in jail.local of the "action =" in '
        f"{dry}:2 [DEFAULT]"
    )
    assert actions(site) == [""]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sshd]\n  enabled = true\n  action = {}\n", 3),
        ("[sshd]\nAction = {}\n", 2),
        ("  [sshd] ; x\n action: {} ; y\n", 2),
    ],
)
def test_the_line_to_append_to_is_the_one_that_fail2ban_takes(
    site: Site, text: str, line: int
) -> None:
    site.configure()
    site.lab.write_fail2ban()
    local = site.lab.root / "etc" / "jail.d" / "zz.local"
    local.write_text(text.format("lab-firewall[actname=told]"))

    jails = json.loads(action(site, "plan", "--json").out)["jails"]

    assert [one["other_actions"] for one in jails] == [["told"]]
    assert [(one["file"], one["line"]) for one in jails] == [(str(local), line)]


def test_a_file_that_fail2ban_cannot_read_is_told_by_nobody(site: Site) -> None:
    site.configure()
    site.lab.write_fail2ban()
    local = site.lab.root / "etc" / "jail.d" / "zz.local"
    local.write_bytes(b"[sshd]\naction = lab-firewall[actname=told]\n# \xff\n")

    jails = json.loads(action(site, "plan", "--json").out)["jails"]

    assert [one["standing"] for one in jails] == ["later"]


def test_nothing_is_removed_while_a_jail_file_names_us(site: Site) -> None:
    site.configure()
    (site.lab.root / "own.log").touch()
    jail = OWN_JAIL + "         %(action_f2b_enrich)s\n"
    site.lab.write_fail2ban(jail.format(root=site.lab.root))
    site.lab.start_fail2ban()

    ran = action(site, "remove")

    assert ran.code == 1
    assert ran.err.startswith(
        f"f2b-enrich: nothing was done: {site.lab.root}/etc/jail.local:19 [own] needs "
        "our files, and fail2ban would not start without ("
    )
    assert actions(site, "own") == ["mine", "f2b-enrich"]
    take_away(site)
    with pytest.raises(LabError):
        site.lab.fail2ban("-t")


def test_nothing_is_removed_while_an_included_file_names_us(site: Site) -> None:
    site.configure()
    (site.lab.root / "own.log").touch()
    site.lab.write_fail2ban()
    etc = site.lab.root / "etc"
    ours = "%(action_)s\n   %(action_f2b_enrich)s"
    (etc / "mine.inc").write_text(jail(site, "own", ours))
    (etc / "jail.d" / "zz.local").write_text("[INCLUDES]\nbefore = ../mine.inc\n")

    ran = action(site, "remove")

    assert ran.code == 1
    assert f"{etc}/jail.d/../mine.inc:6 [own] needs our files" in ran.err


def test_what_is_wrong_anyway_hinders_no_removal(site: Site) -> None:
    site.configure()
    site.lab.write_fail2ban()
    (site.lab.root / "etc" / "jail.d" / "zz.local").write_text(
        "[broken]\nenabled = true\nfilter = none\n"
        "[off]\nenabled = false\naction = f2b-enrich\n"
        "logpath = /var/log/f2b-enrich.log\n"
    )

    ran = action(site, "remove")

    assert (ran.code, ran.out) == (0, "no jail runs with our action\n")
