"""Numbers, spans and times in a mail."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from f2b_enrich.mail.subject import subject
from f2b_enrich.mail.wording import moment, ordinal, span
from tests.alerts import T, an_alert


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"),
        (13, "13th"), (21, "21st"), (101, "101st"), (111, "111th"), (112, "112th"),
        (122, "122nd"),
    ],
)  # fmt: skip
def test_ordinals(number: int, expected: str) -> None:
    assert ordinal(number) == expected
    assert subject(an_alert(nth=number)).endswith(f", {expected} ban")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (600, "10 minutes"),
        (90_061, "1 day 1 hour"),
        (604_800, "7 days"),
    ],
)
def test_spans(seconds: int, expected: str) -> None:
    assert span(seconds) == expected


def test_moments_name_their_zone() -> None:
    no_letters = timezone(timedelta(hours=3), "+03")
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert moment(T, UTC) == "Sat 2026-11-21 19:14:03 UTC"
    assert moment(T, no_letters) == "Sat 2026-11-21 22:14:03 UTC+03"
    assert moment(last, no_letters) == "Fri 9999-12-31 23:59:59 UTC"


def test_each_time_has_the_summer_time_of_its_own_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        summer = moment(datetime(2026, 10, 20, 12, tzinfo=UTC), None)
        winter = moment(datetime(2026, 11, 19, 12, tzinfo=UTC), None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert summer == "Tue 2026-10-20 14:00:00 CEST"
    assert winter == "Thu 2026-11-19 13:00:00 CET"
