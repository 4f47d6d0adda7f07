"""Rows as fail2ban writes them, and as anything may stand there."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.fail2ban_rows import (
    MAX_CAPTURE,
    MAX_CAPTURES,
    MAX_NAME,
    Row,
    StoredBan,
    Unread,
    Value,
    ban_of,
    core_of,
)
from f2b_enrich.model import FOR_EVER, ban_id

LATEST = 253402300799


def row(
    jail: Value = b"sshd",
    ip: Value = b"192.0.2.7",
    timeofban: Value = 1795293841,
    bantime: Value = 600,
    bancount: Value = 2,
    data: Value = b'{"matches": [], "failures": 3}',
) -> Row:
    return Row(jail, ip, timeofban, bantime, bancount, data)


def read_row(found: Row) -> StoredBan | Unread:
    core = core_of(found)
    return core if isinstance(core, Unread) else ban_of(core, found)


def ban(found: Row) -> StoredBan:
    record = read_row(found)
    assert isinstance(record, StoredBan)
    return record


def lines_of(matches: object, *, encoding: str = "utf-8") -> tuple[bytes, ...]:
    data = json.dumps({"matches": matches}, ensure_ascii=False)
    return ban(row(data=data.encode(encoding))).lines


def test_a_row_is_a_ban() -> None:
    data = b'{"matches": ["a b", ["[", "1", "] c"]], "failures": 3, "user": "root"}'

    assert read_row(row(data=data)) == StoredBan(
        kind="ban",
        ip="192.0.2.7",
        jail="sshd",
        at=datetime(2026, 11, 21, 20, 44, 1, tzinfo=UTC),
        time_source="line",
        origin="db",
        failures=3,
        bantime_seconds=600,
        ban_count=2,
        ends_at=datetime(2026, 11, 21, 20, 54, 1, tzinfo=UTC),
        lines=(b"a b", b"[1] c"),
        failed_at=1795293841.0,
        captures=(("user", "root"),),
    )


@pytest.mark.parametrize(
    ("bantime", "read"),
    [(0, 0), (-1, FOR_EVER), (-2, None), (-3, None), (600.5, 600), (None, None)],
)
def test_a_ban_time_may_have_no_end_or_be_unknown(
    bantime: Value, read: int | None
) -> None:
    record = ban(row(bantime=bantime))

    assert record.bantime_seconds == read
    assert (record.ends_at is None) == (read is None or read < 0)


def test_a_count_that_an_upgrade_made_up_is_not_told() -> None:
    assert ban(row(bantime=-2, bancount=1)).ban_count is None
    assert ban(row(bantime=-1, bancount=1)).ban_count == 1


@pytest.mark.parametrize("value", [True, -1, 10**13, "3", 1e300, None, [3]])
def test_odd_failures_are_not_told(value: object) -> None:
    record = ban(row(data=json.dumps({"failures": value}).encode()))

    assert record.failures is None
    assert record.data_is_read


@given(st.floats(0, LATEST))
def test_the_time_makes_the_id_that_fail2ban_s_own_rounding_makes(time: float) -> None:
    record = ban(row(timeofban=time))

    stored = int(round(time))  # noqa: RUF046 - as fail2ban writes it
    assert ban_id("web1", "sshd", "192.0.2.7", record.failed_at) == ban_id(
        "web1", "sshd", "192.0.2.7", stored
    )
    assert record.at is not None
    assert abs(record.at.timestamp() - time) < 0.001


@given(
    st.floats(0, LATEST).flatmap(
        lambda at: st.tuples(
            st.just(at), st.one_of(st.just(round(at)), st.floats(0, LATEST))
        )
    )
)
def test_the_key_is_the_same_where_the_id_is(times: tuple[float, float]) -> None:
    cores = [core_of(row(timeofban=at)) for at in times]

    keys, ids = set(), set()
    for core in cores:
        assert not isinstance(core, Unread)
        keys.add(core.key())
        ids.add(ban_id("web1", core.jail, core.ip, core.failed_at))
    assert len(keys) == len(ids)


@pytest.mark.parametrize("time", [1388009243.4999998, 1388009242.5, 1388009243.5])
def test_a_time_between_two_seconds_is_kept_exactly(time: float) -> None:
    assert ban(row(timeofban=time)).failed_at == time


@pytest.mark.parametrize(
    "time",
    [*(-1, LATEST + 1, 2**63 - 1, 1e308), *(float("inf"), float("nan")), b"1", None],
)
def test_a_time_outside_the_calendar_is_unread(time: Value) -> None:
    assert read_row(row(timeofban=time)) is Unread.TIME


@pytest.mark.parametrize("name", [b"", None, 7, 1.5, b"x" * (MAX_NAME + 1)])
def test_a_row_without_jail_or_address_is_unread(name: Value) -> None:
    assert read_row(row(jail=name)) is Unread.JAIL
    assert read_row(row(ip=name)) is Unread.IP


def test_names_hold_no_nul_and_no_bytes_that_are_no_text() -> None:
    record = ban(row(jail=b"a\0b\xff", ip=b"\xed\xa0\x80\0"))

    assert record.jail == "a\u2400b\ufffd"
    assert record.ip == "\ufffd\ufffd\ufffd\u2400"


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
            st.lists(
                st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
                min_size=3,
                max_size=3,
            ),
        )
    ).filter(
        lambda matches: not any(_end(match).endswith(("\n", "\r")) for match in matches)
    )
)
def test_lines_are_those_of_fail2ban_s_tag(matches: list[str | list[str]]) -> None:
    # fail2ban 1.0.2, server/ticket.py, getMatches, and the tag <matches>.
    tag = "\n".join("".join(match) for match in matches)

    expected = tuple(tag.encode().split(b"\n")) if matches else ()
    assert lines_of(matches) == expected


def _end(match: str | list[str]) -> str:
    return match if isinstance(match, str) else match[-1]


def test_lines_of_old_versions_end_with_no_newline() -> None:
    assert lines_of(["a\n", "b\r\n"]) == (b"a", b"b")


def test_bytes_of_another_encoding_stand_in_the_lines_as_they_are() -> None:
    assert lines_of(["M\xfcller"], encoding="latin-1") == (b"M\xfcller",)
    assert lines_of(["M\xfcller"]) == (b"M\xc3\xbcller",)


def test_halves_of_characters_become_replacement_characters() -> None:
    found = ban(row(data=rb'{"matches": ["a\ud800b"], "user": "\ud800\u0000"}'))

    assert found.lines == ("a\ufffdb".encode(),)
    assert found.captures == (("user", "\ufffd\u2400"),)


@pytest.mark.parametrize("matches", [None, 3, "a", {"a": "b"}, [], [3, None, [], [1]]])
def test_matches_of_another_form_are_no_lines(matches: object) -> None:
    assert lines_of(matches) == ()


@pytest.mark.parametrize(
    "data",
    [
        *(None, 3, 1.5, b"", b"{", b"[]", b"null", b'"a"', b"\xff\xfe{}"),
        *(b"[" * 100_000, b'{"failures": ' + b"9" * 5000 + b"}"),
    ],
)
def test_a_ban_whose_data_cannot_be_read_is_a_ban(data: Value) -> None:
    found = ban(row(data=data))

    assert not found.data_is_read
    assert (found.failures, found.lines, found.captures) == (None, (), ())
    assert (found.jail, found.ip) == ("sshd", "192.0.2.7")


def test_empty_data_is_read() -> None:
    assert ban(row(data=b"{}")).data_is_read


def test_captures_are_as_many_and_as_long_as_on_the_wire() -> None:
    told = {f"c{number:03}": "x" for number in range(2 * MAX_CAPTURES)}
    odd = {"A B": "x", "": "x", "c": 3, "d": "", "matches": "x", "failures": "x"}
    long = {"a": "x" * (MAX_CAPTURE + 1), "ABC": "y"}

    found = ban(row(data=json.dumps(told | odd | long).encode())).captures

    assert len(found) == MAX_CAPTURES
    assert dict(found)["a"] == "x" * MAX_CAPTURE
    assert dict(found)["abc"] == "y"
    assert {name for name, _ in found} <= told.keys() | {"a", "abc"}


values = st.one_of(
    st.none(),
    st.binary(max_size=50),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["matches", "failures", "user"]), st.text()),
            inner,
            max_size=4,
        ),
    ),
)


@given(
    st.builds(
        Row,
        jail=st.one_of(st.just(b"sshd"), values),
        ip=st.one_of(st.just(b"192.0.2.7"), values),
        timeofban=st.one_of(st.just(1795293841), values),
        bantime=values,
        bancount=values,
        data=st.one_of(values, documents.map(lambda told: json.dumps(told).encode())),
    )
)
def test_any_row_is_a_ban_or_unread(found: Row) -> None:
    record = read_row(found)

    if isinstance(record, StoredBan):
        assert record.jail
        assert "\0" not in f"{record.jail}{record.ip}{record.captures}"
        f"{record.jail}{record.ip}{record.captures}".encode()
        assert all(b"\n" not in line for line in record.lines)
        assert record.at is not None
