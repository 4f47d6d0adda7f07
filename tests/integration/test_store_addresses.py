"""What is read about one address from real stores."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.attacks import Attack
from f2b_enrich.model import Observed
from f2b_enrich.store import addresses, classes, enrichments, fates
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def test_bans_are_counted_by_jail_and_host_the_latest_first(
    store: StoreBuilder,
) -> None:
    store.record(
        event(at=NOW - 3 * HOUR, failures=3),
        event(at=NOW - HOUR, failures=4),
        event(at=NOW - 2 * HOUR, jail="postfix"),
        event("192.0.2.8", at=NOW),
    )
    store.record(event(at=NOW, failures=7), host="mail1")

    with store.reading() as connection:
        found = addresses.records(connection, "192.0.2.7")

    assert [(one.host, one.jail, one.bans, one.failures) for one in found] == [
        ("mail1", "sshd", 1, 7),
        ("web1", "sshd", 2, 7),
        ("web1", "postfix", 1, 5),
    ]
    assert found[1].first_at == NOW - 3 * HOUR
    assert found[1].newest.banned_at == NOW - HOUR


def test_a_jail_that_watches_fail2ban_itself_is_marked(store: StoreBuilder) -> None:
    store.record(event(at=NOW - HOUR), event(jail="recidive"), event(jail="new"))
    with store.reading() as connection:
        before = addresses.records(connection, "192.0.2.7")
    store.classify()
    with store.reading() as connection:
        after = addresses.records(connection, "192.0.2.7")

    assert {one.jail for one in before if one.is_repeat} == set()
    assert {one.jail for one in after if one.is_repeat} == {"recidive"}


def test_classes_and_values_are_added_up_over_all_bans(store: StoreBuilder) -> None:
    first, second, repeat, other = store.record(
        event(),
        event(at=NOW - HOUR),
        event(jail="recidive"),
        event("192.0.2.8"),
    )
    store.classify()
    some = Attack(attack="known-exploit", lines=2, cves=("CVE-2024-2", "CVE-2024-1"))
    more = Attack(attack="known-exploit", lines=3, cves=("CVE-2024-2",))
    env = Attack(attack="credentials-probe", lines=9)
    path = Observed(kind="path", value="/.env", lines=4)
    with store.writing() as connection:
        for ban, attacks in (
            (first, (some, env)),
            (second, (more,)),
            (repeat, (more,)),
            (other, (more,)),
        ):
            classes.save(connection, ban, attacks=attacks, observed=(path,), rule_set=1)

    with store.reading() as connection:
        found = addresses.attacks(connection, "192.0.2.7")
        seen = addresses.observed(connection, "192.0.2.7")
        nothing = addresses.attacks(connection, "192.0.2.9")

    assert found == (
        addresses.AttackRecord(
            attack="known-exploit", bans=2, lines=5, cves=("CVE-2024-1", "CVE-2024-2")
        ),
        addresses.AttackRecord(attack="credentials-probe", bans=1, lines=9, cves=()),
    )
    assert seen == (Observed(kind="path", value="/.env", lines=12),)
    assert nothing == ()


def test_banned_networks_are_found_by_an_address_in_them(store: StoreBuilder) -> None:
    store.record(
        event("203.0.113.0/24", at=NOW - HOUR),
        event("203.0.113.0/24", at=NOW),
        event("203.0.113.0/24", at=NOW, jail="recidive"),
        event("203.0.112.0/23", at=NOW + HOUR),
        event("203.0.113.7/32", at=NOW),
        event("203.0.113.128/25", at=NOW),
        event("203.0.113.7", at=NOW),
        event("2001:db8::/32", at=NOW),
        event("0.0.0.0/0", at=NOW),
    )

    def around(ip: str) -> list[tuple[str, str, object]]:
        with store.reading() as connection:
            found = addresses.networks_around(connection, ip)
        return [(ban.ip, ban.jail, ban.banned_at) for ban in found]

    assert around("203.0.113.7") == [
        ("203.0.113.7/32", "sshd", NOW),
        ("203.0.113.0/24", "recidive", NOW),
        ("203.0.113.0/24", "sshd", NOW),
        ("203.0.112.0/23", "sshd", NOW + HOUR),
        ("0.0.0.0/0", "sshd", NOW),
    ]
    assert [ip for ip, *_ in around("203.0.113.0/24")] == [
        "203.0.112.0/23",
        "0.0.0.0/0",
    ]
    assert [ip for ip, *_ in around("2001:db8:7::1%eth0")] == ["2001:db8::/32"]
    assert around("vps7.example.net") == around("::/0") == []


@given(st.ip_addresses(), st.integers(0, 128))
def test_every_network_that_holds_an_address_is_named(ip: object, length: int) -> None:
    address = ip_address(str(ip))
    length = min(length, address.max_prefixlen)
    kind = IPv4Network if address.version == 4 else IPv6Network

    names = addresses._holding(str(address))

    mapped = getattr(address, "ipv4_mapped", None)
    assert mapped is not None or str(kind((address, length), strict=False)) in names
    assert len(names) <= 129


@pytest.mark.parametrize("broken", ["{", "", "[1]", "7", "null", '"x"'])
def test_a_broken_answer_counts_as_none(store: StoreBuilder, broken: str) -> None:
    store.record(event())
    store.learn(located())
    with store.writing() as connection:
        connection.execute("UPDATE enrichments SET raw = ?", (broken,))

    with store.reading() as connection:
        found = enrichments.latest(connection, "192.0.2.7")

    assert found is not None
    assert (found.raw, found.city, found.is_hosting) == ({}, "Amsterdam", True)
    assert found.field_sources["city"] == "IPinfo"


def test_the_newest_snapshot_is_read(store: StoreBuilder) -> None:
    store.learn(located(at=NOW), located(at=NOW - HOUR))

    with store.reading() as connection:
        found = enrichments.latest(connection, "192.0.2.7")
        nothing = enrichments.latest(connection, "192.0.2.8")

    assert found == located(at=NOW)
    assert nothing is None


def test_no_question_reads_all_bans(store: StoreBuilder) -> None:
    store.record(event())
    asked: list[str] = []
    with store.reading() as connection:
        connection.set_trace_callback(asked.append)
        addresses.records(connection, "192.0.2.7")
        addresses.networks_around(connection, "192.0.2.7")
        enrichments.latest(connection, "192.0.2.7")
        fates.of_ban(connection, store.ids[0])
        addresses.observed(connection, "192.0.2.7")
        addresses.attacks(connection, "192.0.2.7")
        connection.set_trace_callback(None)
        plans = [
            row["detail"]
            for question in asked
            for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")
        ]

    assert len(asked) == 6
    assert any("bans_by_ip" in plan for plan in plans)
    tables = ("bans", "enrichments", "outbox", "log_lines", "observed", "ban_attacks")
    assert not [plan for plan in plans if plan in {f"SCAN {name}" for name in tables}]
