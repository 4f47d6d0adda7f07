"""The hourly comparison with fail2ban under a real systemd, in its confinement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.confined import SERVICE, SPOOL, ban, configure, rows
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "f2b-enrich-reconcile.service"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        configure(machine)
        yield machine


def test_it_waits_for_the_spool_which_it_cannot_change(machine: Machine) -> None:
    machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    ban(machine, "192.0.2.7")
    assert rows(machine, "SELECT ip FROM bans") == [{"ip": "192.0.2.7"}]
    machine.run("systemctl", "stop", "f2b-enrich.socket", SERVICE)
    machine.run("sh", "-c", f"umask 027; echo >{SPOOL}/1-2-3.ban")
    machine.run("sh", "-c", "mkdir -p /run/fail2ban; : >/run/fail2ban/fail2ban.sock")
    drop_in = f"[Service]\nExecStartPost=sh -c '! rm {SPOOL}/1-2-3.ban'\n"
    machine.write(f"/etc/systemd/system/{UNIT}.d/try.conf", drop_in)
    machine.run("systemctl", "daemon-reload")

    machine.run("systemctl", "start", UNIT, check=False)

    told = machine.journal(UNIT)
    assert machine.show(UNIT, "Result") == "success", told
    assert "nothing compared: 1 report in the spool waits for the daemon" in told
    assert "Read-only file system" in told
