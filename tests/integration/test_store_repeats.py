"""Bans that repeat what another jail saw, in any order of arrival."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.address import read_address
from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.classify.jails import Jail, shipped_jails
from f2b_enrich.classify.rules import shipped
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.model import ban_id, time_text
from f2b_enrich.store import addresses, bans, classes, facts, jails, lists, neighbours
from f2b_enrich.store.connection import open_writer
from f2b_enrich.store.repeats import settle
from tests.stores import NOW, StoreBuilder, event, shipped_analysis

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from f2b_enrich.model import Event

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FAIL2BAN_LINE = (
    "2026-11-21 20:14:02,109 fail2ban.actions [4711]: NOTICE  [sshd] Ban 192.0.2.7",
)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def repetition(
    ip: str = "192.0.2.7", *, at: datetime = NOW, jail: str = "recidive"
) -> Event:
    return event(ip, at=at, jail=jail, lines=FAIL2BAN_LINE)


def repeats(store: StoreBuilder) -> dict[str, str | None]:
    with store.reading() as connection:
        rows = connection.execute("SELECT id, repeat_of FROM bans").fetchall()
    return dict(map(tuple, rows))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_points_at_the_newest_ban_before_it_whatever_came_first(
    store: StoreBuilder, order: Sequence[int]
) -> None:
    events = (
        event(at=NOW - timedelta(hours=1)),
        event(at=NOW - SECOND, jail="postfix-sasl"),
        repetition(),
    )
    ids = {}
    for place in order:
        (ids[place],) = store.record(events[place])
        store.classify()

    assert repeats(store) == {ids[0]: None, ids[1]: None, ids[2]: ids[1]}


@pytest.mark.parametrize(
    "other",
    [
        event("192.0.2.8"),
        event(at=NOW + SECOND),
        event(at=NOW - DAY - SECOND),
        repetition(at=NOW - SECOND, jail="Recidive"),
    ],
    ids=["another address", "later", "over a day before", "a repetition itself"],
)
def test_it_repeats_nothing_else(store: StoreBuilder, other: Event) -> None:
    store.record(other, repetition())

    store.classify()

    assert set(repeats(store).values()) == {None}


def test_it_repeats_no_ban_of_another_host(store: StoreBuilder) -> None:
    store.record(event(), host="web2")
    store.record(repetition())

    store.classify()

    assert set(repeats(store).values()) == {None}


def test_its_lines_are_classed_as_no_attack(store: StoreBuilder) -> None:
    first, second = store.record(event(), repetition())

    store.classify()

    with store.reading() as connection:
        rows = connection.execute(
            "SELECT id, attack, attacks, is_repeat FROM ban_log"
        ).fetchall()
    assert {row["id"]: tuple(row)[1:] for row in rows} == {
        first: ("ssh-password-guessing", "ssh-password-guessing", 0),
        second: ("repeat-offender", "repeat-offender", 1),
    }


def test_it_is_counted_apart_everywhere(store: StoreBuilder) -> None:
    first, _, third = store.record(
        event(at=NOW - timedelta(hours=1)), event(at=NOW - SECOND), repetition()
    )
    store.record(repetition("192.0.2.8"), event("192.0.2.9"))
    store.record(repetition(), host="web2")
    store.classify()

    with store.reading() as connection:
        of_first, of_third = (facts.of(connection, ban) for ban in (first, third))
        totals = lists.tally(connection, lists.BanQuery())
        near = neighbours.around(
            connection,
            "192.0.2.7",
            subnet=read_address("192.0.2.7").subnet,
            until=NOW,
        )
        records = addresses.records(connection, "192.0.2.7")

    assert of_first is not None
    assert (of_first.past.nth, of_first.past.repeats) == (1, 0)
    assert of_third is not None
    assert (of_third.past.nth, of_third.past.repeats) == (2, 1)
    assert [jail.name for jail in of_third.past.jails] == ["sshd"]
    assert of_third.past.previous_at == NOW - SECOND
    assert of_third.past.other_hosts == ()
    assert of_third.repeated is not None
    assert of_third.repeated.banned_at == NOW - SECOND
    assert (totals.bans, totals.addresses, totals.repeats) == (3, 2, 3)
    assert near is not None
    assert [tally.name for tally in near.most] == ["192.0.2.9"]
    assert {(each.jail, each.host): each.is_repeat for each in records} == {
        ("sshd", "web1"): False,
        ("recidive", "web1"): True,
        ("recidive", "web2"): True,
    }


def test_a_repetition_of_nothing_known_has_a_past_all_the_same(
    store: StoreBuilder,
) -> None:
    (ban,) = store.record(repetition())
    store.classify()

    with store.reading() as connection:
        found = facts.of(connection, ban)

    assert found is not None
    assert found.repeated is None
    assert (found.past.nth, found.past.jails, found.past.repeats) == (0, (), 1)
    assert found.past.first_at == found.past.thread_at == NOW


def test_what_repeats_a_ban_is_left_alone_by_a_jail_that_only_repeats(
    store: StoreBuilder,
) -> None:
    before, seen, again = store.record(
        event(at=NOW - timedelta(hours=2)),
        event(at=NOW - timedelta(hours=1), jail="watch"),
        repetition(),
    )
    store.classify()
    assert repeats(store)[again] == seen
    watching = Jail(name="watch", service="other", attack=REPEAT_OFFENDER)
    with store.writing() as connection:
        connection.execute("UPDATE bans SET rule_set = NULL")

    store.classify(Analysis(shipped(), (watching,), shipped_jails()))

    assert repeats(store) == {before: None, seen: before, again: before}
    with store.writing() as connection:
        connection.execute("UPDATE bans SET rule_set = NULL")
    store.classify()
    assert repeats(store) == {before: None, seen: None, again: seen}


def test_settling_one_of_thousands_of_repetitions_writes_only_that(
    store: StoreBuilder,
) -> None:
    store.record(event(at=NOW - timedelta(hours=6)))
    store.record(*(repetition(at=NOW - n * SECOND) for n in range(2000)))
    store.classify()
    with store.writing() as connection:
        ids = connection.execute(
            "SELECT id FROM bans WHERE jail = 'recidive' ORDER BY banned_at"
        ).fetchall()
        before = connection.total_changes
        steps: list[int] = []
        connection.set_progress_handler(lambda: steps.append(1), 1000)
        for row in (ids[0], ids[-1]):
            settle(connection, row["id"])
        connection.set_progress_handler(None, 0)
        changes = connection.total_changes - before

    assert changes == 0
    # Some hundred thousand of SQLite's steps: a walk back over each, not over all of
    # them for each.
    assert len(steps) < 300


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("store") / "bans.db"
    with open_writer(path) as connection:
        yield connection


MOMENTS = st.builds(
    lambda jail, hours, seconds: (jail, timedelta(hours=hours, seconds=seconds)),
    st.sampled_from(["sshd", "postfix", "recidive", "RECIDIVE"]),
    st.integers(0, 40),
    st.integers(0, 1),
)


@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=8, unique=True),
    shuffle=st.randoms(use_true_random=False),
    classed_between=st.booleans(),
)
def test_any_order_of_arrival_gives_the_same(
    connection: sqlite3.Connection,
    moments: list[tuple[str, timedelta]],
    shuffle: Random,
    classed_between: bool,  # noqa: FBT001 - Hypothesis names it
) -> None:
    store = _InOneTransaction(connection)
    events = [event(jail=jail, at=NOW + after, lines=()) for jail, after in moments]
    mixed = list(events)
    shuffle.shuffle(mixed)

    in_order = store.outcome(events, classed_between=False)
    in_disorder = store.outcome(mixed, classed_between=classed_between)

    assert in_order == in_disorder == expected(events)


def expected(events: Sequence[Event]) -> set[tuple[str, str, str | None]]:
    """Say it in Python: the newest of the day before that is no repetition."""
    real = [each for each in events if each.jail.lower() != "recidive"]
    found = set()
    for each in events:
        repeated = None
        if each not in real:
            seen = [
                (-one.failed_at, _id(one))
                for one in real
                if 0 <= each.failed_at - one.failed_at <= DAY.total_seconds()
            ]
            repeated = min(seen)[1] if seen else None
        found.add((each.jail, _at(each), repeated))
    return found


def _id(one: Event) -> str:
    return ban_id("web1", one.jail, one.ip, one.failed_at)


def _at(one: Event) -> str:
    return time_text(one.at)


class _InOneTransaction:
    """A store that is empty again after each outcome."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def outcome(
        self, events: Sequence[Event], *, classed_between: bool
    ) -> set[tuple[str, str, str | None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for each in events:
                self._record(each)
                if classed_between:
                    self._classify()
            self._classify()
            rows = self._connection.execute(
                "SELECT jail, banned_at, repeat_of FROM bans"
            )
            return {tuple(row) for row in rows}
        finally:
            self._connection.execute("ROLLBACK")

    def _record(self, each: Event) -> None:
        bans.record(self._connection, each, host="web1", jail=each.jail, now=NOW)

    def _classify(self) -> None:
        analysis = shipped_analysis()
        jails.refresh(self._connection, analysis.jail_names(), analysis.known_jail)
        for ban in classes.not_classed(self._connection, after=0, limit=-1):
            (shown,) = analysis.show_all((ban,))
            analysis.save(self._connection, ban, shown, now=NOW)
