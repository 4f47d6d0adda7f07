"""The nightly purge under a real systemd, in its confinement, beside the daemon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.confined import SERVICE, STORE, ban, configure, eventually, rows
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "f2b-enrich-retention.service"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        configure(machine)
        yield machine


def test_old_lines_go_beside_the_daemon(machine: Machine) -> None:
    machine.run("systemctl", "start", UNIT)
    assert machine.show(UNIT, "ConditionResult") == "no"

    machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    now = int(time.time())
    ban(machine, "192.0.2.7", now - 181 * 86_400)
    ban(machine, "192.0.2.8", now)
    classed = "SELECT 1 FROM bans WHERE attack IS NULL"
    assert eventually(lambda: not rows(machine, classed)), machine.journal(SERVICE)
    machine.run("systemctl", "start", UNIT, check=False)

    assert machine.show(UNIT, "Result") == "success", machine.journal(UNIT)
    assert "removed 1 log line" in machine.journal(UNIT)
    with_lines = "SELECT DISTINCT ip FROM bans JOIN log_lines ON ban_id = bans.id"
    assert rows(machine, with_lines) == [{"ip": "192.0.2.8"}]
    owners = machine.run("sh", "-c", f"stat -c %U {STORE}*").split()
    assert set(owners) == {"f2b-enrich"}


def test_the_timer_can_be_enabled(machine: Machine) -> None:
    timer = UNIT.replace(".service", ".timer")
    machine.run("systemctl", "start", timer)
    assert machine.show(timer, "ActiveState") == "active"
    machine.run("systemctl", "stop", timer)
