"""The addresses of a subnet: the ranges of their names, and how many are counted."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from f2b_enrich.model import Tally
from f2b_enrich.store import neighbours
from tests.steps import sqlite_steps
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from f2b_enrich.model import Neighbours

DAY = timedelta(days=1)

SIMILAR = """
    INSERT INTO bans
    SELECT hex(randomblob(16)), host, jail, ?, ip_version, subnet, ?,
    banned_at_source, bantime_seconds, expires_at, unbanned_at, prolonged_at, failures,
    ban_count, attack, repeat_of, received_at, origin, reference, announced_at,
    lines_received, captures, enrichment_id, rule_set, look_up FROM bans LIMIT 1
"""
"""Bans of the same subnet as the first, quicker than through the front door."""


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def add(store: StoreBuilder, ips: Iterable[str], at: str = "2026-11-20") -> None:
    with store.writing() as connection:
        connection.executemany(SIMILAR, [(ip, f"{at}T00:00:00Z") for ip in ips])


def around(connection: sqlite3.Connection, ip: str) -> Neighbours:
    subnet = read_address(ip).subnet
    found = neighbours.around(connection, ip, subnet=subnet, until=NOW)
    assert found is not None
    return found


def ask(store: StoreBuilder, ip: str) -> Neighbours:
    with store.reading() as connection:
        return around(connection, ip)


def cost(store: StoreBuilder, ip: str) -> int:
    """Count what SQLite does for the answer."""
    with store.writing() as connection:
        connection.execute("COMMIT")
        try:
            return sqlite_steps(connection, lambda: around(connection, ip))
        finally:
            connection.execute("BEGIN")


@given(st.lists(st.sampled_from([0, 0, 1, 0x20, 0xFFFF]), min_size=8, max_size=8))
def test_every_address_lies_in_a_range_of_its_subnet(groups: list[int]) -> None:
    address = IPv6Address(":".join(f"{group:x}" for group in groups))
    subnet = IPv6Network((int(address) >> 64 << 64, 64))

    spans = neighbours._names_of(str(subnet))

    assert bool(spans) is bool(groups[0])
    pairs = zip(spans[::2], spans[1::2], strict=True)
    holding = [first for first, past in pairs if first <= str(address) < past]
    assert not spans or len(holding) == 1


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_lies_in_the_range_of_its_subnet(ip: IPv4Address) -> None:
    first, past, *other = neighbours._names_of(f"{str(ip).rpartition('.')[0]}.0/24")

    assert first <= str(ip) < past
    assert other == ["", ""]


@pytest.mark.parametrize("subnet", ["2a00::/24", "2001:db8::/63", "10.0.0.0/8"])
def test_a_wide_network_has_no_range(subnet: str) -> None:
    assert neighbours._names_of(subnet) == ()


def test_so_many_addresses_are_counted_and_no_more(store: StoreBuilder) -> None:
    store.record(event("2001:db8:1:2::1"))
    add(store, (f"2001:db8:1:2::1:{n:x}" for n in range(1, 500)))
    whole = ask(store, "2001:db8:1:2::1")
    add(store, ["2001:db8:1:2:3::"])
    cut = ask(store, "2001:db8:1:2::1")

    assert (whole.addresses, whole.bans, whole.at_least) == (499, 499, False)
    assert (cut.addresses, cut.bans, cut.at_least) == (499, 499, True)


@pytest.mark.parametrize("ip", ["2001:db8:1:2::1", "2001:db8::1"])
def test_the_64_of_an_attacker_costs_no_more_when_it_is_full(
    store: StoreBuilder, ip: str
) -> None:
    store.record(event(ip))
    add(store, (f"{ip}:{n:x}" for n in range(1, 600)))
    few = cost(store, ip)
    add(store, (f"{ip}:{n:x}" for n in range(600, 6000)))

    assert cost(store, ip) < few * 1.1
    assert ask(store, ip).at_least


def test_another_64_that_begins_alike_costs_nothing(store: StoreBuilder) -> None:
    store.record(event("2001:db8:0:2::1"), event("2001:db8:0:2::2"))
    few = cost(store, "2001:db8:0:2::1")
    store.record(*(event(f"2001:db8:0:1::{n:x}") for n in range(1, 600)))

    assert cost(store, "2001:db8:0:2::1") < few * 1.2
    found = ask(store, "2001:db8:0:2::1")
    assert (found.addresses, found.at_least) == (1, False)


def test_a_24_is_counted_whole_however_often_one_was_banned(
    store: StoreBuilder,
) -> None:
    store.record(event("192.0.2.7"))
    add(store, (f"192.0.2.{n}" for n in range(256) if n != 7))
    add(store, ["192.0.2.0"] * 3000, at="2025-01-01")
    add(store, ["192.0.2.7"] * 3000)

    found = ask(store, "192.0.2.7")

    assert (found.addresses, found.bans, found.at_least) == (255, 255, False)


def test_so_many_bans_are_counted_and_no_more(store: StoreBuilder) -> None:
    store.record(event("192.0.2.7"))
    add(store, ["192.0.2.8"] * 10_000)
    add(store, ["192.0.2.9"])

    found = ask(store, "192.0.2.7")

    assert (found.bans, found.at_least) == (10_000, True)
    assert [(one.name, one.bans) for one in found.most] == [("192.0.2.8", 10_000)]


def test_subnets_whose_names_begin_alike_are_told_apart(store: StoreBuilder) -> None:
    store.record(
        event("2600::5:1:2:3:4", at=NOW - DAY),
        event("2600::7", at=NOW - DAY),
        event("2600::5:0:0:0:1", at=NOW - DAY),
        event("2600::/64", at=NOW - DAY),
    )

    assert ask(store, "2600::5:9:9:9:9").addresses == 2
    assert ask(store, "2600::9").most == (
        Tally(name="2600::7", bans=1, first_at=NOW - DAY),
    )
