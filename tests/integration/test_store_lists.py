"""What lists and counts read from the store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from f2b_enrich.store import lists
from f2b_enrich.store.lists import BanQuery, MailQuery
from tests.stores import NOW, StoreBuilder, event, filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    store = filled(tmp_path / "bans.db")
    store.classify()
    return store


def test_rows_of_the_log_come_newest_first_with_all_but_the_lines(
    store: StoreBuilder,
) -> None:
    with store.reading() as connection:
        found = list(lists.logged(connection, BanQuery()))
        columns = lists.log_columns(connection)

    assert [(ban.jail, ban.ip) for ban in found] == [
        ("sshd", "192.0.2.7"),
        ("sshd", "192.0.2.9"),
        ("sshd", "2001:db8::7"),
        ("sshd", "192.0.2.7"),
        ("postfix-sasl", "192.0.2.7"),
    ]
    newest = found[0]
    assert (newest.country_code, newest.asn, newest.origins) == ("NL", 64500, "live")
    assert (newest.fates[0].alert.state, newest.lines_received) == ("sent", 2)
    assert tuple(newest.columns) == columns
    assert "lines" not in columns


@pytest.mark.parametrize(
    ("wanted", "bans", "addresses"),
    [
        (BanQuery(), 5, 3),
        (BanQuery(since=NOW - timedelta(days=1)), 1, 1),
        (BanQuery(since=NOW - timedelta(minutes=5)), 1, 1),
        (BanQuery(until=NOW - timedelta(minutes=5)), 4, 3),
        (BanQuery(ip="192.0.2.7"), 3, 1),
        (BanQuery(jails=("sshd",)), 4, 3),
        (BanQuery(jails=("sshd", "postfix-sasl"), ip="192.0.2.7"), 3, 1),
        (BanQuery(jails=("none",)), 0, 0),
        (BanQuery(attacks=("ssh-password-guessing",)), 4, 3),
        (
            BanQuery(attacks=("ssh-password-guessing", "port-scan"), ip="192.0.2.9"),
            1,
            1,
        ),
        (BanQuery(services=("mail", "ftp")), 1, 1),
        (BanQuery(services=("other",)), 0, 0),
    ],
)
def test_bans_and_addresses_are_counted_by_the_same_conditions(
    store: StoreBuilder, wanted: BanQuery, bans: int, addresses: int
) -> None:
    with store.reading() as connection:
        found = list(lists.logged(connection, wanted))
        totals = lists.tally(connection, wanted)

    assert (totals.bans, totals.addresses) == (bans, addresses)
    assert len(found) == bans


def test_repeats_are_counted_apart_and_read_with_the_jail_they_repeat(
    store: StoreBuilder,
) -> None:
    store.record(event(jail="recidive"), event("192.0.2.88", jail="recidive"))
    store.classify()

    with store.reading() as connection:
        totals = lists.tally(connection, BanQuery())
        of_one = lists.tally(connection, BanQuery(jails=("recidive",)))
        found = list(lists.logged(connection, BanQuery(jails=("recidive",))))
        bans = lists.count_bans(connection)

    assert (totals.bans, totals.addresses, totals.repeats) == (5, 3, 2)
    assert (of_one.bans, of_one.addresses, of_one.repeats) == (0, 0, 2)
    assert bans == (5, 2)
    assert {(ban.ip, ban.repeat_of, ban.repeated_jail) for ban in found} == {
        ("192.0.2.7", store.ids[2], "sshd"),
        ("192.0.2.88", None, None),
    }
    assert all(ban.is_repeat for ban in found)


def test_a_limit_keeps_the_newest(store: StoreBuilder) -> None:
    with store.reading() as connection:
        found = list(lists.logged(connection, BanQuery(), limit=2))

    assert [ban.ip for ban in found] == ["192.0.2.7", "192.0.2.9"]


def test_one_ban_is_read_by_its_id(store: StoreBuilder) -> None:
    with store.reading() as connection:
        assert lists.logged_ban(connection, store.ids[0]).jail == "postfix-sasl"
        assert lists.count_bans(connection) == (5, 0)


def test_ids_are_found_by_how_they_begin(store: StoreBuilder) -> None:
    with store.reading() as connection:
        found = lists.bans_by_id(connection, store.ids[0][:8], limit=2)
        everything = lists.bans_by_id(connection, "", limit=99)

    assert found == (store.ids[0],)
    assert set(everything) == set(store.ids)


def test_a_ban_with_two_ids_is_found_once(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO other_ids VALUES (?, ?)", (f"{store.ids[0]}x", store.ids[0])
        )

    with store.reading() as connection:
        found = lists.bans_by_id(connection, store.ids[0], limit=2)

    assert found == (store.ids[0],)


def test_a_ban_is_superseded_by_the_next_of_its_jail_and_host(
    store: StoreBuilder,
) -> None:
    store.record(event(at=NOW - timedelta(days=1), jail="postfix-sasl"))
    store.record(event(at=NOW - timedelta(days=1)), host="mail1")

    with store.reading() as connection:
        found = list(lists.logged(connection, BanQuery(ip="192.0.2.7")))
        oldest = lists.logged_ban(connection, store.ids[0])

    assert [ban.superseded_at for ban in found] == [
        *(None, None, None),
        NOW - timedelta(minutes=5),
        NOW - timedelta(days=1),
    ]
    assert oldest == found[-1]


def test_mails_come_newest_first_with_the_ban_they_are_about(
    store: StoreBuilder,
) -> None:
    with store.reading() as connection:
        found = list(lists.mails(connection, MailQuery()))
        dead = list(lists.mails(connection, MailQuery(states=("dead", "held"))))
        newest = list(lists.mails(connection, MailQuery(), limit=1))

    assert [(mail.row.state, mail.ip) for mail in found] == [
        (OutboxState.DUE, "2001:db8::7"),
        (OutboxState.DEAD, "192.0.2.9"),
        (OutboxState.SENT, "192.0.2.7"),
        (OutboxState.SENT, "192.0.2.7"),
    ]
    assert [mail.row.last_error for mail in dead] == ["550 5.1.1 no such user"]
    assert newest == found[:1]


def test_mails_are_counted_by_state_and_time(store: StoreBuilder) -> None:
    day = NOW - timedelta(days=1)

    with store.reading() as connection:
        assert lists.count_mails(connection, MailQuery()) == 4
        assert lists.count_mails(connection, MailQuery(since=day)) == 2
        assert lists.count_mails(connection, MailQuery(until=day)) == 2
        assert lists.count_mails(connection, MailQuery(states=("sent",))) == 2
