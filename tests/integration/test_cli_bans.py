"""`bans list`, on real stores."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.attacks import CLASSES
from f2b_enrich.cli.bans import table
from f2b_enrich.store import lists
from tests.cli import run
from tests.stores import NOW, StoreBuilder, event, filled

if TYPE_CHECKING:
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")
REQUEST = '192.0.2.8 - - [21/Nov/2026:20:13:22 +0100] "GET {} HTTP/1.1" 404 162 "-" "-"'
PROBES = tuple(map(REQUEST.format, ("/.git/config", "/.git/HEAD", "/.env")))


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def shown(store: StoreBuilder, *, width: int | None = None) -> list[str]:
    with store.reading() as connection:
        found = tuple(lists.logged(connection, lists.BanQuery()))
    return list(table(found, now=NOW, zone=BERLIN, width=width))


def test_the_table_says_who_was_banned_when_and_how_it_ended(
    store: StoreBuilder,
) -> None:
    assert shown(store) == [
        "banned (CEST/CET)  jail          address      failures  for       "
        "ended              mail                          "
        "where  network",
        "2026-11-21 21:09   sshd          192.0.2.7           5  1 d       "
        "in force           sent 21:10:03                 "
        "NL     AS64500 Example Hosting B.V.",
        "2026-11-20 15:14   sshd          192.0.2.9           5  10 min    "
        "~2026-11-20 15:24  dead: 550 5.1.1 no such user  "
        "-      -",
        "2026-11-20 05:14   sshd          2001:db8::7         5  for ever  "
        "in force           due 2026-11-21 21:15          "
        "-      -",
        "2026-11-19 21:14   sshd          192.0.2.7           5  1 d       "
        "2026-11-20 00:14   sent 21:14:05                 "
        "NL     AS64500 Example Hosting B.V.",
        "2026-10-02 22:14   postfix-sasl  192.0.2.7           5  1 h       "
        "~2026-10-02 23:14  none                          "
        "NL     AS64500 Example Hosting B.V.",
        "~ planned end; no unban was reported",
    ]


def test_the_table_fits_the_screen(store: StoreBuilder) -> None:
    assert max(map(len, shown(store, width=130))) == 130


def lines_of(table: str) -> list[str]:
    """Leave out the note under it: it depends on what day it is by now."""
    return [line for line in table.splitlines() if not line.startswith("~")]


def columns(store: StoreBuilder, width: int) -> list[str]:
    return shown(store, width=width)[0].split()[2:]


def test_columns_go_where_the_screen_is_narrow(store: StoreBuilder) -> None:
    store.classify()

    assert columns(store, 150)[-4:] == ["mail", "attack", "where", "network"]
    assert columns(store, 120)[-3:] == ["ended", "mail", "attack"]
    assert columns(store, 80) == ["jail", "address", "ended", "attack"]
    assert columns(store, 60) == ["jail", "address", "attack"]
    assert columns(store, 20) == columns(store, 60)
    assert max(map(len, shown(store, width=80))) == 80
    assert shown(store, width=80)[-1].startswith("~ planned end")
    assert "~" not in "".join(shown(store, width=60))


def test_a_repeat_is_listed_with_what_it_repeats(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    second = timedelta(seconds=1)
    store.record(
        event(lines=PROBES, jail="nginx-botsearch"),
        event(at=NOW + second, jail="recidive", lines=()),
        event("192.0.2.8", at=NOW - second, jail="recidive", lines=()),
        event("192.0.2.9", at=NOW - 2 * second, jail="own"),
    )
    store.classify()
    with store.writing() as connection:
        connection.execute("UPDATE bans SET attack = 'gone' WHERE jail = 'own'")

    cells = [re.split("  +", line)[-1] for line in shown(store)[1:]]

    assert cells == [
        "repeats nginx-botsearch",
        "probe for .git or CI fi\u2026 +1",
        "repeat",
        "gone",
    ]


@pytest.mark.parametrize(
    ("words", "ips"),
    [
        (("--attack", "credentials-probe"), ["192.0.2.8"]),
        (("--attack", "repository-probe"), ["192.0.2.8"]),
        (("--attack", "repeat-offender"), ["192.0.2.7"]),
        (
            ("--attack", "other", "--attack", "credentials-probe"),
            ["192.0.2.8", "192.0.2.9"],
        ),
        (("--attack", "other", "--service", "web"), []),
        (("--service", "ssh", "--service", "web"), ["192.0.2.7", "192.0.2.8"]),
        (("--service", "other"), ["192.0.2.7", "192.0.2.9", "192.0.2.10"]),
    ],
)
def test_rows_are_chosen_by_class_and_service(
    tmp_path: Path, words: tuple[str, ...], ips: list[str]
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    second = timedelta(seconds=1)
    store.record(
        event(at=NOW - second),
        event(at=NOW, jail="recidive", lines=()),
        event("192.0.2.8", at=NOW - 2 * second, jail="nginx-botsearch", lines=PROBES),
        event("192.0.2.9", at=NOW - 3 * second, jail="own", lines=()),
    )
    store.classify()
    store.record(event("192.0.2.10", at=NOW - 4 * second, jail="new"))

    ran = run("bans", "list", *words, "--json", "--db", store.path)
    table = run("bans", "list", *words, "--db", store.path)

    assert [row["ip"] for row in json.loads(ran.out)] == ips
    assert table.code == 0
    assert len(lines_of(table.out)) == len(ips) + bool(ips)


def test_the_count_tells_repeats_apart(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(), event("192.0.2.8"), event(jail="recidive", lines=()))
    store.classify()

    few = run("bans", "list", "--limit", "1", "--db", store.path)
    everything = run("bans", "list", "--db", store.path)

    assert few.err == "the newest 1 of 3 rows (2 bans, 1 repeat); all: --limit 0\n"
    assert everything.err == ""


def test_programs_get_class_service_and_what_is_repeated(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(
        event(jail="nginx-botsearch", lines=PROBES),
        event(at=NOW + timedelta(seconds=1), jail="recidive", lines=()),
    )
    store.classify()

    repeat, ban = json.loads(run("bans", "list", "--json", "--db", store.path).out)
    text = run("bans", "list", "--csv", "--db", store.path).out

    assert (ban["attack"], ban["service"]) == ("repository-probe", "web")
    assert ban["attacks"] == "repository-probe, credentials-probe"
    assert (ban["is_repeat"], repeat["is_repeat"]) == (0, 1)
    assert repeat["repeat_of"] == ban["id"]
    assert next(csv.DictReader(io.StringIO(text)))["repeat_of"] == ban["id"]


def test_a_class_that_is_none_is_wrong_usage_that_says_where_they_are(
    store: StoreBuilder,
) -> None:
    ran = run("bans", "list", "--attack", "ssh\x1b", "--db", store.path)
    listed = run("bans", "list", "--help").out

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "f2b-enrich: invalid value for '--attack': 'ssh\\x1b' is no class of attack, "
        "--help lists them; f2b-enrich bans list --help tells more\n"
    )
    for name, words in CLASSES.items():
        assert f"  {name} " in listed
        assert f" {words}\n" in listed


def test_hosts_are_named_where_there_are_several(store: StoreBuilder) -> None:
    store.record(event("203.0.113.1", at=NOW), host="mail1")

    lines = shown(store)

    assert lines[0].split()[2] == "host"
    assert lines[1].split()[2] == "mail1"


def test_a_ban_of_unknown_length_has_no_end(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(bantime=None))

    assert shown(store)[0].split()[2:] == ["jail", "address", "failures", "mail"]


def test_a_ban_that_was_followed_by_another_stands_no_more(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(
        event(at=NOW),
        event(at=NOW - timedelta(hours=1)),
        event(at=NOW - timedelta(hours=9), bantime=60),
        event(at=NOW - timedelta(hours=1), jail="other"),
    )
    with store.writing() as connection:
        connection.execute(
            "UPDATE bans SET unbanned_at = '2026-11-21T20:14:03Z' WHERE id = ?",
            (store.ids[0],),
        )

    cells = [re.split("  +", line) for line in shown(store)[1:5]]

    assert sorted((row[1], row[-2]) for row in cells) == [
        ("other", "in force"),
        ("sshd", "-"),
        ("sshd", "2026-11-21 21:14"),
        ("sshd", "~2026-11-21 12:15"),
    ]


def test_rows_are_chosen_by_time_and_jail(store: StoreBuilder) -> None:
    db = ("--db", store.path)

    since = run("bans", "list", "--since", "2026-11-20T12:00Z", *db)
    until = run("bans", "list", "--until", "2026-11-01", *db)
    jail = run("bans", "list", "--jail", "postfix-sasl", "--jail", "none", *db)

    assert [line.split()[3] for line in since.out.splitlines()[1:3]] == [
        "192.0.2.7",
        "192.0.2.9",
    ]
    assert len(until.out.splitlines()) == len(jail.out.splitlines()) == 3
    assert "postfix-sasl" in until.out
    assert "postfix-sasl" in jail.out


def test_what_a_table_leaves_out_is_said_on_standard_error(
    store: StoreBuilder,
) -> None:
    few = run("bans", "list", "--limit", "2", "--db", store.path)
    none = run("bans", "list", "--jail", "none", "--db", store.path)
    everything = run("bans", "list", "--limit", "0", "--db", store.path)

    assert few.err == "the newest 2 of 5 bans; all: --limit 0\n"
    assert (none.code, none.out, none.err) == (0, "", "no bans\n")
    assert everything.err == ""


def test_json_is_an_array_of_the_views_rows(store: StoreBuilder) -> None:
    rows = json.loads(run("bans", "list", "--json", "--db", store.path).out)

    assert len(rows) == 5
    assert rows[0]["ip"] == "192.0.2.7"
    assert rows[0]["banned_at"] == "2026-11-21T20:09:03Z"
    assert "lines" not in rows[0]
    empty = run("bans", "list", "--json", "--jail", "none", "--db", store.path)
    assert json.loads(empty.out) == []


def test_csv_has_a_header_utc_times_and_no_formulas(store: StoreBuilder) -> None:
    store.record(event("=1+1", jail="@SUM(A1)", at=NOW))

    out = run("bans", "list", "--csv", "--limit", "1", "--db", store.path).out

    header, row = csv.reader(io.StringIO(out))
    cells = dict(zip(header, row, strict=True))
    assert cells["ip"] == "'=1+1"
    assert cells["jail"] == "'@SUM(A1)"
    assert cells["banned_at"] == "2026-11-21T20:14:03Z"
    assert cells["country"] == ""


def test_a_jail_of_odd_bytes_is_asked_for_as_it_was_stored(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(jail="dj\ufffd"))

    ran = run("bans", "list", "--jail", "dj\udce9", "--db", store.path)

    assert len(lines_of(ran.out)) == 2


def test_relative_times_count_from_now(tmp_path: Path) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    now = datetime.now(UTC)
    store.record(event(at=now - timedelta(hours=2)), event(at=now - timedelta(days=2)))

    assert len(run("bans", "list", "--since", "1d", "--db", store.path).out) > 0
    rows = run("bans", "list", "--since", "1d", "--json", "--db", store.path).out
    assert len(json.loads(rows)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--since", "yesterday"),
        ("--since", "2026-11-21", "--until", "2026-11-20"),
        ("--json", "--csv"),
        ("--limit", "-1"),
        ("--colour",),
        ("--attack", "none"),
        ("--service", "none"),
    ],
)
def test_wrong_usage_is_two(store: StoreBuilder, words: tuple[str, ...]) -> None:
    ran = run("bans", "list", *words, "--db", store.path)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("f2b-enrich: ")
    assert ran.err.endswith("; f2b-enrich bans list --help tells more\n")
    assert ran.err.count("\n") == 1


def test_without_a_store_there_is_one_line_and_no_new_file(tmp_path: Path) -> None:
    path = tmp_path / "bans.db"

    ran = run("bans", "list", "--db", path)

    assert ran.code == 1
    assert ran.err == (
        f"f2b-enrich: store {path}: there is none yet, the daemon makes it\n"
    )
    assert list(tmp_path.iterdir()) == []
