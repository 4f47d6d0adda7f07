"""Identity is one for all records of a ban; times hold from year 1 to 9999."""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import Address, read_address
from f2b_enrich.model import (
    FOR_EVER,
    NAMESPACE,
    Ban,
    ban_id,
    end_of_ban,
    id_by_name,
    read_time,
    time_text,
)

HOST = "host.example.net"
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_the_namespace_is_the_one_that_ids_were_made_with() -> None:
    assert uuid.uuid5(uuid.NAMESPACE_DNS, "f2b-enrich") == NAMESPACE


@given(st.text())
def test_an_id_is_the_uuid_of_its_name(name: str) -> None:
    assert id_by_name(name) == str(uuid.uuid5(NAMESPACE, name))


@pytest.mark.parametrize(
    ("host", "jail", "ip", "failed_at", "expected"),
    [  # computed with hashlib alone, not with this package
        (HOST, "sshd", "192.0.2.7", 1.7e9, "5d27e5a5-1859-5e5d-aea8-563dba1f9766"),
        (HOST, "sshd", "2001:db8::1", 1.7e9, "5700c140-24a1-5cf9-a50b-6d47795a7cd8"),
        (HOST, "sshd", "192.0.2.0/24", 1.7e9, "a07d013a-dc30-544e-96ed-1064893b22af"),
        (
            *(HOST, "sshd", "attacker.example.org", 1.7e9),
            "d4bbf86b-088b-5165-b245-56259214c3c9",
        ),
        (HOST, "sshd", "notanip!", 0.0, "f8b5991d-f16e-5408-961e-969c85b20fca"),
        (
            *("h\u00f6st", "jail", "192.0.2.7", 253402300799.0),
            "d7ffb031-7fbc-5c64-8d63-b039546cd88d",
        ),
    ],
)
def test_an_id_is_the_known_vector(
    host: str, jail: str, ip: str, failed_at: float, expected: str
) -> None:
    assert ban_id(host, jail, ip, failed_at) == expected


@pytest.mark.parametrize(
    ("failed_at", "expected"),
    [
        (1700000000.5, "5d27e5a5-1859-5e5d-aea8-563dba1f9766"),  # half to even: down
        (1700000000.4999, "5d27e5a5-1859-5e5d-aea8-563dba1f9766"),
        (1699999999.5, "5d27e5a5-1859-5e5d-aea8-563dba1f9766"),  # half to even: up
        (1700000001.5, "c3e9c528-5faf-5b40-ac30-c4d04e0d74f1"),
        (1700000002.5, "c3e9c528-5faf-5b40-ac30-c4d04e0d74f1"),
    ],
)
def test_a_time_is_rounded_as_fail2bans_own_database_rounds_it(
    failed_at: float, expected: str
) -> None:
    assert ban_id(HOST, "sshd", "192.0.2.7", failed_at) == expected


def test_parts_do_not_run_into_each_other() -> None:
    assert ban_id("a", "bc", "d", 1) != ban_id("ab", "c", "d", 1)


