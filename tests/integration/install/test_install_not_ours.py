"""install.sh beside things of others: they stay as they are, and it says so."""

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


def test_what_is_in_a_place_of_ours_stays_there(machine: Machine) -> None:
    for path, made, reason in (
        ("/var/lib/f2b-enrich/geo", "mkdir -p /srv/geo; ln -s /srv/geo", "is a link"),
        ("/etc/f2b-enrich", "touch", "is no folder"),
        ("/opt/f2b-enrich.old", "mkdir -p", "not from here"),
        ("/opt/f2b-enrich.new", "ln -s /srv", "not from here"),
    ):
        machine.run("mkdir", "-p", path.rpartition("/")[0])
        machine.run("sh", "-c", f"{made} {path}")
        before = machine.differences(times=True)

        told = machine.install(*INSTALL, code=1)

        assert f"{path} {reason}" in told or f"{path} is there and {reason}" in told
        assert machine.differences(times=True) == before
        machine.run("rm", "-r", path)


def test_a_file_of_somebody_elses_is_not_overwritten(
    machine: Machine, server: Server
) -> None:
    machine.write("/usr/local/bin/f2b-enrich", "#!/bin/sh\n", mode=0o755)
    before = machine.differences()

    told = machine.install(*INSTALL, code=1)

    assert "/usr/local/bin/f2b-enrich is there and not from here" in told
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_what_was_set_aside_comes_back_when_a_step_fails(
    machine: Machine, server: Server
) -> None:
    action = "/etc/fail2ban/action.d/f2b-enrich.conf"
    machine.install(*INSTALL)
    machine.write(action, machine.path(action).read_text() + "# mine\n")
    machine.write(f"{action}.new", "my own notes\n")
    before = machine.differences()
    machine.write("/mnt/src/action.d/f2b-enrich.conf", "[Definition]\nactionban = %x\n")

    machine.install(*INSTALL, code=1)

    assert machine.path(f"{action}.new").read_text() == "my own notes\n"
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_what_is_gone_already_hinders_no_removal(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    server.machine.run("fail2ban-client", "stop")
    machine.run("mv", "/usr/bin/fail2ban-client", "/mnt/fail2ban-client")
    machine.run("rm", "-r", "/var/lib/f2b-enrich", "/var/spool/f2b-enrich")

    machine.install("--uninstall")

    assert not machine.path("/opt/f2b-enrich").exists()
    assert not machine.path("/etc/fail2ban/jail.d/f2b-enrich.conf").exists()
    assert "f2b-enrich" not in machine.path("/etc/passwd").read_text()


def test_an_account_and_folders_that_were_there_stay_as_they_were(
    machine: Machine, server: Server
) -> None:
    machine.run("useradd", "--system", "f2b-enrich")
    machine.write("/var/lib/f2b-enrich/own", "stands for a store")
    machine.run("chown", "-R", "f2b-enrich:f2b-enrich", "/var/lib/f2b-enrich")
    machine.write("/var/spool/f2b-enrich/own", "stands for a ban")
    machine.write("/mnt/src/action.d/f2b-enrich.conf", "[Definition]\nactionban = %x\n")
    before = machine.differences()

    assert "taking back" in machine.install(*INSTALL, code=1)

    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_root_sets_no_rights_in_a_folder_of_the_daemons(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    machine.run("chmod", "700", "/var/lib/f2b-enrich/geo")

    assert "Nothing to change" in machine.install(*INSTALL)

    assert machine.path("/var/lib/f2b-enrich/geo").stat().st_mode & 0o777 == 0o700
    # Nor does it follow a link that was put there after it had looked.
    machine.run("ln", "-s", "/etc", "/run/f2b-enrich/link")
    rights = ("/mnt/src/packaging/lib/rights.py", "/run/f2b-enrich/link", "777")
    assert "rights of" in machine.run("/usr/bin/python3", *rights, code=1)
    assert machine.path("/etc").stat().st_mode & 0o777 == 0o755

    spool = "/run/f2b-enrich/spool"
    machine.write(f"{spool}/1-2-3.ban", "stands for a ban")
    machine.run("ln", "-s", "/etc/shadow", f"{spool}/4-5-6.ban")
    machine.install("--uninstall")
    assert machine.path("/var/spool/f2b-enrich/1-2-3.ban").exists()
    assert not machine.path("/var/spool/f2b-enrich/4-5-6.ban").is_symlink()
    assert not machine.path("/var/spool/f2b-enrich/4-5-6.ban").exists()
    assert set(OLD) <= server.banned()
