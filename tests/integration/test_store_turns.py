"""Short transactions of a long work, and the pauses in which others write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store.turns import SHORTEST_PAUSE, Turns
from tests.clock import Seconds

if TYPE_CHECKING:
    import sqlite3


def turn(turns: Turns, clock: Seconds, seconds: float, *, is_alone: bool) -> None:
    with turns.transaction(is_alone=is_alone):
        clock.at += seconds
        assert turns.lasts == pytest.approx(seconds)
    assert turns.took == pytest.approx(seconds)


def test_a_pause_is_as_long_as_the_transaction_before(
    store: sqlite3.Connection,
) -> None:
    clock = Seconds()
    turns = Turns(store, clock=clock, pause=clock.pause)
    for seconds in (0.2, 0.001, 0.3):
        turn(turns, clock, seconds, is_alone=False)

    assert clock.pauses == pytest.approx([SHORTEST_PAUSE, 0.2, SHORTEST_PAUSE])


def test_time_that_passed_otherwise_is_no_pause(store: sqlite3.Connection) -> None:
    clock = Seconds()
    turns = Turns(store, clock=clock, pause=clock.pause)
    turn(turns, clock, 0.2, is_alone=False)
    clock.at += 0.15
    turn(turns, clock, 0.2, is_alone=False)
    clock.at += 9
    turn(turns, clock, 0.2, is_alone=False)

    assert clock.pauses == pytest.approx([SHORTEST_PAUSE, 0.05, 0])


def test_alone_nobody_is_waited_for(store: sqlite3.Connection) -> None:
    clock = Seconds()
    turns = Turns(store, clock=clock, pause=clock.pause)
    turn(turns, clock, 0.2, is_alone=True)
    turn(turns, clock, 0.3, is_alone=True)
    assert clock.pauses == []

    turn(turns, clock, 0.1, is_alone=False)
    assert clock.pauses == pytest.approx([0.3])


def test_what_fails_is_undone(store: sqlite3.Connection) -> None:
    turns = Turns(store, clock=Seconds(), pause=Seconds().pause)

    def fail() -> None:
        with turns.transaction():
            store.execute("INSERT INTO hosts VALUES ('web1', NULL, NULL, '', '')")
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert not store.in_transaction
    assert store.execute("SELECT count(*) FROM hosts").fetchone()[0] == 0
