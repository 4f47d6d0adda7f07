"""The commands of a digest name its time as the reader's clock shows it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli import times
from f2b_enrich.figures import Period
from f2b_enrich.mail import period_wording
from f2b_enrich.mail.digest_sample import empty
from tests.digest_mail import body, sent

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("since", "until", "short", "long"),
    [
        (
            datetime(2026, 10, 25, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 1, tzinfo=UTC),  # the hour that comes twice
            "Sun 25 Oct 02:00 CEST-02:00 CET",
            "Sun 2026-10-25, 02:00 CEST-02:00 CET",
        ),
        (
            datetime(2026, 10, 20, 6, tzinfo=UTC),
            datetime(2026, 10, 27, 6, tzinfo=UTC),
            "20 Oct 08:00 to 27 Oct 07:00",
            "Tue 2026-10-20 08:00 CEST to Tue 2026-10-27 07:00 CET",
        ),
    ],
)
def test_each_end_has_its_zone_where_the_clocks_were_changed(
    since: datetime, until: datetime, short: str, long: str
) -> None:
    period = Period(kind="hourly", since=since, until=until)

    assert period_wording.short(period, BERLIN) == short
    assert period_wording.long(period, BERLIN) == long


@pytest.mark.parametrize("tz", ["Europe/Berlin", "Atlantic/Azores", "UTC"])
@pytest.mark.parametrize("is_machine", [True, False])
def test_the_command_names_each_hour_that_comes_twice_apart(
    monkeypatch: pytest.MonkeyPatch, tz: str, *, is_machine: bool
) -> None:
    monkeypatch.setenv("TZ", tz)
    time.tzset()
    zone = None if is_machine else ZoneInfo(tz)
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    try:
        for hour in range(6):
            when = first + timedelta(hours=hour)
            text = period_wording.option(when, zone)
            assert times.parse(text, now=when, zone=zone) == when
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_command_of_the_hour_that_comes_twice_names_both_ends() -> None:
    since = datetime(2026, 10, 25, 0, tzinfo=UTC)
    period = Period(kind="hourly", since=since, until=since + timedelta(hours=1))

    assert (
        "--since 2026-10-25T02:00:00+02:00 --until 2026-10-25T02:00:00+01:00"
        in body(sent(replace(empty(), period=period, timezone=BERLIN)), "plain")
    )
    assert period_wording.option(datetime.max.replace(tzinfo=UTC), BERLIN)
