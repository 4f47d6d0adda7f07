"""The forms of an answer of `sql`: no value is lost, and none moves a cursor."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest

from f2b_enrich.cli.sql import table
from tests.integration.cli_sql.ask import ask
from tests.stores import StoreBuilder, event

ESCAPE = "\x1b[2J\u202e\x9b\n"
FORMS = ("--table", "--json", "--nl", "--csv", "--tsv", "--raw-lines")


def test_an_answer_is_a_table(store: StoreBuilder) -> None:
    ran = ask(
        store,
        "select ip, count(*) as bans, null as nought, '' as empty, flag('NL') as flag "
        "from ban_log group by ip order by ip_key(ip)",
    )

    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["ip", "bans", "nought", "empty", "flag"],
        ["192.0.2.7", "3", "-", "\U0001f1f3\U0001f1f1"],
        ["192.0.2.9", "1", "-", "\U0001f1f3\U0001f1f1"],
        ["2001:db8::7", "1", "-", "\U0001f1f3\U0001f1f1"],
    ]
    assert ask(store, "select 1", "--table").out == "1\n1\n"


def test_numbers_stand_right_and_long_values_end() -> None:
    rows = [("a" * 100, 5, "b" * 100), ("c", 1000, None)]

    shown = list(table(("one", "two", "three"), rows, width=None))

    assert shown[1] == f"{'a' * 79}\u2026     5  {'b' * 100}"
    assert shown[2] == f"c{' ' * 79}  1000  -"
    assert max(map(len, table(("1", "2", "3"), rows, width=120))) == 120


def test_a_table_ends_and_says_so(store: StoreBuilder) -> None:
    query = (
        "with recursive n(i) as (select 1 union all select i + 1 from n "
        "limit cast(:rows as integer)) select i from n"
    )

    whole = ask(store, query, "-p", "rows", "1000")
    longer = ask(store, query, "-p", "rows", "1001")

    assert (len(whole.out.splitlines()), whole.err) == (1001, "")
    assert len(longer.out.splitlines()) == 1001
    assert longer.err == "the first 1,000 rows; all: --json or --csv\n"


def test_json_and_csv_have_every_value(store: StoreBuilder) -> None:
    query = "select 1 as a, 'b' as a, x'00ff' as c, null as d, 1e999 as e, -1 as f"

    assert json.loads(ask(store, query, "--json").out) == [
        {
            "a": 1,
            "a_2": "b",
            "c": {"$base64": True, "encoded": "AP8="},
            "d": None,
            "e": "inf",
            "f": -1,
        }
    ]
    assert list(csv.reader(io.StringIO(ask(store, query, "--csv").out))) == [
        ["a", "a_2", "c", "d", "e", "f"],
        ["1", "b", "x'00ff'", "", "inf", "-1"],
    ]


def test_an_object_a_line_has_every_value_too(store: StoreBuilder) -> None:
    query = "select 1 as a, x'00ff' as b, 1e999 as c union all select 'd\n', null, -1"

    assert ask(store, query, "--nl").out == (
        '{"a": 1, "b": {"$base64": true, "encoded": "AP8="}, "c": "inf"}\n'
        '{"a": "d\\n", "b": null, "c": -1}\n'
    )
    assert ask(store, "select 1 where 0", "--nl").out == ""


def test_tabs_part_values_and_nothing_else(store: StoreBuilder) -> None:
    query = (
        "select 'a' || char(9) || 'b' as one, '\"c\"' as \"two\tthree\", "
        "x'00ff' as four, null as five, -1 as six, '-1' as seven, '=1+1' as eight"
    )

    assert ask(store, query, "--tsv").out.splitlines() == [
        "one\ttwo three\tfour\tfive\tsix\tseven\teight",
        "a b\t\"c\"\tx'00ff'\t\t-1\t'-1\t'=1+1",
    ]


def test_raw_lines_are_one_a_row(store: StoreBuilder) -> None:
    query = (
        "select 'a' || char(10) || 'b', 1 union all select null, 2 "
        "union all select x'00ff', 3 union all select -1, 4 union all select '=1', 5"
    )

    assert ask(store, query, "--raw-lines").out == "a\u240ab\n\nx'00ff'\n-1\n=1\n"
    assert ask(store, "select ''", "--raw-lines").out == "\n"
    assert ask(store, "select 1 where 0", "--raw-lines").out == ""


def test_a_program_gets_all_rows(store: StoreBuilder) -> None:
    query = (
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 2500) "
        "select iif(i = 1001, '', i) as i from n"
    )
    lines = [str(i) if i != 1001 else "" for i in range(1, 2501)]

    assert ask(store, query, "--raw-lines").out.splitlines() == lines
    assert ask(store, query, "--tsv").out.splitlines() == ["i", *lines]
    assert len(json.loads(ask(store, query, "--json").out)) == 2500


def test_no_rows_are_said_on_standard_error(store: StoreBuilder) -> None:
    ran = ask(store, "select 1 where 0")

    assert (ran.code, ran.out, ran.err) == (0, "", "no rows\n")
    assert ask(store, "select 1 where 0", "--json").out == "[]\n"


@pytest.mark.parametrize("two", tuple(itertools.combinations(FORMS, 2)))
def test_forms_exclude_each_other(store: StoreBuilder, two: tuple[str, str]) -> None:
    ran = ask(store, "select 1", *two)

    assert (ran.code, ran.out) == (2, "")
    assert "exclude each other" in ran.err


@pytest.mark.parametrize("form", FORMS)
def test_an_attackers_words_reach_no_terminal_raw(
    store: StoreBuilder, form: str
) -> None:
    store.record(event("203.0.113.5", lines=(f"user {ESCAPE} from 203.0.113.5",)))
    query = 'select lines, 1 as "n ESCAPE" from ban_log'.replace("ESCAPE", ESCAPE)

    ran = ask(store, query, form)

    assert ran.code == 0
    assert "203.0.113.5" in ran.out
    assert not set("\x1b\u202e\x9b") & set(ran.out)
    objects = [ran.out] if form == "--json" else ran.out.splitlines()
    if form in {"--json", "--nl"}:
        found = [json.loads(each) for each in objects]
        told = found[0] if form == "--json" else found
        assert f"user {ESCAPE} from 203.0.113.5" in [row["lines"] for row in told]
    if form in {"--csv", "--tsv", "--raw-lines"}:
        assert len(objects) == 6 + (form != "--raw-lines")


def test_a_parameters_name_reaches_no_terminal_raw(store: StoreBuilder) -> None:
    assert "\x1b" not in ask(store, "select 1 where 0", "-p", ESCAPE, "5").err


@pytest.mark.parametrize("form", FORMS)
def test_no_character_of_all_moves_a_cursor(store: StoreBuilder, form: str) -> None:
    every = (chr(code) for code in range(1, 0x30000) if code != 0x7F)  # DEL does not
    text = "".join(char for char in every if not "\ud800" <= char <= "\udfff")

    ran = ask(store, "select :text as text", "-p", "text", text, form)

    assert (ran.code, ran.err) == (0, "")
    assert all(line.isprintable() for line in ran.out.split("\n"))
    if form == "--nl":
        assert json.loads(ran.out) == {"text": text}


def test_bytes_that_are_no_text_are_shown(store: StoreBuilder) -> None:
    assert ask(store, "select cast(x'41ff' as text) as t").out == "t\nA\ufffd\n"


def test_formulas_are_none_in_csv(store: StoreBuilder) -> None:
    ran = ask(store, "select '=1+1' as a, '-1' as b", "--csv")

    assert ran.out == "a,b\n'=1+1,'-1\n"
