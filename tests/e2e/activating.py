"""What the tests of `f2b-enrich action` do to a server and ask of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from demo.lab import PROJECT
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
