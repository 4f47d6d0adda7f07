"""Thousands of bans of one address, and hosts that ban it, cost each as few do."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.joining.sightings import Sighting, id_of
from f2b_enrich.store import bans
from f2b_enrich.store.connection import transaction
from f2b_enrich.store.intake import Brought, take_in
from f2b_enrich.store.settling import decide, settle_live
from tests.events import HOST, a_ban, an_unban
from tests.histories import BEGIN
from tests.steps import python_steps, sqlite_steps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from f2b_enrich.model import Event

FEW, MANY = 50, 400
IP = "192.0.2.7"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def logged(number: int) -> Sighting:
    return Sighting(
        kind="ban",
        precision="logged",
        origin="log",
        at=BEGIN + 1200 * number,
        jail="sshd",
        ends_at=BEGIN + 1200 * number + 600,
    )


def take(store: sqlite3.Connection, told: Iterable[Sighting], host: str = HOST) -> None:
    records = [Brought(sighting=each, reference="fail2ban.log") for each in told]
    with transaction(store):
        take_in(store, {(host, IP): records}, now=NOW, look_up="local")


def test_one_more_record_costs_each_ban_as_much(store: sqlite3.Connection) -> None:
    costs = []
    for count in (FEW, MANY):
        take(store, map(logged, range(count)))
        new = {(HOST, IP): {logged(-1)}}
        costs.append(python_steps(partial(decide, store, new, now=NOW)) / count)

    assert costs[1] < 1.3 * costs[0]


@pytest.mark.parametrize("has_rows", [False, True])
def test_alerts_of_our_own_cost_each_ban_as_much(
    store: sqlite3.Connection, *, has_rows: bool
) -> None:
    costs = []
    for count in (FEW, MANY):
        failures = [
            logged(number)._replace(precision="failure", origin="fail2ban-db")
            for number in range(count)
        ]
        alerts = [
            each._replace(
                precision="mailed",
                origin="mail",
                at=each.at + 1,
                message_id=f"<{each.at}@web1.example>",
                alert_of=id_of(each, HOST, IP),
            )
            for each in failures
        ]
        if has_rows:
            take(store, failures)
        new = {(HOST, IP): {*failures, *alerts}}
        costs.append(python_steps(partial(decide, store, new, now=NOW)) / count)

    assert costs[1] < 1.3 * costs[0]


def test_the_end_of_a_ban_costs_as_much_after_few_others(
    store: sqlite3.Connection,
) -> None:
    """The log told of the ban as well, but of nothing later."""
    costs = []
    for count in (FEW, MANY):
        take(store, map(logged, range(count)))
        failed_at = float(BEGIN + 1200 * count)
        told_live(store, a_ban(ip=IP, failed_at=failed_at, bantime_seconds=600))
        take(store, (logged(count)._replace(ends_at=None),))
        end = datetime.fromtimestamp(failed_at + 601, UTC)
        event = an_unban(ip=IP, failed_at=failed_at, at=end)
        costs.append(python_steps(partial(told_live, store, event)))
        assert store.execute(
            "SELECT count(*) FROM bans WHERE origin = 'live' AND unbanned_at NOTNULL"
        ).fetchone()[0] == len(costs)

    assert costs[1] < 1.3 * costs[0]


def told_live(store: sqlite3.Connection, event: Event) -> None:
    with transaction(store):
        first = bans.record(store, event, host=HOST, jail="sshd", now=NOW)
        settle_live(store, first, event, host=HOST, jail="sshd", now=NOW)


def of_hosts(count: int, *, again: int = 0) -> dict[tuple[str, str], list[Brought]]:
    return {
        (f"web{host}.example", IP): [
            Brought(sighting=logged(5 * again + number), reference="fail2ban.log")
            for number in range(5)
        ]
        for host in range(count)
    }


def test_an_address_that_many_hosts_ban_costs_each_as_much(
    store: sqlite3.Connection,
) -> None:
    costs = []
    for count in (FEW, MANY):
        with transaction(store):
            take_in(store, of_hosts(count), now=NOW, look_up="none")
        records = of_hosts(count, again=1)
        again = partial(take_in, store, records, now=NOW, look_up="local")
        costs.append(sqlite_steps(store, again) / count)

    assert costs[1] < 1.3 * costs[0]


def test_one_host_of_many_reads_no_rows_of_the_others(
    store: sqlite3.Connection,
) -> None:
    """Beside its own it passes over what the index holds, some steps for each."""
    with transaction(store):
        take_in(store, of_hosts(MANY), now=NOW, look_up="none")
    new = {("web1.example", IP): {logged(99)}}
    cost = sqlite_steps(store, partial(decide, store, new, now=NOW))

    assert cost < 15 * 5 * MANY
