"""A log read block by block: the same whatever the blocks, and wherever begun."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.old_log import ZONE, Written, written
from f2b_enrich.importing.log_batches import (
    Batch,
    BlockReader,
    Found,
    Place,
    _Said,
)
from f2b_enrich.importing.log_lines import LONGEST_LINE, LineKind
from f2b_enrich.importing.log_reading import beginning_of, read_log, year_of_first
from f2b_enrich.importing.log_times import ClockPlace
from f2b_enrich.importing.records import Record
from tests.imports import records_of

if TYPE_CHECKING:
    from collections.abc import Iterable

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = b"2026-11-21 20:39:55,756 fail2ban.actions        [9365]: NOTICE  [sshd] "

HOURS = [b"2026-10-25 01", b"2026-10-25 02", b"2026-10-25 03", b"2026-03-29 02"]
stamps = st.builds(
    lambda hour, clock: hour + clock,
    st.sampled_from([*HOURS, b"2026-11-21 20", b"2026-02-30 20", b"2026-11-21 24"]),
    st.sampled_from([b":00:00,000", b":05:59,999", b":50:30,123", b":60:00,000"]),
)
heads = st.one_of(
    st.builds(
        lambda stamp, writer: stamp + writer,
        stamps,
        st.sampled_from(
            [
                b" fail2ban.actions: WARNING ",
                b" fail2ban.filter         [9365]: INFO    ",
            ]
        ),
    ),
    st.sampled_from(
        [
            b"2026-10-25T02:30:00+0100 web1 fail2ban[9]: ",
            b"Oct 25 02:30:00 web1 fail2ban[9]: ",
            b"Dec 31 23:59:59 web1 fail2ban[9]: ",
            b"Jan  1 00:00:00 web1 cron[9]: ",
            b"",
        ]
    ),
)
events = st.sampled_from(
    [
        b"Found 192.0.2.7",
        b"Found 192.0.2.7 - 2026-10-24 23:59:59",
        b"Found 192.0.2.7 - 2026-02-30 23:59:59",
        b"Found 192.0.2.7 - 2026-10-24 24:59:59",
        b"Found x] Ban 192.0.2.7",
        b"Ban 192.0.2.7",
        b"Unban 2001:db8::7",
        b"Restore Ban 192.0.2.7",
        b"Increase Ban 192.0.2.7 (2 # 10m -> 2026-10-25 02:30:00)",
        b"192.0.2.7 already banned",
        b"Ban " + b"7" * 65,
        b"Ban \xff",
        b"Ban",
    ]
)
lines = st.one_of(
    st.builds(
        lambda head, jail, event, end: head + b"[" + jail + b"] " + event + end,
        heads,
        st.sampled_from([b"sshd", b"a jail", b"a]b", b"j" * 65, b"\xe9"]),
        events,
        st.sampled_from([b"\n", b"\r\n", b" \n"]),
    ),
    st.binary(max_size=40),
    st.just(b"x" * (LONGEST_LINE + 2) + b"\n"),
)
logs = st.lists(lines, max_size=40).map(b"".join)


def batches(
    log: bytes,
    *,
    zone: ZoneInfo = BERLIN,
    first_year: int | None = None,
    place: Place | None = None,
    size: int = 64 * 1024,
) -> list[Batch]:
    start = place.position if place else 0
    read = io.BytesIO(log[start:]).read
    return list(
        read_log(read, zone=zone, first_year=first_year, place=place, size=size)
    )


def all_of(
    read: list[Batch],
) -> tuple[list[Record], Counter[Found], Counter[LineKind]]:
    found: Counter[Found] = Counter()
    kinds: Counter[LineKind] = Counter()
    for batch in read:
        found.update(batch.found)
        kinds.update(batch.kinds)
    records = [record for batch in read for record in records_of(batch)]
    return in_order(records), found, kinds


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=repr)


def line_by_line(log: bytes, first_year: int | None) -> tuple[_Said, BlockReader]:
    reader = BlockReader(BERLIN, first_year=first_year, place=Place())
    said = _Said()
    reader._read_fully(log, said)
    return said, reader


@given(logs, st.sampled_from([None, 2026]), st.integers(1, 5000))
def test_the_short_way_reads_what_the_long_one_reads(
    log: bytes, first_year: int | None, size: int
) -> None:
    said, reader = line_by_line(log, first_year)

    read = batches(log, first_year=first_year, size=size)

    assert all_of(read) == (in_order(records_of(said)), said.found, said.kinds)
    assert 0 not in said.kinds.values()
    if read:
        assert read[-1].place == Place(
            position=len(log), clock=reader._clock.place, years=reader._years.place
        )


@given(logs, st.integers(1, 5000), st.data())
def test_a_reading_goes_on_from_any_place_as_if_it_had_never_stopped(
    log: bytes, size: int, data: st.DataObject
) -> None:
    read = batches(log, first_year=2025, size=size)
    if not read:
        return
    stopped = data.draw(st.integers(0, len(read) - 1))
    before = read[: stopped + 1]

    after = batches(log, first_year=2025, place=before[-1].place)

    assert all_of(before + after) == all_of(read)
    assert (before + after)[-1].place == read[-1].place


@given(st.binary(), st.integers(1, 300))
def test_any_bytes_are_counted(log: bytes, size: int) -> None:
    read = batches(log, size=size)

    expected = log.count(b"\n") + bool(log) - log.endswith(b"\n")
    assert all_of(read)[2].total() == expected
    assert all_of(read)[0] == []


@pytest.fixture(scope="module")
def made() -> list[Written]:
    return list(written(20_000, seed=1, mean_seconds=1800.0))


def test_a_log_of_years_is_read_to_the_last_line(made: list[Written]) -> None:
    log = "".join(f"{line.text}\n" for line in made).encode()

    records, found, kinds = all_of(batches(log, zone=ZONE))

    assert len(kinds) == 6
    assert Counter(map(str, kinds.elements())) == Counter(line.kind for line in made)
    banned = [line for line in made if line.kind in {"ban", "unban"}]
    told = [one for one in records if one.kind != "prolong"]
    assert Counter((one.kind, one.jail, one.ip, one.at) for one in told) == Counter(
        (line.kind, line.jail, line.ip, datetime.fromtimestamp(int(line.at), UTC))
        for line in banned
    )
    assert found == Counter(
        (None, line.jail, line.ip, datetime.fromtimestamp(line.at, ZONE).date())
        for line in made
        if line.kind == "found"
    )


@pytest.mark.parametrize("others", [0, 1, 200])
def test_common_lines_before_many_others_are_read_alike(others: int) -> None:
    bans = HEAD + b"Ban 192.0.2.7\n" + HEAD + b"Found 192.0.2.7 - 2026-02-30 00:00:00\n"
    log = bans * 3 + HEAD.replace(b"[sshd]", b"Jail\n") * others
    log += b"\ntraceback\n" * others

    said, _ = line_by_line(log, None)

    assert all_of(batches(log)) == (
        in_order(records_of(said)),
        said.found,
        said.kinds,
    )
    assert said.kinds[LineKind.UNDATED] == 3


def test_a_record_says_all_that_its_line_said() -> None:
    log = b"2026-11-21T20:39:55+0100 web1 fail2ban[9]: [sshd] Increase Ban 192.0.2.7 "
    log += b"(2 # 12m 32s -> 2026-11-21 20:52:27)\n"

    (batch,) = batches(log)

    at = datetime(2026, 11, 21, 19, 39, 55, tzinfo=UTC)
    assert batch.records == (
        Record(
            kind="prolong",
            ip="192.0.2.7",
            jail="sshd",
            at=at,
            time_source="ban",
            origin="log",
            host="web1",
            bantime_seconds=752,
            ban_count=2,
            ends_at=at + timedelta(minutes=12, seconds=32),
        ),
    )


def test_a_ban_put_in_place_again_says_so() -> None:
    log = HEAD + b"Restore Ban 192.0.2.7\n" + HEAD + b"Reban 192.0.2.8\n"

    records, _, _ = all_of(batches(log))

    assert all(isinstance(one, Record) and one.is_restored for one in records)
    assert [one.kind for one in records] == ["ban"] * 2


def test_what_is_found_is_counted_by_host_and_local_day() -> None:
    log = b"2026-11-21T23:30:00+0000 web1 fail2ban[9]: [sshd] Found 192.0.2.7\n"

    (batch,) = batches(log * 3)

    assert batch.found == {("web1", "sshd", "192.0.2.7", date(2026, 11, 22)): 3}


def test_what_cannot_be_read_is_shown_and_cut() -> None:
    log = HEAD + b"Ban 192.0.2.7 for " + b"x" * 500 + b"\n"

    (batch,) = batches(log * 30)

    assert batch.kinds == {LineKind.UNREAD: 30}
    assert len(batch.unread) == 20
    assert {len(line) for line in batch.unread} == {200}


def test_a_ban_in_an_hour_shown_twice_is_said_to_be_in_doubt() -> None:
    log = HEAD.replace(b"11-21 20", b"10-25 02") + b"Ban 192.0.2.7\n"

    (batch,) = batches(log)
    (_, after) = batches(log + HEAD + b"Ban 192.0.2.7\n", size=len(log))

    assert batch.place.clock.in_doubt == 1
    assert (after.place.clock.ambiguous, after.place.clock.in_doubt) == (1, 0)


def test_an_hour_shown_twice_does_not_forget_what_was_before_the_block() -> None:
    first = HEAD.replace(b"11-21 20", b"10-25 02") + b"Ban 192.0.2.7\n"
    second = first.replace(b"02:39", b"02:09")
    place = Place(clock=ClockPlace(last_at=datetime(2026, 10, 25, 0, tzinfo=UTC)))

    records, _, _ = all_of(batches(first + second, place=place, size=len(first)))

    assert [one.at for one in records] == [
        datetime(2026, 10, 25, 0, 39, 55, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 9, 55, tzinfo=UTC),
    ]


def test_common_lines_tell_which_of_two_hours_the_others_are_of() -> None:
    twice = HEAD.replace(b"11-21 20", b"10-25 02")
    first = twice.replace(b"02:39", b"02:50") + b"Found 192.0.2.7\n"
    rare = twice + b"Increase Ban 192.0.2.7 (2 # permanent -> infinite)\n"

    (batch,) = batches(first + rare + HEAD + b"Ban 192.0.2.7\n")

    assert batch.records[0].at == datetime(2026, 10, 25, 1, 39, 55, 756_000, UTC)
    assert batch.place.clock.ambiguous == 0

    (batch,) = batches(rare + HEAD + b"Ban 192.0.2.7\n")

    assert batch.records[0].at == datetime(2026, 10, 25, 0, 39, 55, 756_000, UTC)
    assert batch.place.clock.ambiguous == 1


def test_a_line_of_100_mb_takes_no_memory() -> None:
    left = [b"x" * 65_536] * 1600 + [b"\n" + HEAD + b"Ban 192.0.2.7\n"]
    pieces = iter(left)
    tracemalloc.start()

    read = list(read_log(lambda _: next(pieces, b""), zone=BERLIN))

    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    records, _, kinds = all_of(read)
    assert kinds == {LineKind.OVERLONG: 1, LineKind.BAN: 1}
    assert len(records) == 1
    assert read[-1].place.position == sum(map(len, left))


SYSLOG = (
    b"Nov 21 20:39:55 web1 fail2ban.actions[9]: NOTICE  [sshd] Ban 192.0.2.7\n"
    b"Dec 31 23:59:59 web1 cron[1]: a job\n"
    b"Jan  1 00:00:01 web1 fail2ban.actions[9]: NOTICE  [sshd] Unban 192.0.2.7\n"
)


def test_syslog_gets_its_years_from_its_end() -> None:
    by = datetime(2026, 1, 2, tzinfo=UTC)

    year = year_of_first(io.BytesIO(SYSLOG).read, by=by, size=40)

    assert year == 2025
    records, _, _ = all_of(batches(SYSLOG, first_year=year))
    assert [one.at for one in records] == [
        datetime(2025, 11, 21, 19, 39, 55, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 0, 1, tzinfo=UTC),
    ]


def test_without_a_year_a_ban_has_no_date_and_is_no_record() -> None:
    (batch,) = batches(SYSLOG)

    assert records_of(batch) == []
    assert batch.kinds == {LineKind.UNDATED: 2, LineKind.FOREIGN: 1}


def test_logs_that_name_their_years_are_not_looked_through() -> None:
    pieces = iter([HEAD + b"Ban 192.0.2.7\n", SYSLOG])

    by = datetime(2026, 1, 2, tzinfo=UTC)
    assert year_of_first(lambda _: next(pieces), by=by) is None
    assert next(pieces) == SYSLOG
    assert year_of_first(lambda _: b"", by=by) is None


def test_a_log_that_grew_is_known_by_its_first_line() -> None:
    first = HEAD + b"Ban 192.0.2.7\n"
    names = {beginning_of(first + HEAD * grown) for grown in range(3)}

    assert len(names) == 1
    assert None not in names
    assert beginning_of(first.replace(b"756", b"757")) not in names


@pytest.mark.parametrize("before", [b"\n", b"-- Boot 5f0c --\r\n", b"\n\nx\n"])
def test_a_log_is_known_by_its_first_dated_line(before: bytes) -> None:
    first = HEAD + b"Ban 192.0.2.7\n"
    whole = beginning_of(first)
    assert whole is not None

    assert beginning_of(before + first) == (whole.fingerprint, len(before))
    other = beginning_of(before + first.replace(b"756", b"757"))
    assert other is not None
    assert other.fingerprint != whole.fingerprint


def test_a_log_without_a_dated_line_is_known_by_its_first() -> None:
    one = beginning_of(b"x\ny\n")
    assert one == beginning_of(b"x\nz\n")
    assert one != beginning_of(b"y\nz\n")
    assert beginning_of(b"x" * (LONGEST_LINE + 1)) is not None


@pytest.mark.parametrize("log", [b"", HEAD])
def test_a_log_without_a_whole_line_has_no_name_yet(log: bytes) -> None:
    assert beginning_of(log) is None


def test_a_rotated_set_is_one_log_by_its_clock() -> None:
    twice = HEAD.replace(b"11-21 20", b"10-25 02") + b"Ban 192.0.2.7\n"
    (older,) = batches(twice.replace(b"02:39", b"02:50"))

    (newer,) = batches(twice, place=Place(clock=older.place.clock))

    (record,) = records_of(newer)
    assert record.at == datetime(2026, 10, 25, 1, 39, 55, tzinfo=UTC)
    assert newer.place.clock.in_doubt == 0
