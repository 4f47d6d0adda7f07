"""What `show` counts: bans of each host and jail, neighbours, tried names."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cli import run
from tests.integration.cli_show.page import page
from tests.stores import LINES, NOW, StoreBuilder, event


@pytest.mark.parametrize("ip", ["192.0.0.0/16", "2a00::/24", "notanip!"])
def test_a_wide_network_has_no_neighbours(empty: StoreBuilder, ip: str) -> None:
    empty.record(event(ip, lines=()), event("192.0.2.7"), event("2a00::7"))

    assert page(empty, ip)[2] == "1 ban, 5 failures, 2026-11-21, web1: sshd 1"


def test_neighbours_are_counted_and_the_busiest_named(empty: StoreBuilder) -> None:
    empty.record(event())
    alone = page(empty, "192.0.2.7")[2]
    empty.record(event("192.0.2.8"), event("192.0.2.9"), event("192.0.2.9", jail="x"))
    among = page(empty, "192.0.2.7")[2]
    empty.record(event("192.0.2.10"), event("192.0.2.11"), event("2001:db8::7"))
    empty.record(event("2001:db8::8"))

    assert alone.endswith("  192.0.2.0/24: no other address in 30 days")
    assert among.endswith(
        "  192.0.2.0/24: 2 other addresses, 3 bans in 30 days (.9 2, .8 1)"
    )
    assert page(empty, "192.0.2.7")[2].endswith(" (.9 2, .10 1, .11 1, ...)")
    assert page(empty, "2001:db8::7")[2].endswith(" (2001:db8::8 1)")


def test_each_host_has_its_own_count(empty: StoreBuilder) -> None:
    empty.record(event(), event(at=NOW - timedelta(hours=1), bantime=60))
    empty.record(event(at=NOW - timedelta(hours=2)), host="mail1")
    empty.record(event(at=NOW - timedelta(hours=3), bantime=60), host="web2")

    lines = page(empty, "192.0.2.7")

    assert lines[1] == (
        "in force: sshd on web1, planned end Sun 2026-11-22 21:14 CET; "
        "sshd on mail1, planned end Sun 2026-11-22 19:14 CET"
    )
    assert lines[2].startswith(
        "2 bans, 10 failures, 2026-11-21, web1: sshd 2;  other hosts: mail1 1, web2 1;"
    )
    assert lines[3].split()[2] == "host"


def test_of_many_hosts_and_jails_the_busiest_are_named(empty: StoreBuilder) -> None:
    empty.record(*(event(jail=f"j{n}") for n in range(7)), event("192.0.2.8"))
    for number in range(6):
        empty.record(event(), host=f"web{number + 2}")

    assert page(empty, "192.0.2.7")[2].startswith(
        "7 bans, 35 failures, 2026-11-21, web1: "
        "j0 1, j1 1, j2 1, j3 1, j4 1, 2 more jails;  "
        "other hosts: web2 1, web3 1, web4 1, web5 1, web6 1, 1 more host;  "
    )


def test_of_another_hosts_bans_the_latest_host_comes_first(
    empty: StoreBuilder,
) -> None:
    empty.record(event(at=NOW - timedelta(hours=1)), host="mail1")
    empty.record(event(), host="web2")

    assert page(empty, "192.0.2.7")[2].startswith(
        "1 ban, 5 failures, 2026-11-21, web2: sshd 1;  other hosts: mail1 1;"
    )


def test_names_that_were_tried_are_counted(empty: StoreBuilder) -> None:
    names = [*("root",) * 3, "admin", "admin", "a\x1b[2J", *("n" * 60, "d", "e", "f")]
    lines = tuple(
        f"2026-11-21T20:13:22 web1 sshd[4021]: Invalid user {name} from 192.0.2.7 "
        "port 50291"
        for name in names
    )
    empty.record(event(lines=lines))
    empty.classify()

    told = page(empty, "192.0.2.7")[3]

    assert told.startswith("names: root 3, admin 2, ")
    assert told.endswith(" 1, 2 others")
    assert "\x1b" not in told
    assert f"{'n' * 60}" not in told
    found = json.loads(run("show", "192.0.2.7", "--json", "--db", empty.path).out)
    assert found["observed"]["username"]["root"] == 3


def test_names_of_all_bans_are_added_up(empty: StoreBuilder) -> None:
    empty.record(
        *(event(at=NOW - timedelta(minutes=n), lines=LINES) for n in range(201))
    )
    empty.classify()

    assert page(empty, "192.0.2.7")[3] == "names: admin 201"
