"""What a ban shows, as the store keeps it and gives it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.attacks import Attack
from f2b_enrich.model import Observed
from f2b_enrich.store import bans, classes, reads
from tests.stores import LINES, NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

GUESSING = Attack(attack="ssh-password-guessing", lines=2)
EXPLOIT = Attack(
    attack="known-exploit", lines=4, cves=("CVE-2021-41773", "CVE-2021-42013")
)
ROOT = Observed(kind="username", value="root", lines=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def save(
    store: StoreBuilder,
    ban_id: str,
    *attacks: Attack,
    observed: tuple[Observed, ...] = (),
    digest: str = "first",
) -> int:
    with store.writing() as connection:
        number = classes.rule_set(connection, digest, now=NOW)
        classes.save(
            connection, ban_id, attacks=attacks, observed=observed, rule_set=number
        )
    return number


def test_a_ban_waits_with_its_lines_until_it_is_classed(store: StoreBuilder) -> None:
    first, second = store.record(event(), event("192.0.2.8", lines=()))

    with store.reading() as connection:
        found = classes.not_classed(connection, after=0, limit=10)
        later = classes.not_classed(connection, after=found[0].row, limit=10)
    save(store, first, GUESSING)
    with store.reading() as connection:
        left = classes.not_classed(connection, after=0, limit=10)

    assert [(ban.id, ban.jail, ban.lines) for ban in found] == [
        (first, "sshd", LINES),
        (second, "sshd", ()),
    ]
    assert later == left == found[1:]


def test_at_most_so_many_wait_at_a_time(store: StoreBuilder) -> None:
    ids = store.record(*(event(f"192.0.2.{last}") for last in range(1, 6)))

    with store.reading() as connection:
        found = classes.not_classed(connection, after=0, limit=2)

    assert [ban.id for ban in found] == ids[:2]


def test_what_a_ban_shows_comes_back_the_leading_class_first(
    store: StoreBuilder,
) -> None:
    (ban,) = store.record(event())
    two = Observed(kind="path", value="/x", lines=3)

    save(store, ban, GUESSING, EXPLOIT, observed=(ROOT, two))

    with store.reading() as connection:
        assert classes.attacks(connection, ban) == (GUESSING, EXPLOIT)
        assert classes.observed(connection, ban) == (two, ROOT)
        (row,) = connection.execute("SELECT attack, attacks, service FROM ban_log")
        (kept,) = map(reads.read_ban, connection.execute("SELECT * FROM bans"))
    assert tuple(row) == (
        "ssh-password-guessing",
        "ssh-password-guessing, known-exploit",
        "other",  # no daemon told what jails are for
    )
    assert kept.attack == "ssh-password-guessing"


def test_classing_again_takes_the_place_of_what_was_found(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    save(store, ban, GUESSING, EXPLOIT, observed=(ROOT,))

    save(store, ban, EXPLOIT, digest="second")

    with store.reading() as connection:
        assert classes.attacks(connection, ban) == (EXPLOIT,)
        assert classes.observed(connection, ban) == ()


def test_a_set_of_rules_keeps_its_number(store: StoreBuilder) -> None:
    (ban,) = store.record(event())

    numbers = [save(store, ban, GUESSING, digest=name) for name in ("a", "b", "a")]

    assert numbers[0] == numbers[2] != numbers[1]


def test_bans_classed_by_other_rules_are_found_and_counted(
    store: StoreBuilder,
) -> None:
    old, new, never = store.record(*(event(f"192.0.2.{last}") for last in (1, 2, 3)))
    save(store, old, GUESSING, digest="old")
    number = save(store, new, GUESSING, digest="new")

    with store.reading() as connection:
        found = classes.classed_otherwise(connection, number, after=0, limit=10)
        count = classes.count_classed_otherwise(connection, number)

    assert [ban.id for ban in found] == [old, never]
    assert count == 2


def test_lines_that_are_no_longer_kept_are_told_from_none(store: StoreBuilder) -> None:
    kept, bare = store.record(event(), event("192.0.2.8", lines=()))
    with store.writing() as connection:
        connection.execute("DELETE FROM log_lines")
        purged = classes.one(connection, kept)
        without = classes.one(connection, bare)
        nothing = classes.one(connection, "no such ban")
        number = classes.rule_set(connection, "x", now=NOW)
        classes.keep(connection, kept, rule_set=number)
        left = classes.not_classed(connection, after=0, limit=9)

    assert purged is not None
    assert not purged.has_lines
    assert without is not None
    assert without.has_lines
    assert nothing is None
    assert [ban.id for ban in left] == [bare]


def test_lines_that_come_late_have_the_ban_classed_anew(store: StoreBuilder) -> None:
    (ban,) = store.record(event(lines=()))
    save(store, ban, GUESSING)

    store.record(event())

    with store.reading() as connection:
        (unread,) = classes.not_classed(connection, after=0, limit=9)
    assert unread.lines == LINES


def test_what_the_filter_named_is_kept_with_the_ban(store: StoreBuilder) -> None:
    captures = (("username", "anna\u2400'); --"), ("port", "40022"))
    again = (("username", "other"),)
    with store.writing() as connection:
        for named in (captures, again):
            bans.record(
                connection,
                event(),
                host="web1",
                jail="sshd",
                now=NOW,
                captures=named,
            )
        (unread,) = classes.not_classed(connection, after=0, limit=9)

    assert unread.captures == captures


def test_the_view_for_others_has_no_user_names(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    path = Observed(kind="path", value="/", lines=1)
    save(store, ban, GUESSING, observed=(ROOT, path))

    with store.reading() as connection:
        rows = connection.execute("SELECT * FROM observed_public").fetchall()

    assert [tuple(row) for row in rows] == [(ban, "path", "/", 1)]
