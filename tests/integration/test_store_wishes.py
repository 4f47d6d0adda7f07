"""What is wished of old bans, and that live ones never meet them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store import bans, enrichments, figures, outbox, wishes
from f2b_enrich.store.connection import transaction
from f2b_enrich.store.settling import settle_live
from tests.events import HOST, a_ban
from tests.old_bans import FIRST, bring
from tests.steps import sqlite_steps
from tests.stores import located

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from f2b_enrich.model import Enrichment, Event
    from f2b_enrich.store.wishes import LookUp, OldBan

IP = "192.0.2.7"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
SIZES: Sequence[LookUp] = ("none", "local", "full")


def local_only(ip: str = IP) -> Enrichment:
    return replace(located(ip, at=NOW), local_only=True)


def look_ups(store: sqlite3.Connection) -> list[tuple[str, int | None]]:
    rows = store.execute("SELECT look_up, enrichment_id FROM bans ORDER BY rowid")
    return [tuple(row) for row in rows]


def report(store: sqlite3.Connection, event: Event) -> None:
    """Record a live report as the daemon does."""
    with transaction(store):
        store.execute("PRAGMA defer_foreign_keys = ON")
        recorded = bans.record(store, event, host=HOST, jail="sshd", now=NOW)
        settle_live(store, recorded, event, host=HOST, jail="sshd", now=NOW)


def to_place(store: sqlite3.Connection, *, limit: int = 100) -> tuple[OldBan, ...]:
    return wishes.to_place(store, since=LONG_AGO, after=0, limit=limit)


def to_ask(store: sqlite3.Connection, *, limit: int = 100) -> tuple[OldBan, ...]:
    return wishes.to_ask(store, since=LONG_AGO, before=1 << 62, limit=limit)


def test_the_largest_wish_wins_in_any_order(store: sqlite3.Connection) -> None:
    for number, order in enumerate(product(SIZES, repeat=3)):
        ip = f"192.0.2.{number}"
        for look_up in order:
            bring(store, [ip], look_up=look_up, host=HOST)

        largest = wishes.kept(max(order, key=SIZES.index))
        assert look_ups(store)[number:] == [(largest, None)]


@pytest.mark.parametrize("look_up", SIZES)
@pytest.mark.parametrize("is_live_first", [True, False])
def test_a_ban_that_is_told_live_is_looked_up_as_such(
    store: sqlite3.Connection, look_up: LookUp, *, is_live_first: bool
) -> None:
    at = FIRST.timestamp()
    live = replace(a_ban(ip=IP), failed_at=at - 1, at=FIRST)
    if is_live_first:
        report(store, live)
    bring(store, [IP], look_up=look_up, host=HOST)
    page = to_place(store)
    with transaction(store):
        wishes.place(store, page, {ban.ip: local_only() for ban in page})
    if not is_live_first:
        report(store, live)

    assert look_ups(store) == [("full", None)]
    (ban,) = enrichments.waiting(store, after=0, limit=10)
    assert ban.ip == IP


def test_none_waits_for_nothing(store: sqlite3.Connection) -> None:
    bring(store, [IP], look_up="none")

    assert to_place(store) == to_ask(store) == ()
    assert enrichments.waiting(store, after=0, limit=9) == ()
    assert wishes.waiting(store) == wishes.Waiting(local=0, full=0)


def test_what_only_the_local_database_said_serves_no_live_ban(
    store: sqlite3.Connection,
) -> None:
    bring(store, [IP], host=HOST)
    with transaction(store):
        wishes.place(store, to_place(store), {IP: local_only()})
    report(store, a_ban(ip=IP))
    with transaction(store):
        is_fresh = enrichments.attach_fresh(
            store, IP, complete_since=LONG_AGO, incomplete_since=LONG_AGO
        )
    assert not is_fresh
    assert look_ups(store) == [("local", 1), ("full", None)]

    with transaction(store):
        enrichments.save(store, located(IP, at=NOW))

    assert look_ups(store) == [("local", 1), ("full", 2)]


def test_a_live_look_up_serves_old_bans_that_wait(store: sqlite3.Connection) -> None:
    bring(store, [IP, "192.0.2.8"])
    bring(store, ["192.0.2.9"], look_up="full")
    with transaction(store):
        for ip in (IP, "192.0.2.9"):
            enrichments.save(store, located(ip, at=NOW))

    page = to_place(store, limit=1), to_ask(store)
    assert [[(ban.ip, ban.known) for ban in each] for each in page] == [
        [("192.0.2.9", 2)],
        [("192.0.2.9", 2)],
    ]
    with transaction(store):
        wishes.asked(store, to_ask(store), {})

    assert [(ban.ip, ban.known) for ban in to_place(store)] == [
        (IP, 1),
        ("192.0.2.8", None),
    ]


def test_a_full_wish_waits_for_both_and_keeps_what_it_had_if_nothing_is_found(
    store: sqlite3.Connection,
) -> None:
    bring(store, [IP], look_up="full")
    assert wishes.waiting(store) == wishes.Waiting(local=1, full=1)

    with transaction(store):
        wishes.place(store, to_place(store), {IP: local_only()})
    assert wishes.waiting(store) == wishes.Waiting(local=0, full=1)

    with transaction(store):
        wishes.asked(store, to_ask(store), {})
    assert wishes.waiting(store) == wishes.Waiting(local=0, full=0)
    assert look_ups(store) == [("full", 1)]


def test_a_row_that_is_another_bans_by_now_gets_nothing(
    store: sqlite3.Connection,
) -> None:
    bring(store, [IP])
    page = to_place(store)
    with transaction(store):
        store.execute("UPDATE bans SET ip = '192.0.2.8'")
        wishes.place(store, page, {IP: local_only()})
        wishes.place(store, [replace(page[0], ip="192.0.2.8", known=99)], {})

    assert look_ups(store) == [("local", None)]


def test_status_tells_live_bans_and_others_apart(store: sqlite3.Connection) -> None:
    bring(store, [IP, "192.0.2.8"])
    report(store, a_ban(ip="192.0.2.9"))
    with transaction(store):
        wishes.place(store, to_place(store, limit=1), {IP: local_only()})

    assert figures.bans_waiting(store, since=LONG_AGO) == 1
    assert wishes.waiting(store) == wishes.Waiting(local=1, full=0)
    assert wishes.look_ups_since(store, LONG_AGO, most=9) == 0
    found = figures.look_ups(store, since=LONG_AGO, until=NOW)
    assert (found.look_ups, found.served) == (0, 0)


def test_a_days_look_ups_are_counted_no_further_than_needed(
    store: sqlite3.Connection,
) -> None:
    with transaction(store):
        for minute in range(4):
            at = NOW + timedelta(minutes=minute)
            enrichments.save(store, replace(located(IP), looked_up_at=at))

    assert wishes.look_ups_since(store, NOW + timedelta(minutes=1), most=9) == 3
    assert wishes.look_ups_since(store, NOW, most=2) == 2


ASKED: Sequence[tuple[str, Callable[[sqlite3.Connection], object]]] = (
    (
        "record",
        lambda db: bans.record(
            db, a_ban(ip="192.0.2.1"), host=HOST, jail="sshd", now=NOW
        ),
    ),
    ("sweep", lambda db: enrichments.waiting(db, after=0, limit=10)),
    ("figures", lambda db: figures.bans_waiting(db, since=LONG_AGO)),
    ("save", lambda db: enrichments.save(db, located("192.0.2.1", at=NOW))),
    ("stop waiting", lambda db: outbox.stop_waiting(db, "192.0.2.1")),
    ("to place", lambda db: to_place(db, limit=10)),
    ("to ask", lambda db: to_ask(db, limit=10)),
    ("look-ups", lambda db: wishes.look_ups_since(db, LONG_AGO, most=10)),
)


def test_nothing_costs_more_for_all_that_waits(store: sqlite3.Connection) -> None:
    report(store, a_ban(ip="192.0.2.2"))
    costs = []
    for count in (20, 800):
        ips = [f"2001:db8:{count:x}::{number:x}" for number in range(count)]
        bring(store, ips)
        bring(store, ips[::2], look_up="full")
        costs.append(
            {name: sqlite_steps(store, partial(ask, store)) for name, ask in ASKED}
        )

    few, many = costs
    dearer = {name for name, _ in ASKED if many[name] > 1.1 * few[name] + 20}
    assert dearer == set(), costs


def test_wishes_for_many_hosts_cost_no_more_than_their_bans(
    store: sqlite3.Connection,
) -> None:
    store.execute("CREATE TEMP TABLE listed (ip TEXT, host TEXT)")
    costs = []
    for ip, count in (("192.0.2.2", 20), ("192.0.2.3", 80)):
        hosts = [f"web{number}.example" for number in range(count)]
        for host in (*hosts, "mail.example"):
            bring(store, [ip], host=host, look_up="none")
        store.execute("DELETE FROM listed")
        store.executemany("INSERT INTO listed VALUES (?, ?)", product([ip], hosts))
        ask = partial(wishes.raise_listed, store, "temp.listed", "local")
        costs.append(sqlite_steps(store, ask))
        with transaction(store):
            ask()

    few, many = costs
    assert many < 5 * few
    rows = store.execute("SELECT host FROM bans WHERE look_up = 'none'")
    assert {row["host"] for row in rows} == {"mail.example"}
