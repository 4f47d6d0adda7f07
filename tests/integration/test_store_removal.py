"""Bans taken out of the store again, and nothing of others with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import EventKind
from f2b_enrich.store import removal, trial
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from pathlib import Path

TESTED, OTHER = "192.0.2.7", "192.0.2.9"
OF_A_BAN = (
    *("waiting_events", "outbox", "ban_attacks", "observed"),
    *("log_lines", "other_origins", "other_ids", "ban_records"),
)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    """Two jails have one address, another jail's ban repeats the first of them."""
    store = StoreBuilder(tmp_path / "bans.db")
    test = event(TESTED, jail="test")
    store.record(
        test,
        replace(test, jail="sshd"),
        replace(test, jail="recidive", at=NOW + timedelta(seconds=1)),
        event(OTHER, jail="test"),
    )
    store.learn(located(TESTED), located(OTHER))
    store.classify()
    for ban in store.ids:
        store.mail(ban)
        with store.writing() as connection:
            connection.execute("INSERT INTO other_ids VALUES (?1 || '-2', ?1)", (ban,))
            connection.execute(
                "INSERT INTO other_origins VALUES (?, 'log', 'f', '2026-01-01')", (ban,)
            )
            connection.execute(
                "INSERT INTO waiting_events VALUES (?, 'unban', '2026-01-01', 1, 1)",
                (ban,),
            )
            connection.execute(
                "INSERT INTO ban_records VALUES "
                "('x', 'h', 1, 'ban', 'logged', 'log', '', -1, ?1, -1, '', ?1)",
                (ban,),
            )
            connection.execute(
                "INSERT OR IGNORE INTO observed VALUES (?, 'helo', 'x', 1)", (ban,)
            )
    return store


def owners(store: StoreBuilder, table: str) -> set[str]:
    with store.reading() as connection:
        rows = connection.execute(f"SELECT DISTINCT ban_id FROM {table}")  # noqa: S608 - our own names
        return {row["ban_id"] for row in rows}


def remove(store: StoreBuilder, jail: str, ip: str) -> int:
    with store.writing() as connection:
        return removal.remove_bans(connection, jail, ip)


def values(store: StoreBuilder, query: str) -> list[object]:
    with store.reading() as connection:
        return [row[0] for row in connection.execute(query)]


def test_all_of_a_ban_goes_and_all_of_the_others_stays(store: StoreBuilder) -> None:
    assert all(owners(store, table) == set(store.ids) for table in OF_A_BAN)

    assert remove(store, "test", TESTED) == 1

    kept = set(store.ids[1:])
    assert set(values(store, "SELECT id FROM bans")) == kept
    for table in OF_A_BAN:
        assert owners(store, table) == kept
    assert remove(store, "test", TESTED) == 0


def test_a_ban_that_repeated_it_repeats_none_any_more(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute(
            "UPDATE bans SET repeat_of = ? WHERE jail != 'test'", (store.ids[0],)
        )

    remove(store, "test", TESTED)

    assert values(store, "SELECT repeat_of FROM bans") == [None, None, None]


def test_a_look_up_stays_while_another_ban_points_at_it(store: StoreBuilder) -> None:
    remove(store, "test", TESTED)
    assert values(store, "SELECT ip FROM enrichments ORDER BY ip") == [TESTED, OTHER]

    remove(store, "sshd", TESTED)
    remove(store, "recidive", TESTED)

    assert values(store, "SELECT ip FROM enrichments") == [OTHER]


def test_only_a_jail_that_nobody_named_is_forgotten(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute("DELETE FROM jails")
        connection.executemany(
            "INSERT INTO jails VALUES (?, 'other', 'other', ?)",
            [("test", "unknown"), ("own", "own"), ("sshd", "shipped")],
        )
        for jail in ("test", "own", "sshd", "none"):
            removal.forget_jail(connection, jail)

    assert values(store, "SELECT jail FROM jails ORDER BY jail") == ["own", "sshd"]


def test_a_jail_tells_which_addresses_it_had_banned(store: StoreBuilder) -> None:
    store.record(event(TESTED, jail="test", at=NOW + timedelta(days=1)))

    with store.reading() as connection:
        assert trial.banned_by(connection, "test") == (TESTED, OTHER)
        assert trial.banned_by(connection, "none") == ()


def test_the_newest_ban_is_told_with_its_mails_and_its_end(store: StoreBuilder) -> None:
    later = event(TESTED, jail="test", at=NOW + timedelta(days=1))
    (ban,) = store.record(later)

    def told() -> trial.TriedBan:
        with store.reading() as connection:
            found = trial.tried_ban(connection, "test", TESTED)
        assert found is not None
        return found

    assert told() == trial.TriedBan(id=ban, has_ended=False, mails=())
    store.mail(ban, recipient="a@admins.net")
    store.record(replace(later, kind=EventKind.UNBAN))
    assert told().has_ended
    assert [mail.recipient for mail in told().mails] == ["a@admins.net"]


def test_an_address_without_a_ban_is_unknown(store: StoreBuilder) -> None:
    with store.reading() as connection:
        assert trial.tried_ban(connection, "sshd", OTHER) is None
        assert trial.has_bans(connection, OTHER)
        assert not trial.has_bans(connection, "192.0.2.8")
