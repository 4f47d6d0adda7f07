"""The stamps of the first and the last line tell how long an attack took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.span import LONGEST, span

ACCESS = '192.0.2.7 - - [{}] "GET / HTTP/1.1" 404 17'


@pytest.mark.parametrize(
    ("first", "last", "seconds"),
    [
        ("2026-11-21T20:13:22 h", "2026-11-21T20:14:23 h", 61),
        ("2026-11-21 20:13:22 h", "2026-11-21 20:13:22 h", 0),
        ("2026-11-21T20:13:22.25Z h", "2026-11-21T20:13:23Z h", 0.75),
        ("2026-11-21 20:13:22,250 h", "2026-11-21 20:13:22,500 h", 0.25),
        ("2026-11-21T20:13:22.123456789 h", "2026-11-21T20:13:22.123457 h", 1e-6),
        ("2026-11-21T20:13:22+01:00 h", "2026-11-21T19:13:23+0000 h", 1),
        ("2026-11-21 20:13:22 -05:00 h", "2026-11-21 20:13:25 -0500 h", 3),
        ("[2026-11-21 20:13:22] NOTICE", "[2026-11-21 20:13:24] NOTICE", 2),
        ("<38>1 2026-11-21T20:13:22Z h", "<38>1 2026-11-21T20:13:32Z h", 10),
        ("192.0.2.7 2026-11-21 20:13:22 UTC", "192.0.2.7 2026-11-21 20:13:23 UTC", 1),
        ("2026/11/21 20:13:22 [error]", "2026/11/22 20:13:22 [error]", 86_400),
        ("Nov 21 20:13:22 host", "Nov 21 20:13:25 host", 3),
        ("Nov  1 20:13:22 host", "Nov 10 20:13:22 host", 9 * 86_400),
        ("[Nov 21 20:13:22] NOTICE[1]", "[Nov 21 20:13:25] NOTICE[1]", 3),
        ("[PDT Nov 21 20:13:22] error", "[PDT Nov 21 20:13:25] error", 3),
        ("<38>Nov 21 20:13:22 host", "<38>Nov 21 20:13:25 host", 3),
        (
            "[Sat Nov 21 20:13:22.5 2026] [e",
            "[Sat Nov 21 20:13:23 2026] [e",
            0.5,
        ),
        ("Sat Nov 21 20:13:22 2026 [pid 7]", "Sun Nov 22 20:13:22 2026", 86_400),
        ("1795292002.250  4 192.0.2.7", "1795292003.500  4 192.0.2.7", 1.25),
        (
            ACCESS.format("21/Nov/2026:20:13:22 +0100"),
            ACCESS.format("21/Nov/2026:20:13:22 -0000"),
            3600,
        ),
        (
            "x" * 190 + ACCESS.format("21/Nov/2026:20:13:22 +0100")[10:],
            "x" * 190 + ACCESS.format("21/Nov/2026:20:13:23 +0100")[10:],
            None,
        ),
    ],
)
def test_stamps_of_each_shape_are_read(
    first: str, last: str, seconds: float | None
) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert span([first, "whatever", last]) == expected


@pytest.mark.parametrize(
    ("first", "last", "seconds"),
    [
        ("Dec 31 23:59:59 h", "Jan  1 00:00:01 h", 2),
        ("Dec  2 00:00:00 h", "Jan  1 00:00:00 h", 30 * 86_400),
        ("Feb 28 23:59:59 h", "Mar  1 00:00:01 h", 2),
        ("Feb 29 23:59:59 h", "Mar  1 00:00:01 h", 2),
        ("Feb 28 23:59:59 h", "Feb 29 00:00:01 h", 2),
        ("Feb 29 00:00:00 h", "Feb 29 00:00:01 h", 1),
    ],
)
def test_syslog_leaves_the_year_out(first: str, last: str, seconds: float) -> None:
    assert span([first, last]) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Nov 21 20:13:22 host"],
        ["Nov 21 20:13:22 host", "no stamp"],
        ["no stamp", "Nov 21 20:13:22 host"],
        ["Nov 21 20:13:22 host", "2026-11-21T20:13:22 host"],
        ["2026-11-21T20:13:22 host", "2026-11-21T20:13:22Z host"],
        ["2026-11-21T20:13:22 host", "192.0.2.7 2026-11-21T20:13:22 host"],
        ["Nov 21 20:13:22 host", "Nov 21 20:13:21 host"],
        ["Feb 29 20:13:22 host", "Feb 29 20:13:21 host"],
        ["2026-11-21T20:13:22Z", "2026-11-21T20:13:21Z"],
        ["1795292002.250", "1795292002.125"],
        ["Nov 21 20:13:22 host", "Dec 22 20:13:23 host"],
        ["2026-01-01 00:00:00", "2026-02-01 00:00:01"],
        ["1795292002 x", "1795292003 x"],
    ],
)
def test_where_nothing_can_be_told_nothing_is(lines: list[str]) -> None:
    assert span(lines) is None


@pytest.mark.parametrize(
    "stamp",
    [
        "Nov 99 20:13:22",
        "Nov 21 99:13:22",
        "Nov 21 20:99:22",
        "Nov 21 20:13:60",
        "Feb 30 20:13:22",
        "0000-11-21 20:13:22",
        "2026-13-21 20:13:22",
        "2026-00-00 00:00:00",
        "2026-11-21T20:13:22+99:00",
        "2026-11-21T20:13:22-24:00",
        "2026/02/29 20:13:22",
        "[Sat Feb 29 20:13:22 2026]",
        "- [31/Feb/2026:20:13:22 +0100]",
        "\u0662\u0660\u0662\u0666-11-21 20:13:22",
        "2026-11-21T20:13:22\u00b2:00",
    ],
)
def test_times_that_do_not_exist_tell_nothing(stamp: str) -> None:
    assert span([stamp, stamp]) in (None, timedelta(0))
    if not stamp.endswith("\u00b2:00"):
        assert span([stamp, stamp]) is None


def test_the_longest_span_is_told() -> None:
    assert span(["2026-01-01 00:00:00", "2026-02-01 00:00:00"]) == LONGEST


def test_a_stamp_in_a_name_does_not_count_before_that_of_the_log() -> None:
    name = "2026-11-01T20:13:22Z"
    lines = [f"192.0.2.7 - {name} [21/Nov/2026:20:13:2{n} +0100]" for n in (2, 5)]

    assert span(lines) == timedelta(seconds=3)


NEAR_STAMPS = st.text("0123456789:-/.TZ+ []JanFebDec", max_size=40)


@given(lines=st.lists(st.one_of(st.text(), NEAR_STAMPS), max_size=4))
def test_any_text_is_read_without_error(lines: list[str]) -> None:
    told = span(lines)

    assert told is None or timedelta(0) <= told <= LONGEST


@given(
    digits=st.lists(st.integers(0, 99), min_size=16, max_size=16),
    shape=st.sampled_from(
        [
            "{:02}{:02}-{:02}-{:02}T{:02}:{:02}:{:02}+{:02}:{:02}",
            "{:02}{:02}/{:02}/{:02} {:02}:{:02}:{:02}",
            "Feb {} {:02}:{:02}:{:02}",
            "[{:02}/Dec/{:02}{:02}:{:02}:{:02}:{:02} -{:02}{:02}]",
            "[Sat Feb {} {:02}:{:02}:{:02} {:02}{:02}]",
        ]
    ),
)
def test_any_digits_are_read_without_error(digits: list[int], shape: str) -> None:
    lines = [shape.format(*digits), shape.format(*reversed(digits))]

    told = span(lines)

    assert told is None or timedelta(0) <= told <= LONGEST


@given(
    began=st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001
    took=st.timedeltas(timedelta(0), LONGEST),
)
def test_the_time_between_two_stamps_comes_back(
    began: datetime, took: timedelta
) -> None:
    first = began.replace(tzinfo=UTC, microsecond=0)
    took -= timedelta(microseconds=took.microseconds)
    last = first + took

    assert span([f"{time:%Y-%m-%dT%H:%M:%S}Z x" for time in (first, last)]) == took
    if "0229" not in {f"{time:%m%d}" for time in (first, last)}:
        crossed = first.month <= 2 < last.month
        lines = [f"{time:%b} {time.day:2} {time:%H:%M:%S} h" for time in (first, last)]
        if not crossed:
            assert span(lines) == took
