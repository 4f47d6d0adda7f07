"""Log lines of a ban are kept from both ends inwards, within 64 KiB."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from f2b_enrich.store.lines import MAX_BYTES, MAX_LINE, kept

LINES = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.sampled_from([1, 100, 1000, 3000])),
    max_size=40,
).map(lambda parts: tuple(text * times for text, times in parts))


def size(lines: tuple[str, ...]) -> int:
    return sum(len(line.encode()) for line in lines)


@given(LINES)
@example(("\u4e2d" * 3000,))
@example(("x" * 8193,) * 20)
def test_any_lines_fit_and_keep_both_ends(lines: tuple[str, ...]) -> None:
    stored = kept(lines)
    positions = [position for position, _ in stored]
    assert size(tuple(line for _, line in stored)) <= MAX_BYTES
    assert all(len(line.encode()) <= MAX_LINE for _, line in stored)
    assert positions == sorted(set(positions))
    if lines:
        assert positions[0] == 0
        assert positions[-1] == len(lines) - 1
    if len(stored) < len(lines):
        gaps = [b - a for a, b in pairwise(positions)]
        assert sum(gap > 1 for gap in gaps) == 1
        assert size(tuple(line for _, line in stored)) > MAX_BYTES - MAX_LINE
    for position, line in stored:
        whole = lines[position]
        assert line == whole or len(whole.encode()) > MAX_LINE


def test_all_lines_are_kept_that_fit_exactly() -> None:
    lines = ("x" * MAX_LINE,) * (MAX_BYTES // MAX_LINE)
    assert tuple(line for _, line in kept(lines)) == lines
    assert len(kept((*lines, "y"))) == len(lines)


def test_of_130_kb_the_beginning_and_the_end_are_kept() -> None:
    lines = tuple(f"{number:04} {'x' * 125}" for number in range(1000))
    positions = [position for position, _ in kept(lines)]
    half = MAX_BYTES // 130 // 2
    assert positions == [*range(half), *range(1000 - half, 1000)]


def test_what_fits_exactly_is_kept_of_more() -> None:
    lines = ("x" * MAX_LINE,) * 9
    assert len(kept(lines)) == MAX_BYTES // MAX_LINE


def test_of_an_odd_number_the_end_gets_one_line_more() -> None:
    positions = [position for position, _ in kept(("x" * 7000,) * 10)]
    assert positions == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_a_long_line_is_cut_between_characters_and_says_so() -> None:
    ((_, line),) = kept(("\u4e2d" * 3000,))
    text, mark = line.split("\u2026")
    assert set(text) == {"\u4e2d"}
    assert mark == " [9000 bytes in all]"
