from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.cli.report_period import Asked, Period, chosen

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 20, 14, 3, 123, tzinfo=UTC)


def period(asked: Asked, *, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> Period:
    return chosen(asked, now=now, zone=zone)


def test_without_a_time_it_is_the_last_whole_month() -> None:
    assert period(Asked()) == Period(
        label="October 2026",
        since=datetime(2026, 9, 30, 22, tzinfo=UTC),
        until=datetime(2026, 10, 31, 23, tzinfo=UTC),
        before_since=datetime(2026, 8, 31, 22, tzinfo=UTC),
        before_label="September 2026",
    )


def test_in_january_the_last_whole_month_is_of_the_year_before() -> None:
    found = period(Asked(), now=datetime(2027, 1, 5, tzinfo=UTC))

    assert (found.label, found.before_label) == ("December 2026", "November 2026")


def test_the_month_is_that_of_the_zone() -> None:
    at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # November in Berlin

    assert period(Asked(), now=at).label == "October 2026"
    assert period(Asked(), now=at, zone=ZoneInfo("UTC")).label == "September 2026"


def test_a_month_that_goes_on_is_compared_with_the_same_length() -> None:
    found = period(Asked(month="2026-11"))

    assert found.label == "November 2026 up to 22 Nov 2026"
    assert found.until == NOW.replace(microsecond=0)
    assert found.since - found.before_since == found.until - found.since


@pytest.mark.parametrize(
    ("asked", "label", "before"),
    [
        (Asked(month="2024-10"), "October 2024", "September 2024"),
        (Asked(month="2024-01"), "January 2024", "December 2023"),
        (Asked(last="7d"), "the 7 days to 21 Nov 2026", "the 7 days before"),
        (Asked(last="4w"), "the 4 weeks to 21 Nov 2026", "the 4 weeks before"),
        (Asked(last="1w"), "the week to 21 Nov 2026", "the week before"),
        (Asked(last="1d"), "21 Nov 2026", "20 Nov 2026"),
        (Asked(last="24h"), "the 24 hours to 22 Nov 2026 21:14", "the 24 hours before"),
        (
            Asked(since="2024-10-01", until="2024-10-16"),
            "2024-10-01 to 2024-10-15",
            "2024-09-16 to 2024-09-30",
        ),
        (Asked(since="2024-10-01", until="2024-10-02"), "2024-10-01", "2024-09-30"),
        (
            Asked(since="2024-10-01T08:00", until="2024-10-01T20:00"),
            "2024-10-01 08:00 to 2024-10-01 20:00",
            "the same length before",
        ),
        (
            Asked(since="12h"),
            "2026-11-22 09:14 to 2026-11-22 21:14",
            "the same length before",
        ),
    ],
)
def test_times_are_called_as_people_say_them(
    asked: Asked, label: str, before: str
) -> None:
    found = period(asked)

    assert (found.label, found.before_label) == (label, before)


def test_whole_days_are_counted_on_the_calendar_across_a_clock_change() -> None:
    found = period(Asked(since="2026-10-20", until="2026-10-27"))

    assert found.until - found.since == timedelta(days=7, hours=1)
    assert found.since - found.before_since == timedelta(days=7)


def test_hours_are_hours_across_a_clock_change() -> None:
    found = period(Asked(last="24h"), now=datetime(2026, 10, 25, 12, tzinfo=UTC))

    assert found.until - found.since == timedelta(hours=24)


def test_an_hour_that_clocks_show_twice_has_an_order() -> None:
    first, second = "2026-10-25T02:30+02:00", "2026-10-25T02:10+01:00"

    found = period(Asked(since=first, until=second))

    assert found.until - found.since == timedelta(minutes=40)
    with pytest.raises(ValueError, match="not before"):
        period(Asked(since=second, until=first))


def test_what_is_to_come_within_that_hour_is_left_out() -> None:
    now = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # the first 02:50

    found = period(Asked(since="1h", until="2026-10-25T02:10+01:00"), now=now)

    assert found.until == now


def test_a_midnight_that_comes_twice_begins_the_day_once() -> None:
    havana = ZoneInfo("America/Havana")
    again = Asked(since="2026-11-01T00:00-05:00", until="2026-11-02")

    found = period(again, zone=havana)

    assert found.before_label == "the same length before"


def test_what_is_still_to_come_is_left_out() -> None:
    found = period(Asked(since="2026-11-01", until="2027-01-01"))

    assert found.until == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked(month="2024-10", last="7d"), "name one time"),
        (Asked(month="2024-10", since="7d"), "name one time"),
        (Asked(last="7d", until="2024-10-01"), "name one time"),
        (Asked(until="2024-10-01"), "--until needs --since"),
        (Asked(month="October"), "'October' is no month"),
        (Asked(month="2024-13"), "'2024-13' is no month"),
        (Asked(month="0001-01"), "'0001-01' is no month"),
        (Asked(month="9999-12"), "'9999-12' is no month"),
        (Asked(month="2027-01"), "January 2027 has not begun yet"),
        (Asked(last="7"), "'7' is no length of time"),
        (Asked(last="0d"), "'0d' is no length of time"),
        (Asked(last="30000d"), "too early"),
        (Asked(since="yesterday"), "'yesterday' is no time"),
        (Asked(since="1969-12-31"), "too early"),
        (Asked(since="2027-01-01"), "still to come"),
        (Asked(since="2027-01-01", until="2027-02-01"), "still to come"),
        (Asked(since="2024-10-02", until="2024-10-01"), "not before"),
    ],
)
def test_a_time_that_cannot_be_is_refused(asked: Asked, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        period(asked)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(since="0001-01-01T01:00+01:00"),
        Asked(since="1d", until="9999-12-31T23:00-11:00"),
    ],
)
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_a_time_at_the_end_of_the_calendar_is_refused(asked: Asked, zone: str) -> None:
    with pytest.raises(ValueError, match=r"no time|too early"):
        period(asked, zone=ZoneInfo(zone))


@given(
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(
        ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Cairo"]
    ),
    last=st.one_of(
        st.none(),
        st.builds("{}{}".format, st.integers(1, 400), st.sampled_from("hdw")),
    ),
)
def test_the_time_before_ends_where_the_time_begins(
    now: datetime, zone: str, last: str | None
) -> None:
    at = now.replace(tzinfo=UTC)
    found = chosen(Asked(last=last), now=at, zone=ZoneInfo(zone))

    assert found.before_since < found.since < found.until <= at
    before, there = found.since - found.before_since, found.until - found.since
    assert last is None or abs(before - there) <= timedelta(hours=2)
