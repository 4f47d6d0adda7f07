"""`show`, on real stores: the page, its bans with their lines and mails."""

from __future__ import annotations

import json
from datetime import timedelta

from f2b_enrich.model import OutboxState
from tests.cli import run
from tests.integration.cli_show.page import page
from tests.stores import LINES, NOW, StoreBuilder, event


def test_the_page_says_who_it_is_what_stands_and_what_was(store: StoreBuilder) -> None:
    ids = [store.ids[i][:8] for i in (2, 1, 0)]

    assert page(store, "192.0.2.7") == [
        "192.0.2.7  Amsterdam, Netherlands (city level)  AS64500 Example Hosting B.V.  "
        "example.net  hosting: yes  vps7.example.net (confirmed)  [IPinfo, 2026-11-21]",
        "in force: sshd on web1, planned end Sun 2026-11-22 21:09 CET",
        "3 bans, 15 failures, 2026-10-02 to 2026-11-21, web1: sshd 2, postfix-sasl 1;  "
        "192.0.2.0/24: 1 other address, 1 ban in 30 days (.9 1)",
        "names: admin 2",
        "  banned (CEST/CET)  jail          attack                    failures  for  "
        "ended              origin  ban       mail",
        "  2026-11-21 21:09   sshd          SSH password guessing            5  1 d  "
        f"in force           live    {ids[0]}  sent 21:10:03",
        "  2026-11-19 21:14   sshd          SSH password guessing            5  1 d  "
        f"2026-11-20 00:14   live    {ids[1]}  sent 21:14:05",
        "  2026-10-02 22:14   postfix-sasl  IMAP, POP3 or SMTP pass\u2026         5  "
        f"1 h  ~2026-10-02 23:14  live    {ids[2]}  none",
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

    cells = {line.split()[-2]: line for line in page(empty, "192.0.2.7")[4:7]}
    text = "\n".join(cells.values())

    assert (
        "due 21:14:12; dead: 550 \u241b[31mno; due 2026-11-22 21:14: 451 later; "
        "waits for a digest; sent 21:14:10"
    ) in text
    assert f"{old[:8]}  none\n" in text
    assert f"log     {imported[:8]}  none (imported)" in text
    found = json.loads(run("show", "192.0.2.7", "--json", "--db", empty.path).out)
    mails = {each["id"]: each["mails"] for each in found["bans"]}
    assert [mail["state"] for mail in mails[ban]] == [
        *("due", "dead", "due", "held", "sent")
    ]
    assert mails[old] == []


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


def test_where_a_ban_is_known_from_is_told_of_it_alone(empty: StoreBuilder) -> None:
    one, _ = empty.record(event(), event(jail="b"))
    with empty.writing() as connection:
        connection.executemany(
            "INSERT INTO other_origins VALUES (?, ?, ?, '2026-11-22T08:00:00Z')",
            [(one, "log", "fail2ban\x1b.log"), (one, "mail", "<1@web1.example>")],
        )

    (told,) = [line for line in page(empty, one) if line.startswith("      from ")]

    assert told == (
        "      from live 2026-11-21 21:14; log fail2ban\u241b.log 2026-11-22 09:00; "
        "mail <1@web1.example> 2026-11-22 09:00"
    )
    assert not any(" from " in line for line in page(empty, "192.0.2.7"))
    assert told in page(empty, "192.0.2.7", lines=True)
    found = json.loads(run("show", one, "--json", "--db", empty.path).out)
    assert found["bans"][0]["known_from"][1] == {
        "origin": "log",
        "reference": "fail2ban\x1b.log",
        "seen_at": "2026-11-22T08:00:00Z",
    }


def test_a_ban_known_from_many_files_names_a_few(empty: StoreBuilder) -> None:
    (one,) = empty.record(event())
    with empty.writing() as connection:
        connection.executemany(
            "INSERT INTO other_origins VALUES (?, 'log', ?, '2026-11-22T08:00:00Z')",
            [(one, f"{number}.log") for number in range(9)],
        )

    (told,) = [line for line in page(empty, one) if line.startswith("      from ")]

    assert told.endswith("; log 3.log 2026-11-22 09:00; 5 more")
