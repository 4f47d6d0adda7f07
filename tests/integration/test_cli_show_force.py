"""What `show` does not know to be in force, and names that look like several."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.cli.show import told
from f2b_enrich.cli.show_facts import gather
from f2b_enrich.cli.show_record import json_lines
from tests.cli import run
from tests.integration.cli_show.page import page
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def answer(store: StoreBuilder) -> dict[str, Any]:
    ran = run("show", "192.0.2.7", "--json", "--db", store.path)
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_a_ban_without_a_time_behind_one_that_ended_is_not_known(
    store: StoreBuilder,
) -> None:
    store.record(
        event(jail="old", at=NOW - 2 * HOUR, bantime=None),
        event(jail="sshd", at=NOW - HOUR, bantime=60),
    )

    found = answer(store)

    assert page(store, "192.0.2.7")[1] == (
        "not known whether in force: old on web1 (fail2ban named no ban time)"
    )
    assert found["in_force"] is None
    assert {each["jail"]: each["in_force"] for each in found["jails"]} == {
        "old": None,
        "sshd": False,
    }
    assert {each["jail"]: each["in_force"] for each in found["bans"]} == {
        "old": None,
        "sshd": False,
    }


def test_what_is_known_to_stand_comes_before_what_is_not(store: StoreBuilder) -> None:
    store.record(
        event(jail="old", at=NOW - 2 * HOUR, bantime=None),
        event(jail="sshd", bantime=-1),
    )

    assert page(store, "192.0.2.7")[1] == (
        "in force: sshd on web1, for ever; "
        "not known whether in force: old on web1 (fail2ban named no ban time)"
    )
    assert answer(store)["in_force"] is True


def test_a_ban_without_a_time_that_another_followed_had_ended(
    store: StoreBuilder,
) -> None:
    store.record(event(at=NOW - HOUR, bantime=None), event(bantime=-1))

    assert [each["in_force"] for each in answer(store)["bans"]] == [True, False]


def test_a_subnet_that_is_full_is_counted_in_least_numbers(
    store: StoreBuilder,
) -> None:
    store.record(*(event(f"2001:db8:1:2::{n:x}", lines=()) for n in range(1, 503)))

    told = page(store, "2001:db8:1:2::1")[2]
    ran = run("show", "2001:db8:1:2::1", "--json", "--db", store.path)

    assert "2001:db8:1:2::/64: at least 499 other addresses, at least 499 bans" in told
    assert told.endswith(", ...)")
    assert json.loads(ran.out)["subnet_other_30_days"]["at_least"] is True


def test_a_subnet_full_of_old_bans_is_too_full_to_count(store: StoreBuilder) -> None:
    old = NOW - 99 * 24 * HOUR
    store.record(*(event(f"2001:db8:1:2::{n:x}", at=old) for n in range(1, 503)))

    assert page(store, "2001:db8:1:2::1")[2].endswith(
        "2001:db8:1:2::/64: too many to count in 30 days"
    )


def test_a_name_with_a_comma_is_not_two_names(store: StoreBuilder) -> None:
    line = "web1 sshd[4021]: Invalid user root, admin 99 from 192.0.2.7 port 50291"
    store.record(event(lines=(line,)))
    store.classify()

    assert page(store, "192.0.2.7")[3] == 'names: "root, admin 99" 1'


def test_log_lines_are_read_as_they_are_printed(store: StoreBuilder) -> None:
    store.record(*(event(at=NOW - n * HOUR) for n in range(9)))
    asked: list[str] = []
    with store.reading() as connection:
        found = gather(
            connection, "192.0.2.7", host="web1", most=None, with_lines=True, now=NOW
        )
        connection.set_trace_callback(
            lambda query: asked.append(query) if "log_lines" in query else None
        )
        for told_by in (
            told(found, now=NOW, zone=UTC, width=None),
            json_lines(found, NOW),
        ):
            asked.clear()
            text = next(line for line in told_by if "Invalid user admin" in line)
            assert text
            assert len(asked) == 1
            rest = "".join(told_by)
            assert rest.count("Invalid user admin") == 8
            assert len(asked) == 9


def test_json_is_whole_with_and_without_bans(store: StoreBuilder) -> None:
    store.record(event("192.0.2.0/24", lines=()), event("198.51.100.7"))
    inside = json.loads(run("show", "192.0.2.7", "--json", "--db", store.path).out)
    ran = run("show", "198.51.100.7", "--json", "--lines", "--db", store.path)

    assert inside["bans"] == []
    assert ran.out == json.dumps(json.loads(ran.out), indent=2) + "\n"


def test_a_banned_network_without_a_time_is_not_known_either(
    store: StoreBuilder,
) -> None:
    store.record(event("192.0.2.0/24", bantime=None, lines=()))

    found = answer(store)

    assert page(store, "192.0.2.7")[2] == (
        "inside banned 192.0.2.0/24: sshd on web1, "
        "not known whether in force: fail2ban named no ban time"
    )
    assert [each["in_force"] for each in found["inside_banned"]] == [None]
