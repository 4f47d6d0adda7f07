"""`sql`, on real stores: every question is answered, and nothing but questions."""

from __future__ import annotations

import io
import json
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli import run
from tests.integration.cli_sql.ask import ask

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from tests.stores import StoreBuilder


def test_parameters_have_names(store: StoreBuilder) -> None:
    ran = ask(
        store,
        "select count(*) as n from bans where jail = :jail and failures >= :least",
        *("-p", "jail", "sshd", "-p", "least", "5", "--json"),
    )

    assert json.loads(ran.out) == [{"n": 4}]
    colon = ask(store, "select :a as a", "-p", ":a", "::b", "--json")
    assert json.loads(colon.out) == [{"a": "::b"}]


def test_values_are_text_and_a_cast_makes_them_numbers(store: StoreBuilder) -> None:
    query = "select ip from bans group by ip having count(*) > {} order by ip"

    cast = ask(store, query.format("cast(:n as integer)"), "-p", "n", "2")
    text = ask(store, query.format(":n"), "-p", "n", "2")

    assert cast.out.split() == ["ip", "192.0.2.7"]
    assert (text.code, text.out) == (0, "")
    assert text.err == "no rows; :n is text, cast(:n as integer) is a number\n"
    assert ask(store, "select typeof(:n)", "-p", "n", "007").out.split()[1] == "text"
    assert ask(store, "select :n where 0", "-p", "n", "x").err == "no rows\n"


def test_a_query_may_come_on_standard_input(
    store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.BytesIO(b"select 'caf\xc3\xa9 \xff' as word\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(typed))

    assert ask(store, "-").out == "word\ncaf\u00e9 \ufffd\n"


def test_a_nul_on_standard_input_is_one_line(
    store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"select 1 \0")))

    ran = ask(store, "-")

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    "query",
    [
        "delete from bans",
        "update bans set jail = 'x'",
        "insert into hosts values ('a', null, null, '', '')",
        "create table t (x)",
        "create temp table t (x)",
        "create temp view v as select 1",
        "drop view ban_log",
        "attach ':memory:' as other",
        "attach '{other}' as other",
        "vacuum into '{other}'",
        "vacuum",
        "update sqlite_master set type = 'x'",
        "update sqlite_schema set sql = ''",
        "pragma query_only = off",
        "pragma writable_schema = on",
        "pragma journal_mode = wal",
        "pragma wal_checkpoint(truncate)",
        "begin immediate",
        "savepoint a",
        "reindex",
        "analyze",
        "select load_extension('{other}')",
        "insert into log_lines_fts (log_lines_fts) values ('delete-all')",
    ],
)
def test_only_questions_are_answered(
    store: StoreBuilder, query: str, tmp_path: Path
) -> None:
    before = store.path.read_bytes()
    names = sorted(each.name for each in tmp_path.iterdir())
    ran = ask(store, query.format(other=tmp_path / "other.db"))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("f2b-enrich: query: ")
    assert store.path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    "query",
    [
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 3) "
        "select i from n",
        "select rowid from log_lines_fts where log_lines_fts match 'admin'",
        "select name from pragma_table_info('bans')",
        "pragma table_info(bans)",
        "explain query plan select * from ban_log",
        "select name from sqlite_schema",
        "select value from json_each('[1]')",
        "select row_number() over (order by ip) from bans",
        "values (1)",
    ],
)
def test_every_kind_of_question_is_answered(store: StoreBuilder, query: str) -> None:
    ran = ask(store, query)

    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) > 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec 1", 'near "selec": syntax error'),
        ("select nought from bans", "no such column: nought"),
        ("select 1; select 2", "one statement at a time"),
        ("select :x", ":x"),
        ("select abs(-9223372036854775808)", "integer overflow"),
        ("select '\x1b[2J", "unrecognized token"),
        ("", "no question"),
        ("/* nought */", "no question"),
    ],
)
def test_a_mistake_is_one_line(store: StoreBuilder, query: str, said: str) -> None:
    ran = ask(store, query)

    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.startswith("f2b-enrich: query: ")
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err


def test_a_query_without_end_can_be_interrupted(store: StoreBuilder) -> None:
    with interrupted_soon():
        ran = ask(
            store,
            "with recursive n(i) as (select 1 union all select i + 1 from n) "
            "select max(i) from n",
        )

    assert (ran.code, ran.out) == (130, "")


class interrupted_soon:  # noqa: N801 - reads as what it does
    """Let what runs inside be interrupted as by Ctrl-C, once it is under way."""

    def __enter__(self) -> None:
        # Datasette has it on for the process, where another test imported it.
        sqlite3.enable_callback_tracebacks(False)  # noqa: FBT003 - positional only
        self._before = signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.5)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    ran = run("sql", "select 1", "--db", tmp_path / "bans.db")

    assert ran.code == 1
    assert "there is none yet" in ran.err
