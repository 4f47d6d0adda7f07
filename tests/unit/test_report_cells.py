"""Tests of cells: what is in too small a one is told more coarsely."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.report.cells import NOWHERE, coarsened, told

FINE = 100
"""A fine cell is in the coarse one of its hundreds, both numbered alike."""


def cells_of(
    fine: list[int], who: list[int], least: int
) -> tuple[list[int], list[int]]:
    """Coarsen by one step, from cells to their hundreds."""
    cells = np.array(fine, np.int64)
    steps = (lambda rest: cells[rest], lambda rest: cells[rest] // FINE * FINE)
    told, counts = coarsened(steps, np.array(who, np.int64), least=least)
    return told.tolist(), counts


def test_a_cell_of_enough_stays_as_it_is() -> None:
    assert cells_of([101, 101], [0, 1], 2) == ([101, 101], [2, 0])


def test_one_address_banned_often_is_not_many() -> None:
    assert cells_of([101, 101, 102], [0, 0, 0], 2)[0] == [NOWHERE] * 3


def test_small_cells_become_a_coarser_one() -> None:
    assert cells_of([101, 102, 103, 103], [0, 1, 2, 3], 2) == (
        [100, 100, 103, 103],
        [2, 2],
    )


def test_what_is_left_joins_a_coarse_cell_that_is_told_already() -> None:
    assert cells_of([100, 100, 103], [0, 1, 2], 2)[0] == [100, 100, 100]


def test_what_stays_too_small_is_told_nowhere() -> None:
    assert cells_of([101, 203, 203], [0, 1, 2], 2) == ([NOWHERE, 203, 203], [2, 0])


def test_no_bans_have_no_cells() -> None:
    assert cells_of([], [], 2) == ([], [0, 0])


@given(
    st.lists(st.tuples(st.integers(100, 310), st.integers(0, 9)), max_size=60),
    st.integers(1, 6),
)
def test_each_cell_has_enough_addresses(
    bans: list[tuple[int, int]], least: int
) -> None:
    """Whatever there is, and whoever was banned how often."""
    fine, who = [cell for cell, _ in bans], [number for _, number in bans]
    told, counts = cells_of(fine, who, least)

    for cell in {*told} - {NOWHERE}:
        inside = {one for one, there in zip(who, told, strict=True) if there == cell}
        assert len(inside) >= least
    assert sum(counts) == len(told) - told.count(NOWHERE)
    for cell, there in zip(fine, told, strict=True):
        assert there in {cell, cell // FINE * FINE, NOWHERE}


@given(
    st.lists(st.tuples(st.integers(100, 510), st.integers(0, 9)), max_size=60),
    st.integers(1, 6),
)
def test_kinds_of_bans_by_themselves_come_to_the_same(
    bans: list[tuple[int, int]], least: int
) -> None:
    """Here the hundreds are the kinds, as no step goes beyond them."""
    fine = np.array([cell for cell, _ in bans], np.int64)
    who = np.array([number for _, number in bans], np.int64)
    steps = (lambda rest: fine[rest], lambda rest: fine[rest] // FINE * FINE)
    together, counts = coarsened(steps, who, least=least)
    cells, many = np.unique(together[together != NOWHERE], return_counts=True)

    found = told(steps, who, fine // FINE, least=least)
    assert [each.tolist() for each in found[:2]] == [cells.tolist(), many.tolist()]
    assert found[2] == counts


def test_bans_of_many_kinds_take_little_memory() -> None:
    """All at once they took some ninety bytes for each ban."""
    many, kinds = 100_000, 50
    chance = np.random.default_rng(7)
    who, fine = chance.integers(0, many // 5, many), chance.integers(0, 5000, many)
    steps = (lambda rest: fine[rest], lambda rest: fine[rest] // FINE * FINE)
    tracemalloc.start()
    try:
        told(steps, who, (fine // FINE).astype(np.int32), least=5)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert int(fine.max()) // FINE + 1 == kinds
    assert most < 30 * many
