"""What a mail tells of an address's past, read from a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import Tally
from f2b_enrich.store import facts as store_facts
from f2b_enrich.store import history
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.model import History

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def past_of(store: StoreBuilder, ban_id: str) -> History:
    with store.reading() as connection:
        facts = store_facts.of(connection, ban_id)
        assert facts is not None
        return history.of(connection, facts.ban)


def test_the_first_ban_of_all_has_itself_for_a_past(store: StoreBuilder) -> None:
    (ban,) = store.record(event())

    past = past_of(store, ban)

    assert past.nth == 1
    assert past.jails == (Tally(name="sshd", bans=1, first_at=NOW),)
    assert past.records_since == past.first_at == past.thread_at == NOW
    assert past.previous_at is None
    assert past.imported == 0
    assert past.other_hosts == ()
    assert past.neighbours is not None
    assert (past.neighbours.addresses, past.neighbours.bans) == (0, 0)
    assert past.neighbours.most == ()


def test_bans_are_counted_by_jail_and_by_host_and_up_to_this_one(
    store: StoreBuilder,
) -> None:
    store.record(event(at=NOW - 5 * DAY, jail="postfix"), event(at=NOW - 2 * DAY))
    store.record(event("198.51.100.1", at=NOW - 90 * DAY))
    store.record(event(at=NOW - 7 * DAY), event(at=NOW - DAY), host="mail1")
    store.record(event(at=NOW - 3 * DAY), event(at=NOW + DAY), host="app")
    (ban,) = store.record(event())
    store.record(event(at=NOW + DAY))

    past = past_of(store, ban)

    assert past.nth == 3
    assert past.jails == (
        Tally(name="sshd", bans=2, first_at=NOW - 2 * DAY),
        Tally(name="postfix", bans=1, first_at=NOW - 5 * DAY),
    )
    assert past.first_at == NOW - 5 * DAY
    assert past.previous_at == NOW - 2 * DAY
    assert past.records_since == NOW - 90 * DAY
    assert past.other_hosts == (
        Tally(name="mail1", bans=2, first_at=NOW - 7 * DAY),
        Tally(name="app", bans=1, first_at=NOW - 3 * DAY),
    )


def test_two_jails_at_the_same_second_are_each_others_previous(
    store: StoreBuilder,
) -> None:
    first, second = store.record(event(jail="sshd"), event(jail="recidive"))

    assert past_of(store, first).previous_at == NOW
    assert past_of(store, second).nth == 2


def test_only_bans_that_were_never_live_count_as_imported(store: StoreBuilder) -> None:
    from_log, both = store.record(event(at=NOW - 2 * DAY), event(at=NOW - DAY))
    (ban,) = store.record(event())
    with store.writing() as connection:
        connection.execute(
            "UPDATE bans SET origin = 'log' WHERE id IN (?, ?)", (from_log, both)
        )
        connection.execute(
            "INSERT INTO other_origins VALUES (?, 'live', '', ?)", (both, "2026")
        )

    assert past_of(store, ban).imported == 1


def test_neighbours_are_other_addresses_of_the_last_30_days(
    store: StoreBuilder,
) -> None:
    for last, times in ((9, 3), (13, 2), (40, 2), (41, 1)):
        for back in range(times):
            store.record(event(f"192.0.2.{last}", at=NOW - (back + 1) * DAY))
    store.record(
        event("192.0.2.50", at=NOW - 31 * DAY),
        event("192.0.20.1", at=NOW - DAY),
        event("192.0.2.51", at=NOW + DAY),
        event("192.0.1.255", at=NOW - DAY),
    )
    (ban,) = store.record(event())

    near = past_of(store, ban).neighbours

    assert near is not None
    assert (near.subnet, near.days) == ("192.0.2.0/24", 30)
    assert (near.addresses, near.bans) == (4, 8)
    assert [(one.name, one.bans) for one in near.most] == [
        ("192.0.2.9", 3),
        ("192.0.2.13", 2),
        ("192.0.2.40", 2),
    ]


@pytest.mark.parametrize(
    ("ip", "near", "far"),
    [
        ("2001:db8::7", "2001:db8::1:2:3:4", "2001:db8:0:1::7"),
        ("2001:db8:0:1::7", "2001:db8:0:1:2:3:4:5", "2001:db8:0:2::7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::8", "2001:db8:1:20::8"),
    ],
)
def test_a_64_is_found_however_its_addresses_are_written(
    store: StoreBuilder, ip: str, near: str, far: str
) -> None:
    store.record(event(near, at=NOW - DAY), event(far, at=NOW - DAY))
    (ban,) = store.record(event(ip))

    found = past_of(store, ban).neighbours

    assert found is not None
    assert [one.name for one in found.most] == [near]


def test_a_banned_network_is_no_neighbour(store: StoreBuilder) -> None:
    store.record(event("192.0.2.0/25"), event("192.0.2.0/24"), event("192.0.2.9"))
    (ban,) = store.record(event())

    found = past_of(store, ban).neighbours

    assert found is not None
    assert (found.addresses, found.bans) == (1, 1)


@pytest.mark.parametrize("ip", ["192.0.2.0/24", "192.0.2.64/26"])
def test_a_small_network_has_neighbours(store: StoreBuilder, ip: str) -> None:
    store.record(event("192.0.2.9"))
    (ban,) = store.record(event(ip))

    found = past_of(store, ban).neighbours

    assert found is not None
    assert (found.subnet, found.addresses) == ("192.0.2.0/24", 1)


@pytest.mark.parametrize(
    "ip",
    [
        *("10.0.0.0/8", "2001:db8::/32", "2a00::/24", "192.0.0.0/16", "2001:db8::/63"),
        *("::5", "vps7.example.net"),
    ],
)
def test_what_is_nobodys_single_address_has_no_neighbours(
    store: StoreBuilder, ip: str
) -> None:
    (ban,) = store.record(event(ip))

    assert past_of(store, ban).neighbours is None


@pytest.mark.parametrize(
    ("days_ago", "began"),
    [
        ([0], 0),
        ([30, 0], 30),
        ([31, 0], 0),
        ([40, 20, 0], 0),
        ([40, 20, 10, 0], 0),
        ([70, 39, 20, 8, 0], 8),
        ([70, 39, 20, 10, 0], 0),
        ([400, 29, 10, 0], 29),
    ],
)
def test_a_thread_ends_30_days_after_its_first_ban(
    store: StoreBuilder, days_ago: list[int], began: int
) -> None:
    ids = store.record(*(event(at=NOW - days * DAY) for days in days_ago))
    store.record(event(at=NOW - DAY), host="other")

    assert past_of(store, ids[-1]).thread_at == NOW - began * DAY


def test_a_ban_of_long_ago_or_far_ahead_has_a_past_too(store: StoreBuilder) -> None:
    old, late = store.record(
        event(at=datetime(1, 1, 2, tzinfo=UTC)),
        event(at=datetime(9999, 12, 30, tzinfo=UTC)),
    )

    assert past_of(store, old).nth == 1
    assert past_of(store, late).thread_at.year == 9999


def plans_of(store: StoreBuilder) -> list[tuple[str, list[str]]]:
    """Give each question that a ban's history asks, and how SQLite answers it."""
    (ban,) = store.record(event())
    asked: list[str] = []
    with store.reading() as connection:
        facts = store_facts.of(connection, ban)
        assert facts is not None
        connection.set_trace_callback(asked.append)
        history.of(connection, facts.ban)
        connection.set_trace_callback(None)
        return [
            (question, [row["detail"] for row in plan])
            for question in asked
            for plan in [connection.execute(f"EXPLAIN QUERY PLAN {question}")]
        ]


def test_every_question_is_answered_from_an_index(store: StoreBuilder) -> None:
    asked = plans_of(store)
    plans = [detail for _, plan in asked for detail in plan]
    assert len(asked) >= 6
    searches = [plan for plan in plans if plan.startswith("SEARCH bans USING ")]
    assert len(searches) >= len(asked)
    assert not [plan for plan in plans if plan.startswith("SCAN bans")]


def test_no_ban_of_an_address_is_read_but_in_the_index(store: StoreBuilder) -> None:
    plans = [
        detail
        for question, plan in plans_of(store)
        if "host" in question
        for detail in plan
    ]
    by_ip = [plan for plan in plans if "bans_by_ip" in plan]
    assert len(by_ip) >= 3
    assert all("COVERING INDEX" in plan for plan in by_ip)
