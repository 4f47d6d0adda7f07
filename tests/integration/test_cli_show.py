"""`show`, on real stores."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli.show import told
from f2b_enrich.cli.show_facts import NotKnownError, gather
from f2b_enrich.enrich.merge import not_looked_up
from f2b_enrich.model import Enrichment
from tests.cli import run
from tests.stores import LINES, NOW, StoreBuilder, event, filled

if TYPE_CHECKING:
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


@pytest.fixture
def empty(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def page(
    store: StoreBuilder,
    key: str,
    *,
    most: int | None = 10,
    lines: bool = False,
    now: datetime = NOW,
) -> list[str]:
    with store.reading() as connection:
        found = gather(connection, key, most=most, with_lines=lines, now=now)
    text = "\n".join(told(found, now=now, zone=BERLIN, width=None))
    return text.splitlines()


def test_the_page_says_who_it_is_what_stands_and_what_was(store: StoreBuilder) -> None:
    ids = [store.ids[i][:8] for i in (2, 1, 0)]

    assert page(store, "192.0.2.7") == [
        "192.0.2.7  Amsterdam, Netherlands (city level)  AS64500 Example Hosting B.V.  "
        "example.net  hosting: yes  vps7.example.net (confirmed)  [IPinfo, 2026-11-21]",
        "in force: sshd on web1, planned end 2026-11-22 21:09:03 CET",
        "3 bans, 15 failures, 2026-10-02 to 2026-11-21; "
        "sshd 2, postfix-sasl 1 on web1;  "
        "192.0.2.0/24: 1 other address, 1 ban in 30 days",
        "  banned (CEST/CET)  jail          failures  for  ended              "
        "origin  mail           ban",
        "  2026-11-21 21:09   sshd                 5  1 d  in force           "
        f"live    sent 21:10:03  {ids[0]}",
        "  2026-11-19 21:14   sshd                 5  1 d  2026-11-20 00:14   "
        f"live    sent 21:14:05  {ids[1]}",
        "  2026-10-02 22:14   postfix-sasl         5  1 h  ~2026-10-02 23:14  "
        f"live    none           {ids[2]}",
        "  ~ planned end; no unban was reported",
        "  log lines: --lines",
    ]


def test_log_lines_stand_below_their_ban(store: StoreBuilder) -> None:
    lines = page(store, "192.0.2.7", lines=True)

    assert lines[5:7] == [f"      {line}" for line in LINES]
    assert lines.count("      no log lines") == 1
    assert not any("--lines" in line for line in lines)


def test_lines_that_were_not_kept_leave_a_gap(empty: StoreBuilder) -> None:
    [ban] = empty.record(event(lines=tuple("abcdef")))
    with empty.writing() as connection:
        connection.execute("DELETE FROM log_lines WHERE position IN (2, 3, 5)")

    assert page(empty, ban, lines=True)[5:] == [
        "      a",
        "      b",
        "      ... 2 lines not kept ...",
        "      e",
        "      ... 1 line not kept ...",
    ]


def test_only_some_bans_are_shown_unless_all_are_asked_for(
    store: StoreBuilder,
) -> None:
    few = page(store, "192.0.2.7", most=1)
    ban = page(store, store.ids[0], most=1)

    assert few[-1] == "  2 more: f2b-enrich show 192.0.2.7 --all; log lines: --lines"
    assert "postfix-sasl" not in few[4]
    assert ban[-1] == few[-1]
    assert "postfix-sasl" in ban[4]


@pytest.mark.parametrize("shape", [str, str.upper, lambda id_: id_.replace("-", "")])
def test_a_ban_is_found_by_its_id_however_it_is_written(
    store: StoreBuilder, shape: Any
) -> None:
    for length in (8, 11, 36):
        lines = page(store, shape(store.ids[3])[:length])

        assert lines[0].startswith("192.0.2.9  not looked up yet")


def test_an_id_that_two_bans_begin_with_is_refused(store: StoreBuilder) -> None:
    with store.writing() as connection:
        for number, ban in enumerate(store.ids[:2]):
            connection.execute(
                "INSERT INTO other_ids VALUES (?, ?)", (f"aaaaaaaa-{number}", ban)
            )

    with pytest.raises(NotKnownError, match="more than one ban"):
        page(store, "aaaaaaaa")


@pytest.mark.parametrize("key", ["203.0.113.99", "ffffffff", "ffff", "", "dj\udce9"])
def test_what_is_not_recorded_is_said_in_one_line(
    store: StoreBuilder, key: str
) -> None:
    ran = run("show", "--db", store.path, "--", key)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("f2b-enrich: no ban of ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("banned", "asked", "reason"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", "not looked up: a whole network"),
        ("notanip!", "notanip!", "not looked up: not an IP address"),
        ("::ffff:192.0.2.7", "192.0.2.7", "not looked up yet"),
        ("192.0.2.7", " ::ffff:192.0.2.7 ", "not looked up yet"),
        ("2001:DB8::7", "2001:db8:0::7", "not looked up yet"),
        ("dj\ufffd", "dj\udce9", "not looked up: not an IP address"),
    ],
)
def test_whatever_was_banned_is_a_key(
    empty: StoreBuilder, banned: str, asked: str, reason: str
) -> None:
    empty.record(event(banned))

    assert page(empty, asked)[0].endswith(f"  {reason}")


def test_a_network_has_no_neighbours_of_its_own(empty: StoreBuilder) -> None:
    empty.record(event("192.0.2.0/24"))

    assert (
        page(empty, "192.0.2.0/24")[2] == "1 ban, 5 failures, 2026-11-21; sshd on web1"
    )


def test_neighbours_are_counted(empty: StoreBuilder) -> None:
    empty.record(event())
    alone = page(empty, "192.0.2.7")[2]
    empty.record(event("192.0.2.8"), event("192.0.2.9"), event("192.0.2.9", jail="x"))
    among = page(empty, "192.0.2.7")[2]

    assert alone.endswith("  192.0.2.0/24: no other address in 30 days")
    assert among.endswith("  192.0.2.0/24: 2 other addresses, 3 bans in 30 days")


def test_several_hosts_are_counted_and_named(empty: StoreBuilder) -> None:
    empty.record(event(), event(at=NOW - timedelta(hours=1), bantime=60))
    empty.record(event(at=NOW - timedelta(hours=2)), host="mail1")

    lines = page(empty, "192.0.2.7")

    assert lines[1] == (
        "in force: sshd on web1, planned end 2026-11-22 21:14:03 CET; "
        "sshd on mail1, planned end 2026-11-22 19:14:03 CET"
    )
    assert "sshd on web1 2, mail1 1" in lines[2]
    assert lines[3].split()[2] == "host"


def test_of_two_bans_by_one_jail_the_newer_stands(empty: StoreBuilder) -> None:
    empty.record(event(), event(at=NOW - timedelta(hours=1)))

    assert page(empty, "192.0.2.7")[1].count("planned end") == 1


@pytest.mark.parametrize(
    ("bantime", "expected"),
    [
        (-1, "in force: sshd on web1, for ever"),
        (600, "not in force: planned end 2026-11-21 21:24:03 CET"),
        (None, "not known whether in force: fail2ban named no ban time"),
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


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "place not known  [here, 2026-11-21]"),
        ({"country_code": "NL"}, "NL  [here, 2026-11-21]"),
        (
            {"country": "Netherlands", "location_precision": "country"},
            "Netherlands (country level)  [here, 2026-11-21]",
        ),
        (
            {"as_name": "Example", "is_vpn": False, "is_tor": True},
            "place not known  Example  VPN: no, Tor: yes  [here, 2026-11-21]",
        ),
        (
            {"hostname": "a.example.net"},
            "place not known  a.example.net  [here, 2026-11-21]",
        ),
        (
            {"hostname": "a.example.net", "hostname_confirmed": False},
            "place not known  a.example.net (not confirmed)  [here, 2026-11-21]",
        ),
    ],
)
def test_what_is_not_known_is_left_out(
    empty: StoreBuilder, known: dict[str, Any], expected: str
) -> None:
    empty.record(event())
    found = Enrichment(ip="192.0.2.7", looked_up_at=NOW, source="here", **known)
    empty.learn(found)

    assert page(empty, "192.0.2.7")[0] == f"192.0.2.7  {expected}"


def test_an_address_nobody_asks_about_says_why(empty: StoreBuilder) -> None:
    empty.record(event("10.0.0.1"))
    empty.learn(not_looked_up("10.0.0.1", "private address", looked_up_at=NOW))

    assert page(empty, "10.0.0.1")[0] == "10.0.0.1  not looked up: private address"


def test_json_holds_the_whole_page(store: StoreBuilder) -> None:
    ran = run("show", "192.0.2.7", "--json", "--lines", "--db", store.path)

    found = json.loads(ran.out)
    assert ran.code == 0
    assert (found["ip"], found["total_bans"], found["total_failures"]) == (
        "192.0.2.7",
        3,
        15,
    )
    assert found["enrichment"]["city"] == "Amsterdam"
    assert found["subnet"] == "192.0.2.0/24"
    assert found["bans"][0]["lines"] == list(LINES)
    brief = json.loads(run("show", "192.0.2.7", "--json", "--db", store.path).out)
    assert "lines" not in brief["bans"][0]


def test_the_command_prints_the_page(store: StoreBuilder) -> None:
    ran = run("show", "192.0.2.7", "--all", "--db", store.path)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("192.0.2.7  Amsterdam, Netherlands (city level)  ")
