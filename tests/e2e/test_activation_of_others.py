"""What administrators have of their own, and what becomes of it beside our action."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT, LabError
from tests.e2e.activating import (
    OWN_JAIL,
    action,
    actions,
    jail,
    lay_out,
    start_with_us,
    start_without_us,
    take_away,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.site import Site


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
