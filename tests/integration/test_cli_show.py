"""`show`, on real stores."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli.show import told
from f2b_enrich.cli.show_facts import NotKnownError, gather
from f2b_enrich.model import OutboxState
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
        found = gather(
            connection, key, host="web1", most=most, with_lines=lines, now=now
        )
    text = "\n".join(told(found, now=now, zone=BERLIN, width=None))
    return text.splitlines()


def test_the_page_says_who_it_is_what_stands_and_what_was(store: StoreBuilder) -> None:
    ids = [store.ids[i][:8] for i in (2, 1, 0)]

    assert page(store, "192.0.2.7") == [
        "192.0.2.7  Amsterdam, Netherlands (city level)  AS64500 Example Hosting B.V.  "
        "example.net  hosting: yes  vps7.example.net (confirmed)  [IPinfo, 2026-11-21]",
        "in force: sshd on web1, planned end Sun 2026-11-22 21:09 CET",
        "3 bans, 15 failures, 2026-10-02 to 2026-11-21, web1: sshd 2, postfix-sasl 1;  "
        "192.0.2.0/24: 1 other address, 1 ban in 30 days (.9 1)",
        "names: admin 2",
        "  banned (CEST/CET)  jail          failures  for  ended              "
        "origin  ban       mail",
        "  2026-11-21 21:09   sshd                 5  1 d  in force           "
        f"live    {ids[0]}  sent 21:10:03",
        "  2026-11-19 21:14   sshd                 5  1 d  2026-11-20 00:14   "
        f"live    {ids[1]}  sent 21:14:05",
        "  2026-10-02 22:14   postfix-sasl         5  1 h  ~2026-10-02 23:14  "
        f"live    {ids[2]}  none",
        "  ~ planned end; no unban was reported",
        "  log lines: --lines",
    ]


def test_log_lines_stand_below_their_ban(store: StoreBuilder) -> None:
    lines = page(store, "192.0.2.7", lines=True)

    assert lines[6:8] == [f"      {line}" for line in LINES]
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
    assert "postfix-sasl" not in few[5]
    assert ban[-1] == few[-1]
    assert "postfix-sasl" in ban[5]


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
    assert lines[4].split()[2] == "host"


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
    assert "-  " in before[6]
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


def test_an_address_that_was_never_banned_has_the_page_of_its_network(
    empty: StoreBuilder,
) -> None:
    empty.record(event("2001:db8::/32"))

    assert page(empty, "2001:db8::7")[-1] == (
        "2001:db8::/64: no other address in 30 days"
    )
    assert len(page(empty, "2001:db8::7%eth0")) == 4


@pytest.mark.parametrize(
    ("bantime", "expected"),
    [
        (-1, "in force: sshd on web1, for ever"),
        (600, "not in force: planned end Sat 2026-11-21 21:24 CET"),
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


def test_a_broken_answer_of_a_source_hides_nothing_else(store: StoreBuilder) -> None:
    whole = page(store, "192.0.2.7")
    with store.writing() as connection:
        connection.execute("UPDATE enrichments SET raw = '{\x1b'")

    assert page(store, "192.0.2.7") == whole


def test_why_a_mail_is_dead_and_when_it_goes_is_told(empty: StoreBuilder) -> None:
    ban, old, imported = empty.record(
        event(), event(jail="b"), event(at=NOW - timedelta(days=90))
    )
    with empty.writing() as connection:
        connection.execute("UPDATE bans SET origin = 'log' WHERE id = ?", (imported,))
    empty.mail(ban, at=NOW + timedelta(seconds=9))
    empty.mail(ban, state=OutboxState.DEAD, error="550 \x1b[31mno")
    empty.mail(ban, state=OutboxState.DUE, at=NOW + timedelta(days=1))
    empty.mail(ban, state=OutboxState.HELD, error="by \nhand")
    empty.mail(ban, state=OutboxState.SENT, at=NOW + timedelta(seconds=7))
    with empty.writing() as connection:
        connection.execute(
            "UPDATE outbox SET last_error = '451 later' WHERE due_at LIKE '%-22T%'"
        )

    cells = {line.split()[-2]: line for line in page(empty, "192.0.2.7")[5:8]}
    text = "\n".join(cells.values())

    assert (
        "due 21:14:12; dead: 550 \u241b[31mno; due 2026-11-22 21:14: 451 later; "
        "held: by \u240ahand; sent 21:14:10"
    ) in text
    assert f"{old[:8]}  none\n" in text
    assert f"log     {imported[:8]}  none (imported)" in text
    found = json.loads(run("show", "192.0.2.7", "--json", "--db", empty.path).out)
    mails = {each["id"]: each["mails"] for each in found["bans"]}
    assert [mail["state"] for mail in mails[ban]] == [
        *("due", "dead", "due", "held", "sent")
    ]
    assert mails[old] == []


def test_names_that_were_tried_are_counted(empty: StoreBuilder) -> None:
    names = [*("root",) * 3, "admin", "admin", "a\x1b[2J", *("n" * 60, "d", "e", "f")]
    lines = tuple(
        f"2026-11-21T20:13:22 web1 sshd[4021]: Invalid user {name} from 192.0.2.7 "
        "port 50291"
        for name in names
    )
    empty.record(event(lines=lines))

    told = page(empty, "192.0.2.7")[3]

    assert told.startswith("names: root 3, admin 2, ")
    assert told.endswith(" 1, 2 others")
    assert "\x1b" not in told
    assert f"{'n' * 60}" not in told
    found = json.loads(run("show", "192.0.2.7", "--json", "--db", empty.path).out)
    assert found["names"]["root"] == 3


def test_of_very_many_bans_only_the_newest_are_searched_for_names(
    empty: StoreBuilder,
) -> None:
    empty.record(
        *(event(at=NOW - timedelta(minutes=n), lines=LINES) for n in range(201))
    )

    told = page(empty, "192.0.2.7")[3]

    assert told == "names (in the newest 200 bans): admin 200"


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
