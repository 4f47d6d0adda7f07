"""Tables as text and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.tables import Column, columns_of, csv_lines, fit

NAME, COUNT, PLACE = Column("name"), Column("count", right=True), Column("place")


def test_columns_are_as_wide_as_their_values() -> None:
    lines = list(fit((NAME, COUNT), [("sshd", 5), ("nginx-botsearch", 1234)]))

    assert lines == [
        "name             count",
        "sshd                 5",
        "nginx-botsearch   1234",
    ]


def test_a_column_without_values_is_left_out_and_a_gap_is_shown() -> None:
    lines = list(fit((NAME, COUNT, PLACE), [("a", None, "NL"), ("b", None, None)]))

    assert lines == ["name  place", "a     NL", "b     -"]


def test_long_values_are_cut_and_the_last_column_fits_the_screen() -> None:
    rows = [("x" * 60, "y" * 60)]

    wide = list(fit((NAME, PLACE), rows))
    narrow = list(fit((NAME, PLACE), rows, width=70))
    tiny = list(fit((NAME, PLACE), rows, width=20))

    assert len(wide[1]) == 48 + 2 + 48
    assert len(narrow[1]) == 70
    assert narrow[1].endswith("y\u2026")
    assert len(tiny[1]) == 48 + 2 + 12


def test_wide_and_combining_characters_do_not_shift_a_column() -> None:
    lines = list(fit((NAME, COUNT), [("\u6771\u4eac", 1), ("e\u0301", 2)]))

    assert lines[1:] == ["\u6771\u4eac      1", "e\u0301         2"]


def test_values_are_cut_by_the_columns_they_take() -> None:
    wide, drawn_over = "\u6771" * 40, "e\u0301" * 40
    rows = [(wide, wide), (drawn_over, drawn_over)]

    lines = list(fit((Column("a", limit=11), Column("b")), rows, width=30))

    assert lines[0] == "a            b"
    assert lines[1] == f"{wide[:5]}\u2026  {wide[:8]}\u2026"
    assert lines[2] == f"{drawn_over[:20]}\u2026  {drawn_over[:32]}\u2026"


@given(st.text(), st.integers(1, 20))
def test_no_value_is_wider_than_its_column(text: str, limit: int) -> None:
    [_, line] = fit((Column("x", limit=limit), NAME), [(text, "end")])

    before, _, _ = line.rpartition("end")
    assert columns_of(before) <= max(limit, len("x")) + 2


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_no_value_breaks_its_row(rows: list[tuple[str, str]]) -> None:
    lines = list(fit((NAME, PLACE), rows))

    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "start",
    [
        *("=", "+", "-", "@", "\t", "\r", "\n"),
        *("\uff1d", "\uff0b", "\uff0d", "\uff20"),
        *(" =", "\n=", "\r\n @", "\x00+", "\x1b-", "\u3000=", "\u200b=", "\u2400="),
    ],
)
def test_no_spreadsheet_takes_a_cell_for_a_formula(start: str) -> None:
    lines = list(csv_lines(("jail",), [(f"{start}1+1",)]))

    assert lines[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("text", ["a=1", " a", "1-1", "\u2400a", "", " ", "\u2014"])
def test_what_begins_as_no_formula_stays_as_it_is(text: str) -> None:
    assert next(csv.reader(list(csv_lines(("jail",), [(text,)]))[1:])) in ([text], [])


def test_numbers_and_nothing_stay_what_they_are_in_csv() -> None:
    row = (-1, None, datetime(2026, 11, 21, tzinfo=UTC), 'x,"y"')

    lines = list(csv_lines(tuple("abcd"), [row]))

    assert lines == ["a,b,c,d", '-1,,2026-11-21T00:00:00Z,"x,""y"""']


@given(st.lists(st.tuples(st.text(), st.text())))
def test_csv_has_one_line_a_row_whatever_the_values(
    rows: list[tuple[str, str]],
) -> None:
    lines = list(csv_lines(("a", "b"), rows))

    assert all(line.isprintable() for line in lines)
    cells = [cell for row in csv.reader(io.StringIO("\n".join(lines))) for cell in row]
    assert len(cells) == 2 * len(rows) + 2
    starts = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    assert not any(
        cell.lstrip(" \u2424\u240a\ufffd").startswith(starts) for cell in cells
    )
