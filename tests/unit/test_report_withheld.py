"""Tests of which numbers are told: small ones cannot be worked out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.report.withheld import numbers, told

COUNTS = st.lists(st.integers(0, 12), max_size=12)
LEAST = st.integers(1, 8)


def test_what_a_single_small_one_could_be_worked_out_from_goes_with_it() -> None:
    assert told([9, 7, 6, 2], int, total=24, least=5) == [9, 7]


def test_small_ones_that_are_enough_together_take_nothing_with_them() -> None:
    assert told([9, 7, 4, 2], int, total=22, least=5) == [9, 7]


def test_all_are_told_that_are_large() -> None:
    assert told([9, 7, 6], int, total=22, least=5) == [9, 7, 6]


def test_nothing_is_told_of_too_few() -> None:
    assert told([3], int, total=3, least=5) == []
    assert numbers([0, 3, 0], least=5) == [0, None, 0]


def test_of_equal_ones_the_later_goes() -> None:
    assert numbers([6, 6, 1], least=5) == [6, None, None]


@given(COUNTS, st.integers(0, 9), LEAST)
def test_no_row_and_no_rest_is_small(
    counts: list[int], untold: int, least: int
) -> None:
    """What is in no row, as it was cut off or is unknown, is of the rest as well."""
    total = sum(counts) + untold
    kept = told([count for count in counts if count], int, total=total, least=least)

    assert all(count >= least for count in kept)
    rest = total - sum(kept)
    assert not kept or rest == 0 or rest >= least


@given(COUNTS, LEAST)
def test_a_number_is_the_count_or_not_told(counts: list[int], least: int) -> None:
    """A 0 stays, for it is nobody."""
    found = numbers(counts, least=least)

    assert len(found) == len(counts)
    for shown, count in zip(found, counts, strict=True):
        assert shown == count or (shown is None and count)
        assert not shown or shown >= least
    rest = sum(counts) - sum(shown for shown in found if shown)
    assert rest == 0 or rest >= least or not any(found)
