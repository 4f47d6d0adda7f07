"""install.sh and systemd's units: started once, stopped in the end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import INSTALL
from tests.distros.server import OLD, Server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.distros.machine import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]


_SYSTEMCTL = """\
#!/bin/sh
# Stands for systemd, which does not run in there: notes what it is told.
echo "$*" >>/mnt/systemd/told
for unit; do :; done
case $* in
*is-enabled* | *is-active*) [ -e "/mnt/systemd/$unit" ] ;;
*enable*f2b-enrich.service) [ ! -e /mnt/systemd/bad ] && touch "/mnt/systemd/$unit" ;;
*enable*) touch "/mnt/systemd/$unit" ;;
*disable*) rm -f "/mnt/systemd/$unit" ;;
esac
"""
WITH_SYSTEMD = tuple(option for option in INSTALL if option != "--no-systemd")


@pytest.fixture
def systemd(machine: Machine) -> Path:
    machine.run("mkdir", "-p", "/run/systemd/system", "/mnt/systemd")
    machine.write("/usr/local/sbin/systemctl", _SYSTEMCTL, mode=0o755)
    return machine.path("/mnt/systemd")


def test_units_are_started_once_and_stopped_in_the_end(
    machine: Machine, server: Server, systemd: Path
) -> None:
    before = machine.differences()

    machine.install(*WITH_SYSTEMD)

    assert (systemd / "f2b-enrich.socket").exists()
    assert (systemd / "f2b-enrich.service").exists()
    unit = machine.path("/etc/systemd/system/f2b-enrich.service")
    assert unit.exists()
    assert machine.path("/etc/tmpfiles.d/f2b-enrich.conf").exists()
    (systemd / "told").unlink()
    machine.install(*WITH_SYSTEMD)
    asked = (systemd / "told").read_text().splitlines()
    assert all(line.startswith("-q is-") for line in asked), asked
    machine.install("--purge")
    assert not (systemd / "f2b-enrich.service").exists()
    assert not unit.exists()
    after = {k: v for k, v in machine.differences().items() if "/opt" not in k}
    assert after == before
    assert set(OLD) <= server.banned()


def test_a_service_that_does_not_start_undoes_all(
    machine: Machine, server: Server, systemd: Path
) -> None:
    before = machine.differences()
    (systemd / "bad").touch()

    machine.install(*WITH_SYSTEMD, code=1)

    assert machine.differences() == before
    assert not (systemd / "f2b-enrich.socket").exists()
    assert "f2b-enrich" not in server.actions()
    assert set(OLD) <= server.banned()
