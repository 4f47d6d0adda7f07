"""Tests of which numbers are told: small ones cannot be worked out."""

from __future__ import annotations

from itertools import product

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


def test_what_exceeds_the_total_by_few_is_an_overlap_of_few() -> None:
    assert told([10, 6], int, total=15, least=5) == [10]
    assert told([10, 6], int, total=11, least=5) == [10, 6]


@given(st.lists(st.integers(0, 8), max_size=3), st.integers(3, 5))
def test_who_knows_the_rule_works_out_no_number(counts: list[int], least: int) -> None:
    """Each that is not told may be another one, but where all are as small as may be.

    Or as large: neither leaves a choice.
    """
    found = numbers(counts, least=least)
    places = [place for place, shown in enumerate(found) if shown is None]
    lacking = sum(counts[place] for place in places)
    if lacking < least or lacking in {len(places), len(places) * (least - 1)}:
        return
    may_be = []
    for guess in product(range(1, lacking + 1), repeat=len(places)):
        whole = [*counts]
        for place, count in zip(places, guess, strict=True):
            whole[place] = count
        if sum(guess) == lacking and numbers(whole, least=least) == found:
            may_be.append(guess)

    for each in zip(*may_be, strict=True):
        assert len({*each}) > 1


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
