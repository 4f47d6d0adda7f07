"""When digests are due on the clock, and what time each is about."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.alerts.schedule import Schedule, Slot

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ALL = Schedule(daily=time(7), hourly=True, weekly=(0, time(7)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def one(schedule: Schedule, now: str, zone: ZoneInfo = BERLIN) -> Slot:
    (slot,) = schedule.latest(at(now), zone)
    return slot


@pytest.mark.parametrize(
    ("now", "due", "since", "until"),
    [
        (
            *("2026-11-21T07:00+01:00", "2026-11-21T07:00+01:00"),
            *("2026-11-20T00:00+01:00", "2026-11-21T00:00+01:00"),
        ),
        (
            *("2026-11-21T06:59+01:00", "2026-11-20T07:00+01:00"),
            *("2026-11-19T00:00+01:00", "2026-11-20T00:00+01:00"),
        ),
        # The days of 23 and of 25 hours.
        (
            *("2026-03-30T07:00+02:00", "2026-03-30T07:00+02:00"),
            *("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ),
        (
            *("2026-10-26T07:00+01:00", "2026-10-26T07:00+01:00"),
            *("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        ),
    ],
)
def test_the_daily_one_is_about_the_day_before(
    now: str, due: str, since: str, until: str
) -> None:
    slot = one(Schedule(daily=time(7)), now)
    assert slot.at == at(due)
    assert (slot.period.kind, slot.period.before is not None) == ("daily", True)
    assert (slot.period.since, slot.period.until) == (at(since), at(until))


@pytest.mark.parametrize(
    ("now", "due", "since"),
    [
        ("2026-11-23T07:00+01:00", "2026-11-23", "2026-11-16"),
        ("2026-11-23T06:59+01:00", "2026-11-16", "2026-11-09"),
        ("2026-11-22T12:00+01:00", "2026-11-16", "2026-11-09"),
        ("2026-11-29T12:00+01:00", "2026-11-23", "2026-11-16"),
    ],
)
def test_the_weekly_one_is_about_the_seven_days_before(
    now: str, due: str, since: str
) -> None:
    slot = one(Schedule(weekly=(0, time(7))), now)
    assert slot.at == at(f"{due}T07:00+01:00")
    assert slot.period.since == at(f"{since}T00:00+01:00")
    assert slot.period.until == at(f"{due}T00:00+01:00")
    assert slot.period.kind == "weekly"


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-11-21T14:59:59+00:00", BERLIN, "2026-11-21T14:00+00:00"),
        ("2026-11-21T14:00:00+00:00", BERLIN, "2026-11-21T14:00+00:00"),
        # A zone whose full hour is a quarter past that of others.
        ("2026-11-21T14:00:00+00:00", KATHMANDU, "2026-11-21T13:15+00:00"),
        # The hour that comes twice.
        ("2026-10-25T00:30:00+00:00", BERLIN, "2026-10-25T00:00+00:00"),
        ("2026-10-25T01:30:00+00:00", BERLIN, "2026-10-25T01:00+00:00"),
    ],
)
def test_the_hourly_one_is_about_the_hour_before(
    now: str, zone: ZoneInfo, until: str
) -> None:
    slot = one(Schedule(hourly=True), now, zone)
    assert (slot.at, slot.period.until) == (at(until), at(until))
    assert slot.period.since == at(until) - timedelta(hours=1)


def test_a_time_that_the_clock_leaves_out_comes_an_hour_later() -> None:
    schedule = Schedule(daily=time(2, 30))
    slot = one(schedule, "2026-03-29T12:00+02:00")
    assert slot.at == at("2026-03-29T03:30+02:00")


def test_without_any_there_is_none() -> None:
    now = at("2026-11-21T14:00+00:00")
    assert Schedule().is_empty
    assert list(Schedule().latest(now, UTC)) == []
    assert Schedule().following(now, UTC) is None
    assert not ALL.is_empty


def test_the_daily_one_comes_first() -> None:
    slots = ALL.latest(at("2026-11-23T07:00+01:00"), BERLIN)
    assert [slot.period.kind for slot in slots] == ["daily", "weekly", "hourly"]


@given(
    st.integers(1_577_836_800, 2_051_222_400),
    st.sampled_from(
        [UTC, BERLIN, KATHMANDU, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Asia/Tehran")]
    ),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.integers(0, 6),
)
def test_the_next_one_is_the_last_one_once_its_time_has_come(
    seconds: int, zone: ZoneInfo, clock: time, weekday: int
) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    kinds = (
        Schedule(daily=clock),
        Schedule(weekly=(weekday, clock)),
        Schedule(hourly=True),
    )
    for schedule in kinds:
        (last,) = schedule.latest(now, zone)
        following = schedule.following(now, zone)
        assert following is not None
        assert last.at <= now < following
        (then,) = schedule.latest(following, zone)
        assert then.at == following
        assert last.period.since < last.period.until <= last.at
        assert last.period.before is not None
        assert last.period.before < last.period.since


def test_the_machines_zone_counts_without_one_of_its_own() -> None:
    (slot,) = Schedule(daily=time(7)).latest(at("2026-11-21T12:00+00:00"), None)
    assert slot.at.astimezone().time() == time(7)
    following = ALL.following(at("2026-11-21T12:00+00:00"), None)
    assert following is not None
    assert following.astimezone().minute == 0
