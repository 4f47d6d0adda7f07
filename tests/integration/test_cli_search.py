"""`search`, on real stores: what is found, in which order, and how it is shown."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from f2b_enrich.cli.search import table
from f2b_enrich.store import bans, line_search
from tests.cli import Ran, run
from tests.stores import LINES, NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

WEB = "198.51.100.3 - - \"GET /wp-login.php?user=caf\u00e9 HTTP/1.1\" 404 'x' 100%"
MAIL = "postfix/smtpd[7]: SASL LOGIN failed: authentication failure, user=root"


def fill(path: Path) -> StoreBuilder:
    """Make a store of three bans whose lines are in the index."""
    store = StoreBuilder(path)
    store.record(
        event(at=NOW),
        event(
            "198.51.100.3", at=NOW - timedelta(days=2), jail="nginx-404", lines=(WEB,)
        ),
        event(
            "2001:db8::7",
            at=NOW - timedelta(days=9),
            jail="postfix-sasl",
            lines=(MAIL,),
        ),
    )
    return store


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return fill(tmp_path / "bans.db")


def add_unindexed(store: StoreBuilder, *lines: str) -> None:
    """Record a ban of the next day, and index nothing."""
    late = event("203.0.113.5", at=NOW + timedelta(days=1), lines=lines)
    with store.writing() as connection:
        bans.record(connection, late, host="web1", jail="sshd", now=NOW)


def ask(store: StoreBuilder, *words: str) -> Ran:
    return run("search", "--db", store.path, *words)


def found(store: StoreBuilder, *words: str) -> list[str]:
    ran = ask(store, "--json", "--", *words)
    assert (ran.code, ran.err) == (0, "")
    return [row["line"] for row in json.loads(ran.out)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("root", [LINES[0], MAIL]),
        ("ROOT", [LINES[0], MAIL]),
        ("root failed", [LINES[0], MAIL]),
        ("admin root", []),
        ("roo", []),
        ("roo*", [LINES[0], MAIL]),
        ('"failed password"', [LINES[0]]),
        ('"password failed"', []),
        ('"failed pass"*', [LINES[0]]),
        ("192.0.2.7", [LINES[1], LINES[0]]),
        ("user=root", [MAIL]),
        ("/wp-login.php?user=", [WEB]),
        ("cafe", [WEB]),
        ('"unclosed', []),
        ("root OR", []),
        ("NOT root", []),
        ("line:root", []),
        ("^root + - *** :", [LINES[0], MAIL]),
        ("NEAR(root failed)", []),
        ("'root'; --", [LINES[0], MAIL]),
        ("%", None),
        ("_", None),
        ("", None),
        ('"" * "', None),
    ],
)
def test_words_are_looked_for_and_nothing_in_them_is_a_command(
    store: StoreBuilder, text: str, lines: list[str] | None
) -> None:
    if lines is None:
        ran = ask(store, "--", text)
        assert ran.code == 2
        assert "TEXT: no letter or digit" in ran.err
    else:
        assert found(store, text) == lines


def test_several_arguments_are_one_text(store: StoreBuilder) -> None:
    assert found(store, "root", "failed") == [LINES[0], MAIL]


@pytest.mark.parametrize(
    "text", ["oracle", "ORACLE", "orac*", "user=oracle", '"user oracle"', "oracle 100"]
)
def test_lines_that_wait_for_the_index_are_found(
    store: StoreBuilder, text: str
) -> None:
    line = "Failed 100% password for user=oracle"
    add_unindexed(store, line)

    assert found(store, text) == [line]
    store.record()  # indexes what is there
    assert found(store, text) == [line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("roo", []),
        ("roo*", [LINES[0], MAIL]),
        ("oot", []),
        ("CAFE", [WEB]),
        ("caf\u00c9", [WEB]),
        ('"root from"', [LINES[0]]),
        ('"from root"', []),
        ('"for - root"', [LINES[0]]),
        ("wp_login", [WEB]),
        ('"wp login"', [WEB]),
        ("php.user", [WEB]),
    ],
)
def test_the_same_is_found_before_and_after_lines_are_indexed(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    store = StoreBuilder(tmp_path / "bans.db")
    add_unindexed(store, MAIL, WEB, *reversed(LINES))

    before = found(store, text)
    store.record()

    assert before == lines
    assert found(store, text) == lines


def test_many_lines_that_wait_are_found(store: StoreBuilder) -> None:
    add_unindexed(store, *(f"many {number % 7}" for number in range(2500)))

    assert ask(store, "many", "3", "--csv").out.count("many 3") == 357


def test_marks_mean_nothing_to_like(store: StoreBuilder) -> None:
    add_unindexed(store, "one 100%x two")

    assert found(store, "one%two") == []
    assert found(store, "100_x") == ["one 100%x two"]


def test_the_newest_ban_and_its_last_line_come_first(store: StoreBuilder) -> None:
    add_unindexed(store, "new 2 root", "new 3 root")

    assert found(store, "root") == ["new 3 root", "new 2 root", LINES[0], MAIL]
    ran = ask(store, "root", "--json", "--limit", "2")
    assert [row["position"] for row in json.loads(ran.out)] == [1, 0]


@pytest.mark.parametrize(
    ("options", "ips"),
    [
        (("--jail", "sshd"), ["192.0.2.7"]),
        (("--jail", "sshd", "--jail", "postfix-sasl"), ["192.0.2.7", "2001:db8::7"]),
        (("--since", "2026-11-20"), ["192.0.2.7"]),
        (("--until", "2026-11-20"), ["2001:db8::7"]),
        (("--since", "2026-11-20", "--jail", "x' OR 1 --"), []),
    ],
)
def test_rows_are_chosen_by_time_and_jail(
    store: StoreBuilder, options: tuple[str, ...], ips: list[str]
) -> None:
    ran = ask(store, "root", "--csv", *options)

    assert [row["ip"] for row in csv.DictReader(io.StringIO(ran.out))] == ips


def test_a_table_shows_time_jail_address_and_line(store: StoreBuilder) -> None:
    with store.reading() as connection:
        wanted = line_search.LineQuery(terms=("root",))
        rows, total = line_search.found_lines(connection, wanted)

    assert total == 2
    assert list(table(rows, zone=UTC, width=None)) == [
        "banned (UTC)      jail          address      line",
        f"2026-11-21 20:14  sshd          192.0.2.7    {LINES[0]}",
        f"2026-11-12 20:14  postfix-sasl  2001:db8::7  {MAIL}",
    ]
    narrow = list(table(rows, zone=UTC, width=70))
    assert max(map(len, narrow)) == 70
    assert narrow[1].endswith("\u2026")


def test_hosts_are_named_where_there_are_several(store: StoreBuilder) -> None:
    store.record(event("203.0.113.1", at=NOW), host="mail1")

    assert ask(store, "root").out.splitlines()[0].split()[2] == "host"


def test_what_a_table_leaves_out_is_said(store: StoreBuilder) -> None:
    assert ask(store, "root").err == ""
    assert ask(store, "root", "--limit", "1").err == (
        "the newest 1 of 2 lines; all: --limit 0\n"
    )
    nothing = ask(store, "nobody")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no lines\n")


@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_an_attackers_words_reach_no_terminal_raw(
    store: StoreBuilder, form: str
) -> None:
    store.record(event("203.0.113.5", lines=("evil \x1b[2J\u202e\x9b\r\nend",)))

    ran = ask(store, "evil", *filter(None, [form]))

    assert "203.0.113.5" in ran.out
    assert not set("\x1b\u202e\x9b\r") & set(ran.out)
    assert len(ran.out.splitlines()) == 2


def test_too_much_text_is_refused(store: StoreBuilder) -> None:
    words = ask(store, "a " * 33)
    long = ask(store, "a" * 1001)

    assert (words.code, long.code) == (2, 2)
    assert "TEXT: 33 words, the limit is 32" in words.err
    assert "TEXT: 1001 characters, the limit is 1000" in long.err
    assert ask(store, "a " * 32).code == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
@example(text='a\0"b')
@example(text='"\0')
@example(text="\u0301a \u20e3 1\ufe0f\u20e3")
def test_no_text_breaks_the_query(store: StoreBuilder, text: str) -> None:
    try:
        terms = line_search.read_terms(text)
    except ValueError:
        return
    with store.reading() as connection:
        wanted = line_search.LineQuery(terms=terms)
        few, total = line_search.found_lines(connection, wanted, limit=1)
        rows = tuple(line_search.found_rows(connection, wanted))

    assert (len(few), total) == (min(len(rows), 1), len(rows))


SOME = st.text('aA\u00e9\u00c9e\u0301\u00df\u4eac1_-.% "*', min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(lines=st.lists(SOME, min_size=1, max_size=8, unique=True), text=SOME)
@example(lines=["cafe\u0301"], text="CAFE")
def test_no_text_finds_more_or_less_once_lines_are_indexed(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], text: str
) -> None:
    try:
        terms = line_search.read_terms(text)
    except ValueError:
        return
    store = StoreBuilder(tmp_path_factory.mktemp("store") / "bans.db")
    wanted = line_search.LineQuery(terms=terms)
    answers = []
    add_unindexed(store, *lines)
    for _ in range(2):
        with store.reading() as connection:
            rows, _ = line_search.found_lines(connection, wanted)
            answers.append([row.line for row in rows])
        store.record()

    assert answers[0] == answers[1]


WORDS = st.text("ab\u00e9_%.\"'", min_size=1, max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(word=WORDS.filter(lambda word: any(map(str.isalnum, word))))
def test_a_word_of_a_line_finds_it_before_and_after_it_is_indexed(
    tmp_path_factory: pytest.TempPathFactory, word: str
) -> None:
    store = StoreBuilder(tmp_path_factory.mktemp("store") / "bans.db")
    line = f"from {word} at"
    add_unindexed(store, line)
    terms = line_search.read_terms(f"{word} from")
    wanted = line_search.LineQuery(terms=terms)

    with store.reading() as connection:
        _, before = line_search.found_lines(connection, wanted, limit=1)
    store.record()
    with store.reading() as connection:
        _, after = line_search.found_lines(connection, wanted, limit=1)

    assert (before, after) == (1, 1)


def test_lines_that_wait_for_the_index_are_read_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = StoreBuilder(tmp_path_factory.mktemp("store") / "bans.db")
    add_unindexed(store, "from root at", "for root at")
    wanted = line_search.LineQuery(terms=("root",))
    asked: list[str] = []

    with store.reading() as connection:
        connection.set_trace_callback(asked.append)
        few, total = line_search.found_lines(connection, wanted, limit=1)

    assert (len(few), total) == (1, 2)
    assert len([question for question in asked if "GLOB" in question]) == 1
    assert len([question for question in asked if "count(*)" in question]) == 1