@pytest.mark.parametrize(
    ("given_text", "text", "version", "subnet"),
    [
        ("192.0.2.7", "192.0.2.7", 4, "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", 4, "192.0.2.0/24"),
        ("::FFFF:C000:0207", "192.0.2.7", 4, "192.0.2.0/24"),
        (
            *("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            *(6, "2001:db8::/64"),
        ),
        ("2001:db8:0:1:ffff::1", "2001:db8:0:1:ffff::1", 6, "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1%eth0", 6, "fe80::/64"),
    ],
)
def test_an_address_has_one_spelling_and_a_subnet(
    given_text: str, text: str, version: int, subnet: str
) -> None:
    assert read_address(given_text) == Address(
        text=text, version=version, subnet=subnet
    )


@pytest.mark.parametrize(
    ("text", "version", "subnet"),
    [
        ("192.0.2.0/24", 4, "192.0.2.0/24"),
        ("192.0.2.64/26", 4, "192.0.2.0/24"),
        ("192.0.2.7/32", 4, "192.0.2.0/24"),
        ("198.51.0.0/16", 4, "198.51.0.0/16"),
        ("2001:DB8::/32", 6, "2001:db8::/32"),
        ("2001:db8::/96", 6, "2001:db8::/64"),
    ],
)
def test_a_cidr_ban_keeps_its_text(text: str, version: int, subnet: str) -> None:
    assert read_address(text) == Address(
        text=text, version=version, subnet=subnet, is_network=True
    )


@pytest.mark.parametrize(
    "text", ["notanip!", "attacker.example.org", "", "192.0.2", "192.0.2.07", "1/0/0"]
)
def test_what_is_no_address_keeps_its_text(text: str) -> None:
    assert read_address(text) == Address(text=text, version=None, subnet=None)


@pytest.mark.parametrize(
    "zone",
    [
        *("\x1b[31m\n192.0.2.1; rm", "\n", "", "a b", "a%b", "\u0435th0", "x" * 33),
        *("eth0\n", "eth0\n/64", "a/../b", "%", "$(id)"),
    ],
)
@pytest.mark.parametrize("ip", ["fe80::1", "::ffff:192.0.2.7", "fe80::1%eth0"])
@pytest.mark.parametrize("bits", ["", "/64"])
def test_a_zone_that_no_interface_is_called_makes_no_address(
    ip: str, zone: str, bits: str
) -> None:
    text = f"{ip}%{zone}{bits}"
    assert read_address(text) == Address(text=text, version=None, subnet=None)


@pytest.mark.parametrize("zone", ["eth0", "wg-home.7", "x" * 32])
def test_a_zone_that_names_an_interface_stays(zone: str) -> None:
    assert read_address(f"fe80::1%{zone}").version == 6


@given(st.ip_addresses())
def test_every_spelling_of_an_address_reads_as_the_same(address: object) -> None:
    spelled = getattr(address, "exploded", str(address)).upper()
    assert read_address(spelled) == read_address(str(address))


@given(st.text() | st.from_regex(r"[0-9a-f:.]{0,20}[%/][0-9a-z/.]{0,8}"))
def test_any_text_reads_as_something_that_reads_as_itself(text: str) -> None:
    once = read_address(text)
    assert read_address(once.text) == once


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_times_are_written_and_read_without_change(naive: datetime) -> None:
    when = naive.replace(tzinfo=UTC, microsecond=0)
    text = time_text(when)
    assert len(text) == len("2026-11-21T12:00:00Z")
    assert text.endswith("Z")
    assert read_time(text) == when
    elsewhere = when.astimezone(timezone(timedelta(hours=-5, minutes=-30)))
    assert time_text(elsewhere) == text


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=2))
def test_written_times_sort_as_times_do(times: list[datetime]) -> None:
    one, other = (when.replace(microsecond=0) for when in times)
    assert (time_text(one) < time_text(other)) == (one < other)


@pytest.mark.parametrize(
    "edge",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_the_first_and_the_last_year_are_written_in_full(edge: datetime) -> None:
    assert time_text(edge) == f"{edge.year:04}{edge:-%m-%dT%H:%M:%SZ}"
    assert read_time(time_text(edge)) == edge


def test_a_time_elsewhere_is_written_in_utc() -> None:
    elsewhere = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(elsewhere) == "2026-03-04T03:06:07Z"


def test_parts_of_a_second_are_cut_off() -> None:
    assert time_text(START.replace(microsecond=999_999)) == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize("seconds", [None, FOR_EVER, 2**63 - 1, 10**12])
def test_a_ban_without_an_end_that_can_be_written_has_none(seconds: int | None) -> None:
    assert end_of_ban(START, seconds) is None


def test_a_ban_ends_its_time_after_it_began() -> None:
    assert end_of_ban(START, 600) == START + timedelta(minutes=10)
    assert end_of_ban(START, 0) == START


@pytest.mark.parametrize(
    ("may_grow", "changes"),
    [
        ("no", {}),
        ("yes", {"ban_count": 2}),
        ("no", {"ban_count": 2, "prolonged_at": START}),
        ("no", {"ban_count": 2, "bantime_seconds": FOR_EVER}),
    ],
)
def test_only_a_repeat_offenders_ban_time_may_still_grow(
    may_grow: str, changes: dict[str, object]
) -> None:
    values: dict[str, object] = {field.name: None for field in fields(Ban)}
    values |= {"ban_count": 1, "bantime_seconds": 600} | changes
    ban = Ban(**values)  # type: ignore[arg-type]
    assert ban.bantime_is_final is (may_grow == "no")
