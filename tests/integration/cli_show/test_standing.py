"""Whether a ban stands, as far as `show` can know."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cli import run
from tests.integration.cli_show.page import page
from tests.stores import NOW, StoreBuilder, event


@pytest.mark.parametrize(
    ("bantime", "expected"),
    [
        (-1, "in force: sshd on web1, for ever"),
        (600, "not in force: planned end Sat 2026-11-21 21:24 CET"),
        (
            None,
            "not known whether in force: sshd on web1 (fail2ban named no ban time)",
        ),
        (10**12, "in force: sshd on web1, beyond the year 9999"),
    ],
)
def test_what_stands_is_told_from_the_ban_time(
    empty: StoreBuilder, bantime: int | None, expected: str
) -> None:
    empty.record(event(bantime=bantime))

    assert page(empty, "192.0.2.7", now=NOW + timedelta(days=1))[1] == expected


def test_an_unban_is_told(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute("DELETE FROM outbox")
        connection.execute("UPDATE bans SET unbanned_at = '2026-11-21T20:10:00Z'")

    assert page(store, "192.0.2.7")[1] == (
        "not in force: unbanned 2026-11-21 21:10:00 CET"
    )


def test_of_two_bans_by_one_jail_only_the_newer_can_stand(empty: StoreBuilder) -> None:
    newer, _ = empty.record(event(), event(at=NOW - timedelta(hours=1)))
    before = page(empty, "192.0.2.7")
    with empty.writing() as connection:
        connection.execute(
            "UPDATE bans SET unbanned_at = '2026-11-21T20:14:03Z' WHERE id = ?",
            (newer,),
        )
    after = page(empty, "192.0.2.7")
    ran = run("show", "192.0.2.7", "--json", "--db", empty.path)

    assert before[1].count("planned end") == 1
    assert "-  " in before[5]
    assert after[1] == "not in force: unbanned 2026-11-21 21:14:03 CET"
    assert not any("in force" in line for line in after[2:])
    assert json.loads(ran.out)["in_force"] is False


def test_a_banned_network_around_an_address_is_told(empty: StoreBuilder) -> None:
    empty.record(event("192.0.2.0/24", lines=()))
    inside = page(empty, "192.0.2.7")
    empty.record(event(), event("192.0.0.0/16", bantime=60, jail="recidive"))
    also = page(empty, "192.0.2.7", now=NOW + timedelta(hours=1))
    found = json.loads(run("show", "192.0.2.7", "--json", "--db", empty.path).out)

    end = "in force, planned end Sun 2026-11-22 21:14 CET"
    assert inside == [
        "192.0.2.7  not looked up yet",
        "never banned itself",
        f"inside banned 192.0.2.0/24: sshd on web1, {end}",
        "192.0.2.0/24: no other address in 30 days",
    ]
    assert also[2:4] == [
        f"also inside banned 192.0.2.0/24: sshd on web1, {end}",
        "also inside banned 192.0.0.0/16: recidive on web1, not in force: "
        "planned end Sat 2026-11-21 21:15 CET",
    ]
    assert [each["network"] for each in found["inside_banned"]] == [
        "192.0.2.0/24",
        "192.0.0.0/16",
    ]
