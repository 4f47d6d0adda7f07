"""A log's times: hours shown twice, hours skipped, years that nobody wrote down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.log_times import (
    Clock,
    ClockPlace,
    Yearless,
    Years,
    YearsPlace,
    year_of_last,
)

BERLIN = ZoneInfo("Europe/Berlin")
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)
"""When 3:00 became 2:00 in Berlin."""
FORTH = datetime(2026, 3, 29, 1, tzinfo=UTC)
"""When 2:00 became 3:00."""
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


def clock() -> Clock:
    return Clock(BERLIN, place=ClockPlace())


def wall(at: datetime) -> datetime:
    return at.astimezone(BERLIN).replace(tzinfo=None)


def october(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 10, 25, hour, minute, second)  # noqa: DTZ001 - a wall clock's


@given(
    st.sampled_from([BACK, FORTH]),
    st.lists(
        st.floats(0, 59 * 60).map(lambda seconds: timedelta(seconds=seconds)),
        max_size=30,
    ),
)
def test_times_less_than_an_hour_apart_are_told_exactly(
    change: datetime, steps: list[timedelta]
) -> None:
    read, at = clock(), change - timedelta(hours=2)
    read.utc(wall(at), is_counted=True)

    for step in steps:
        at += step

        assert read.utc(wall(at), is_counted=True) == at


def test_a_jump_back_says_which_hour_those_before_it_were() -> None:
    read = clock()
    read.utc(october(2, 50), is_counted=True)

    assert read.place.in_doubt == 1

    assert read.utc(october(2, 10), is_counted=True) == BACK + timedelta(minutes=10)
    assert read.place == ClockPlace(last_at=BACK + timedelta(minutes=10))


def test_an_hour_that_nothing_tells_is_the_first_and_counted() -> None:
    read = clock()

    assert read.utc(october(2, 50), is_counted=True) == BACK - timedelta(minutes=10)
    assert read.showed_twice

    read.utc(october(4, 0), is_counted=True)

    assert (read.place.ambiguous, read.place.in_doubt) == (1, 0)


def test_times_that_are_not_counted_are_told_all_the_same() -> None:
    read = clock()

    assert read.utc(october(2, 50), is_counted=False) == BACK - timedelta(minutes=10)
    assert read.place.in_doubt == 0


def test_threads_that_write_in_another_order_put_no_clock_back() -> None:
    read = clock()
    read.utc(october(2, 30, 8), is_counted=True)

    assert read.utc(october(2, 30, 0), is_counted=True) == BACK - timedelta(minutes=30)


def test_what_was_read_of_a_later_year_tells_nothing() -> None:
    read = clock()
    read.utc(october(2, 30).replace(year=2027), is_counted=True)

    assert read.utc(october(2, 30), is_counted=True) == BACK - timedelta(minutes=30)


def test_an_hour_that_was_skipped_is_counted() -> None:
    read = clock()

    at = read.utc(wall(FORTH) - timedelta(minutes=30), is_counted=True)

    assert at == FORTH + timedelta(minutes=30)
    assert read.place.missing == 1
    assert not read.showed_twice


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("hours", [0, 1, 30])
def test_the_ends_of_the_calendar_are_times_or_none(zone: str, hours: int) -> None:
    read = Clock(ZoneInfo(zone), place=ClockPlace())
    off = timedelta(hours=hours)

    for end in (FIRST + off, LAST - off):
        local = end.replace(tzinfo=None)
        at = read.utc(local, is_counted=True)
        day = read.day(end)

        assert at is None or abs(at - end) < timedelta(days=1)
        assert at is not None or hours < 24
        assert read.instant(local) == at
        assert day is None or abs(day - end.date()) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("hour", "offset"),
    [
        (b"2026-10-25 01", timedelta(hours=2)),
        (b"2026-10-25 02", None),
        (b"2026-10-25 03", timedelta(hours=1)),
        (b"2026-03-29 02", None),
        (b"2026-02-30 02", None),
        (b"2026-02-20 24", None),
    ],
)
def test_an_hour_has_one_offset_or_none(hour: bytes, offset: timedelta | None) -> None:
    read = clock()

    assert read.offset(hour) == offset
    assert read.offset(hour) == offset


def test_hours_without_end_take_no_memory_without_end() -> None:
    read = clock()
    noon = datetime(1800, 1, 1, 12)  # noqa: DTZ001 - a wall clock's

    for days in range(100_100):
        read.utc(noon + timedelta(days=days), is_counted=True)

    assert len(read._hours) <= 100_000


def stamp(month: int, day: int, hour: int = 12) -> Yearless:
    return Yearless(month=month, day=day, hour=hour, minute=0, second=0)


def test_years_turn_forward_and_a_late_line_turns_one_back() -> None:
    years = Years(YearsPlace())
    stamps = [
        (stamp(2, 29), 0),
        (stamp(12, 31, 23), 0),
        (stamp(1, 1, 0), 1),
        (stamp(12, 31, 23), 0),
        (stamp(1, 1, 1), 1),
        (stamp(1, 1, 0), 1),
        (stamp(9, 1), 1),
        (stamp(3, 1), 2),
    ]

    assert [years.turns(one) for one, _ in stamps] == [turns for _, turns in stamps]
    assert years.place == YearsPlace(turns=2, seconds=stamp(3, 1).seconds)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(1990, 2030))
def test_logs_without_long_gaps_get_their_years_back(
    gaps: list[int], year: int
) -> None:
    at = datetime(year, 5, 1, 12)  # noqa: DTZ001 - a wall clock's
    written = [at := at + timedelta(days=gap) for gap in gaps]
    years = Years(YearsPlace())
    turns = [years.turns(stamp(one.month, one.day)) for one in written]

    last = year_of_last(
        stamp(written[-1].month, written[-1].day),
        by=written[-1].replace(tzinfo=BERLIN) + timedelta(hours=1),
    )
    first = last - turns[-1]

    assert [first + turn for turn in turns] == [one.year for one in written]


@pytest.mark.parametrize(
    ("last", "by", "year"),
    [
        (stamp(12, 31), datetime(2026, 1, 5, tzinfo=UTC), 2025),
        (stamp(1, 5), datetime(2026, 1, 5, tzinfo=UTC), 2026),
        (stamp(1, 7), datetime(2026, 1, 5, tzinfo=UTC), 2025),
        (stamp(2, 29), datetime(2026, 3, 5, tzinfo=UTC), 2024),
        (stamp(2, 29), datetime(1903, 3, 5, tzinfo=UTC), 1896),
        (stamp(2, 31), datetime(2026, 3, 5, tzinfo=UTC), 2026),
        (stamp(1, 1), LAST, 9999),
    ],
)
def test_the_last_line_was_written_before_the_file_was(
    last: Yearless, by: datetime, year: int
) -> None:
    assert year_of_last(last, by=by) == year


def test_a_year_may_lack_the_day() -> None:
    assert stamp(2, 29).of_year(2025) is None
    assert stamp(2, 29).of_year(2024) == datetime(2024, 2, 29, 12)  # noqa: DTZ001
    assert stamp(1, 1).of_year(10_000) is None
