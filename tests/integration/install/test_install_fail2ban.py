"""install.sh and the administrator's Fail2Ban: asked before, never broken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import INSTALL
from tests.distros.server import OLD, Server

if TYPE_CHECKING:
    from tests.distros.machine import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]

NAMING = "/etc/fail2ban/jail.d/own.local"


def test_an_action_of_the_administrators_is_not_taken_away(
    machine: Machine, server: Server
) -> None:
    own = "[DEFAULT]\naction = %(action_)s\n         no-firewall[actname=own]\n"
    machine.write("/etc/fail2ban/jail.d/custom.conf", own)
    machine.run("fail2ban-client", "reload", "--restart")
    assert "own" in server.actions()

    told = machine.install(*INSTALL)

    assert "action_f2b_enrich" in told
    machine.run("fail2ban-client", "reload", "--restart")
    assert "own" in server.actions()
    assert "f2b-enrich" not in server.actions()
    with machine.path("/etc/fail2ban/jail.d/custom.conf").open("a") as file:
        file.write("         %(action_f2b_enrich)s\n")
    machine.run("fail2ban-client", "reload", "--restart")
    assert "f2b-enrich" in server.actions()
    assert "/custom.conf:4" in machine.install("--uninstall", "--dry-run")
    assert "nothing was" in machine.install("--uninstall", code=1)


def test_a_fault_of_the_administrators_own_stops_it_before_anything(
    machine: Machine, server: Server
) -> None:
    machine.write("/etc/fail2ban/jail.d/own.local", "[sshd]\nfilter = not-there\n")
    before = machine.differences(times=True)

    told = machine.install(*INSTALL, code=1)

    assert "refuses its configuration as it is, without ours" in told
    assert "'filter.d/not-there'" in told
    assert "test configuration failed" not in told
    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


def test_a_log_file_that_is_gone_does_not_hinder_it(
    machine: Machine, server: Server
) -> None:
    machine.path("/var/log/auth.log").unlink()

    told = machine.install(*INSTALL)

    assert "would not start again as it is, without ours" in told
    assert "Have not found any log file for sshd jail" in told
    assert "backend to systemd" in told
    assert "f2b-enrich" in server.actions()
    # From then on it is not without ours.
    machine.write(NAMING, "[sshd]\nfilter = not-there\n")
    told = machine.install(*INSTALL, code=1)
    assert "refuses its configuration as it is: fail2ban-client -t" in told
    assert set(OLD) <= server.banned()


def test_removal_without_python_takes_out_our_action_and_no_other(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    action = ("fail2ban-client", "set", "sshd", "addaction")
    machine.run(*action, "f2b-enrich-own")
    machine.run(*action, "tell")
    client = "exec /usr/local/lib/f2b-enrich/client.py"
    machine.run("fail2ban-client", "set", "sshd", "action", "tell", "actionban", client)
    machine.run("rm", "/opt/f2b-enrich/bin/python3")
    machine.write(NAMING, "[sshd]\naction = %(action_)s\n  %(action_f2b_enrich)s\n")

    told = machine.install("--uninstall", code=1)

    assert f"{NAMING}:3:  %(action_f2b_enrich)s" in told
    assert "nothing was removed" in told
    assert "f2b-enrich," in server.actions()
    machine.write(NAMING, "[sshd]\n# formerly %(action_f2b_enrich)s\n")
    machine.install("--uninstall")
    names = server.actions().splitlines()[1].split(", ")
    assert sorted(names) == ["f2b-enrich-own", "no-firewall"]
    assert set(OLD) <= server.banned()
    machine.run("fail2ban-client", "-t")
