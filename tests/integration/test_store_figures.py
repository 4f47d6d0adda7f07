"""What `status` counts, in real stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.enrich.merge import not_looked_up
from f2b_enrich.store import classes, enrichments, figures
from tests.stores import NOW, StoreBuilder, event, filled, located, shipped_analysis

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def test_look_ups_count_only_what_sources_were_asked(store: StoreBuilder) -> None:
    store.learn(
        not_looked_up("10.0.0.1", "private", looked_up_at=NOW),
        located("198.51.100.1", at=NOW),
        replace(located("198.51.100.2", at=NOW), complete=False),
    )

    with store.reading() as connection:
        hour = figures.look_ups(connection, since=NOW - HOUR, until=NOW)
        now = figures.look_ups(connection, since=NOW, until=NOW)

    assert (hour.look_ups, hour.incomplete) == (3, 1)
    assert (now.look_ups, now.incomplete) == (2, 1)


def test_bans_that_found_a_look_up_in_the_store_are_told_apart(
    tmp_path: Path,
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(at=NOW - HOUR), event("10.0.0.1", at=NOW - HOUR))
    store.learn(
        located(at=NOW - HOUR + timedelta(seconds=2)),
        not_looked_up("10.0.0.1", "private", looked_up_at=NOW),
    )
    store.record(event(at=NOW), event(jail="other", at=NOW))
    with store.writing() as connection:
        assert enrichments.attach_fresh(
            connection, "192.0.2.7", complete_since=NOW - HOUR, incomplete_since=NOW
        )

    with store.reading() as connection:
        found = figures.look_ups(connection, since=NOW - 2 * HOUR, until=NOW)

    assert (found.served, found.from_store) == (3, 2)


def test_a_clock_that_was_wrong_hides_no_look_up(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.learn(
        located(at=NOW - HOUR),
        located(at=NOW - 99 * HOUR),
        located(at=NOW),
        located(at=NOW + HOUR),
    )

    with store.reading() as connection:
        found = figures.look_ups(connection, since=NOW - 2 * HOUR, until=NOW)

    assert found.look_ups == 2


def test_two_look_ups_of_one_address_are_two(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.learn(located(at=NOW - HOUR), located(at=NOW))

    with store.reading() as connection:
        found = figures.look_ups(connection, since=NOW - 2 * HOUR, until=NOW)

    assert found.look_ups == 2


def test_a_broken_answer_does_not_stop_the_count(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute("UPDATE enrichments SET raw = '{'")

    with store.reading() as connection:
        found = figures.look_ups(connection, since=NOW - HOUR, until=NOW)

    assert found.look_ups == 1


def test_bans_wait_until_they_are_looked_up(store: StoreBuilder) -> None:
    with store.reading() as connection:
        assert figures.bans_waiting(connection, since=NOW - 40 * HOUR) == 2
        assert figures.bans_waiting(connection, since=NOW - 39 * HOUR) == 1


def test_hosts_are_counted(store: StoreBuilder) -> None:
    store.record(event(at=NOW), host="mail1")

    with store.reading() as connection:
        assert figures.hosts(connection) == 2


def test_what_repeats_a_ban_neither_waits_nor_is_served(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(), event(jail="recidive"), event("192.0.2.8", jail="recidive"))
    store.classify()
    store.learn(located(at=NOW))

    with store.reading() as connection:
        found = figures.look_ups(connection, since=NOW - HOUR, until=NOW)
        waiting = figures.bans_waiting(connection, since=NOW - HOUR)

    assert (found.look_ups, found.served, waiting) == (1, 1, 0)


def test_bans_are_counted_by_what_their_jails_guard(store: StoreBuilder) -> None:
    store.record(event(jail="own"), event(jail="recidive"), event(jail="dovecot"))
    store.classify()
    store.record(event(jail="new"), event(at=NOW + HOUR))

    with store.reading() as connection:
        month = figures.services(connection, since=NOW - 720 * HOUR, until=NOW + HOUR)
        none = figures.services(connection, since=NOW + 2 * HOUR, until=NOW + 3 * HOUR)

    assert list(month.items()) == [("ssh", 4), ("other", 2), ("mail", 1)]
    assert none == {}


def test_bans_wait_until_they_are_classed(store: StoreBuilder) -> None:
    with store.reading() as connection:
        assert figures.bans_not_classed(connection) == 5
        assert figures.bans_of_older_rules(connection) == 0
    store.classify()
    with store.reading() as connection:
        assert figures.bans_not_classed(connection) == 0


def test_bans_of_older_rules_are_counted_while_there_are_any(
    store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.classify()
    newer = Analysis((), (), shipped_jails())
    store.record(event())
    store.classify(newer)

    with store.reading() as connection:
        assert figures.bans_of_older_rules(connection) == 5
        monkeypatch.setattr(figures, "MOST_OLDER", 3)
        assert figures.bans_of_older_rules(connection) == 3
    with store.writing() as connection:
        number = classes.rule_set(connection, newer.digest, now=NOW)
        connection.execute("UPDATE bans SET rule_set = ?", (number,))
    with store.reading() as connection:
        assert figures.bans_of_older_rules(connection) == 0
    assert newer.digest != shipped_analysis().digest


def test_rules_that_are_taken_back_are_those_of_today_again(
    store: StoreBuilder,
) -> None:
    tried = Analysis((), (), shipped_jails())
    store.classify()
    store.record(event())
    store.classify(tried)

    with store.writing() as connection:
        shipped_analysis().announce(connection, now=NOW + timedelta(hours=1))

    with store.reading() as connection:
        assert figures.bans_of_older_rules(connection) == 1
