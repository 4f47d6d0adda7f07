"""Times as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.cli import times
from f2b_enrich.model import start_of_day
from f2b_enrich.spans import span

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 20, 14, 3, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", "2026-11-21T08:14:03Z"),
        ("30d", "2026-10-22T20:14:03Z"),
        ("4w", "2026-10-24T20:14:03Z"),
        ("0d", "2026-11-21T20:14:03Z"),
        (" 1d ", "2026-11-20T20:14:03Z"),
        ("2026-11-20", "2026-11-19T23:00:00Z"),
        ("2026-07-20", "2026-07-19T22:00:00Z"),  # summer time
        ("2026-11-20T08:00", "2026-11-20T07:00:00Z"),
        ("2026-11-20 08:00:30", "2026-11-20T07:00:30Z"),
        ("2026-11-20T08:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00-05:00", "2026-11-20T13:00:00Z"),
    ],
)
def test_dates_times_and_spans_are_read(text: str, expected: str) -> None:
    assert times.parse(text, now=NOW, zone=BERLIN) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "30", "d", "-3d", "3m", "1.5h", "2026-13-01", "999999w", "٣d"],
)
def test_what_is_no_time_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(ValueError, match="write 2026-11-20"):
        times.parse(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59-09:00"])
def test_times_outside_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        times.parse(text, now=NOW, zone=ZoneInfo("Asia/Tokyo"))


@given(st.text())
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert times.parse(text, now=NOW).tzinfo is not None
    except ValueError as exc:
        assert "is no time" in str(exc)  # noqa: PT017 - either outcome is right


def test_without_a_zone_the_machines_is_used() -> None:
    local = datetime(2026, 11, 20).astimezone()

    assert times.parse("2026-11-20", now=NOW) == local


def test_a_day_begins_at_its_own_midnight() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    start = start_of_day(late, BERLIN)

    assert start == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def test_the_day_of_a_clock_change_begins_in_the_zone_before_it() -> None:
    afternoon = datetime(2026, 10, 25, 14, 0, tzinfo=UTC)

    start = start_of_day(afternoon, BERLIN)

    assert start == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)


def test_the_machines_day_begins_at_the_machines_midnight() -> None:
    start = start_of_day(NOW).astimezone()

    assert (start.hour, start.minute, start.second) == (0, 0, 0)
    assert timedelta(0) <= NOW - start <= timedelta(hours=25)


def test_times_are_written_on_the_readers_clock() -> None:
    assert times.stamp(NOW, BERLIN) == "2026-11-21 21:14"
    assert times.stamp(NOW, BERLIN, seconds=True) == "2026-11-21 21:14:03"
    assert times.moment(NOW, BERLIN) == "2026-11-21 21:14:03 CET"
    assert times.day(datetime(2026, 11, 21, 23, 30, tzinfo=UTC), BERLIN) == "2026-11-22"


def test_a_time_of_the_same_day_needs_no_date() -> None:
    assert times.shortly_after(NOW, NOW - timedelta(hours=1), BERLIN) == "21:14:03"
    assert (
        times.shortly_after(NOW, NOW - timedelta(days=1), BERLIN) == "2026-11-21 21:14"
    )


def test_zones_are_named_once_each() -> None:
    summer = datetime(2026, 7, 1, tzinfo=UTC)

    assert times.zone_names([NOW, NOW], BERLIN) == "CET"
    assert times.zone_names([NOW, summer], BERLIN) == "CEST/CET"
    assert times.zone_names([NOW], ZoneInfo("America/Sao_Paulo")) == "UTC-03"
    assert times.zone_names([], BERLIN) == ""


def test_the_last_second_of_the_calendar_can_be_written_anywhere() -> None:
    assert times.moment(LAST, ZoneInfo("Asia/Tokyo")) == "9999-12-31 23:59:59 UTC"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (-1, "for ever"),
        (0, "0 s"),
        (59, "59 s"),
        (600, "10 min"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (10**9, "11,574 d 1 h"),
    ],
)
def test_spans_have_two_units_at_most(seconds: int | None, expected: str) -> None:
    assert span(seconds) == expected


def test_what_was_is_told_in_one_unit() -> None:
    assert times.ago(NOW - timedelta(minutes=125), NOW) == "2 h ago"
    assert times.ago(NOW, NOW) == "0 s ago"
    assert times.ago(NOW + timedelta(hours=1), NOW) == "1 h in the future"
