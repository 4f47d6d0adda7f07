"""Days without a ban: which of them are more than usual."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.gaps import (
    FEWEST_DAYS,
    SHORTEST_GAP,
    Gap,
    gaps,
    usual_gap,
)

BEGIN = date(2010, 7, 1)


def days(*numbers: int) -> list[date]:
    return [BEGIN + timedelta(days=number) for number in numbers]


def test_a_gap_is_told_where_bans_are_daily() -> None:
    found = gaps(days(*range(20), *range(30, 50)))
    assert found == [Gap(first=BEGIN + timedelta(days=20), last=date(2010, 7, 30))]
    assert found[0].days == 10


def test_a_long_weekend_is_none() -> None:
    assert gaps(days(*range(20), *range(19 + SHORTEST_GAP, 50))) == []


def test_the_shortest_gap_is_worth_a_word() -> None:
    found = gaps(days(*range(20), *range(20 + SHORTEST_GAP, 50)))
    assert [gap.days for gap in found] == [SHORTEST_GAP]


def test_where_bans_are_rare_a_gap_must_be_longer() -> None:
    weekly = [7 * number for number in range(20)]
    assert usual_gap(days(*weekly)) == 7
    assert gaps(days(*weekly, weekly[-1] + 50)) == []
    assert len(gaps(days(*weekly, weekly[-1] + 80))) == 1


@pytest.mark.parametrize("chance", [0.4, 0.63, 0.86])
def test_where_bans_come_by_chance_a_calm_is_no_gap(chance: float) -> None:
    random = Random(8)
    quarters = [
        days(*(number for number in range(90) if random.random() < chance))
        for _ in range(200)
    ]
    assert sum(map(bool, map(gaps, quarters))) <= len(quarters) // 20
    off = [[*some, *(day + timedelta(days=150) for day in some)] for some in quarters]
    assert all(any(gap.days >= 60 for gap in gaps(some)) for some in off)


def test_of_a_few_days_nothing_is_usual() -> None:
    few = days(*range(FEWEST_DAYS - 2), 3000)
    assert usual_gap(few) is None
    assert gaps(few) == []


@given(st.sets(st.dates(), max_size=60))
def test_gaps_lie_between_days_with_bans(some: set[date]) -> None:
    for gap in gaps(some):
        assert gap.first - timedelta(days=1) in some
        assert gap.last + timedelta(days=1) in some
        assert not any(gap.first <= day <= gap.last for day in some)
