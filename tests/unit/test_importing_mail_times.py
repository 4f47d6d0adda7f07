"""When a mail was written, whatever stands in its head."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.mail_letter import Letter
from f2b_enrich.importing.mail_times import AHEAD, FIRST, read_date, written_at, zone_of
from tests.old_mails import AT, NOW


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 01 Jul 2010 10:11:10 +0200",
        "Thu, 1 Jul 2010 10:11:10 +0200 (CEST)",
        "1 Jul 2010 08:11:10 -0000",
        "Thu, 1 Jul 2010 08:11:10 GMT",
        "Thu, 1 Jul 10 04:11:10 EDT",
        "Thu,  1 Jul 2010 13:41:10 +0530",
        "Wed, 30 Jun 2010 22:11:10 -1000",
        "Thu Jul  1 08:11:10 2010 -0000",
    ],
)
def test_dates_of_many_programs_are_read(text: str) -> None:
    assert read_date(text.encode(), NOW) == AT


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "Thu, 1 Jul 2010", "Thu, 1 Jul 2010 10:11:10"),
        *("Thu, 1 Jul 2010 10:11:10 CEST", "Thu, 1 Jux 2010 10:11:10 +0200"),
        *("Thu, 31 Feb 2010 10:11:10 +0200", "Thu, 1 Jul 2010 25:11:10 +0200"),
        *("Thu, 1 Jul 2010 10:11:10 +9999", "Thu, 1 Jul 0000 10:11:10 +0000"),
        *("Thu, 1 Jan 0001 00:00:00 +0200", "Fri, 31 Dec 9999 23:59:59 -0200"),
        *("Fri, 31 Dec 9999 23:59:59 EST", "1 Jul 99999999999999999999 1:1:1 +0000"),
        "\0" * 1000,
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text.encode(), NOW) is None


def test_dates_are_believed_from_the_first_release_to_tomorrow() -> None:
    second = timedelta(seconds=1)
    for at in (FIRST, NOW + AHEAD):
        assert read_date(format_datetime(at).encode(), NOW) == at
    for at in (FIRST - second, NOW + AHEAD + second):
        assert read_date(format_datetime(at).encode(), NOW) is None


@given(
    st.datetimes(datetime(2004, 1, 2), datetime(2026, 11, 1)),  # noqa: DTZ001
    st.integers(-11 * 60, 11 * 60),
)
def test_whatever_the_library_writes_is_read(local: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    at = local.replace(microsecond=0, tzinfo=zone)
    text = format_datetime(at).encode()
    assert read_date(text, NOW) == at
    # The same date in a form that only the library reads.
    assert read_date(text.replace(b" ", b"  ", 1), NOW) == at
    assert zone_of(Letter(fields={b"date": (text,)})) == zone


@given(st.binary(max_size=120))
def test_any_bytes_are_a_date_or_none(text: bytes) -> None:
    at = read_date(text, NOW)
    assert at is None or at.tzinfo is UTC


def test_the_first_hop_with_a_time_stands_in_for_the_date() -> None:
    hops = (
        b"from a by b; Sat, 03 Jul 2010 09:00:00 +0000",
        b"from c by a; Thu, 01 Jul 2010 10:11:10 +0200",
        b"(qmail 1 invoked by uid 0); no time",
    )
    assert written_at(Letter(fields={b"received": hops}), NOW) == AT
    dated = Letter(fields={b"received": hops, b"date": (b"2 Jul 2010 10:11:10 +0000",)})
    assert written_at(dated, NOW) == datetime(2010, 7, 2, 10, 11, 10, tzinfo=UTC)
    assert written_at(Letter(fields={}), NOW) is None
    assert zone_of(Letter(fields={})) is None
