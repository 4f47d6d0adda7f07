"""The month's report made under a real systemd, in the confinement of its unit."""

from __future__ import annotations

import ast
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.confined import SERVICE, STORE, configure, rows, serving
from tests.report_events import ReportStore, daily
from tests.report_mails import pictures_of, read
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNIT = "f2b-enrich-report.service"
TIMER = "f2b-enrich-report.timer"
A_MONTH_AGO = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=1)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        configure(machine)
        machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
        yield machine


def fill(machine: Machine, store: ReportStore) -> None:
    """Put a store in the place of the daemon's, while that is away."""
    machine.run("systemctl", "stop", "f2b-enrich.socket", SERVICE)
    words = ("install", "-o", "f2b-enrich", "-g", "f2b-enrich", "-m", "640")
    command = machine.words(*words, "/dev/stdin", STORE)
    with store.path.open("rb") as file:
        subprocess.run(command, stdin=file, check=True)
    machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)


def test_a_report_is_made_and_drawn_beside_the_daemon(
    machine: Machine, tmp_path: Path
) -> None:
    midnight = A_MONTH_AGO.replace(hour=0, minute=0, second=0, microsecond=0)
    store = ReportStore(tmp_path / "bans.db")
    # So many that two processes count them.
    store.add(daily(midnight, 27, bans=1900))
    fill(machine, store)

    with serving(machine) as mails:
        machine.run("systemctl", "start", UNIT, check=False)
        assert machine.show(UNIT, "Result") == "success", machine.journal(UNIT)
        raw = ast.literal_eval(mails.next())

    message = read(raw)
    assert f"{midnight:%B %Y}: 51,300 bans of " in str(message["Subject"])
    assert "days.png" in {part.get_filename() for part in pictures_of(message)}
    assert rows(machine, "SELECT kind, state FROM outbox") == [
        {"kind": "report", "state": "sent"}
    ]


def test_started_again_it_mails_nothing(machine: Machine) -> None:
    machine.run("systemctl", "start", UNIT)

    assert machine.show(UNIT, "Result") == "success"
    assert "mail 1 was sent" in machine.journal(UNIT)
    assert len(rows(machine, "SELECT id FROM outbox")) == 1


def test_the_timer_can_be_enabled(machine: Machine) -> None:
    machine.run("systemctl", "enable", "--now", TIMER)
    assert machine.show(TIMER, "ActiveState") == "active"
    machine.run("systemctl", "disable", "--now", TIMER)
