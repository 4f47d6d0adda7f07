"""When the month's report is made, by the clocks of the machine and of the report."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli.report_period import Asked, chosen

PACKAGING = Path(__file__).parents[2] / "packaging"
TIMER = PACKAGING / "systemd" / "f2b-enrich-report.timer"
WHEN = re.compile(r"^OnCalendar=\*-\*-([0-9,]+) ([0-9]+):([0-9]+):00$", re.MULTILINE)
ZONES = (
    *("Etc/GMT+12", "America/Los_Angeles", "America/New_York", "UTC"),
    *("Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati"),
)


@pytest.mark.parametrize("machine", ZONES)
@pytest.mark.parametrize("report", ZONES)
def test_last_month_is_over_when_it_is_mailed(machine: str, report: str) -> None:
    found = WHEN.search(TIMER.read_text("utf-8"))
    assert found is not None
    hour, minute = int(found[2]), int(found[3])
    labels = [
        chosen(
            Asked(),
            now=datetime(2024, 11, int(day), hour, minute, tzinfo=ZoneInfo(machine)),
            zone=ZoneInfo(report),
        ).label
        for day in found[1].split(",")
    ]

    assert labels[-1] == "October 2024"
    if machine == report:
        assert labels[0] == "October 2024"
