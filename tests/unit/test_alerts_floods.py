"""A flood begins with the first ban that is too much, and ends when few are."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.alerts import floods
from f2b_enrich.alerts.brake import Limits, Load
from f2b_enrich.alerts.floods import Flood

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = Limits()
QUIET = Load(in_window=0, today=20)


def is_over(flood: Flood, load: Load = QUIET, *, windows: int = 2) -> bool:
    return floods.is_over(flood, load, LIMITS, now=NOW + windows * LIMITS.window)


def test_it_goes_on_while_more_come_than_could_be_mailed() -> None:
    flood = floods.grow(floods.begin(held=3, now=NOW), held=4)
    assert (flood.held, flood.held_in_window) == (7, 7)
    assert not is_over(flood, windows=1)  # with those that were mailed before it began

    later = floods.go_on(flood, now=NOW + LIMITS.window)

    assert (later.began_at, later.held, later.held_in_window) == (NOW, 7, 0)
    assert is_over(later)
    assert is_over(floods.grow(later, held=19))
    assert not is_over(floods.grow(later, held=20))


def test_a_clock_that_is_set_back_does_not_keep_it_up() -> None:
    assert is_over(floods.begin(held=3, now=NOW), windows=-1)


def test_it_is_not_over_before_the_day_is() -> None:
    flood = floods.go_on(floods.begin(held=3, now=NOW), now=NOW + LIMITS.window)
    assert not is_over(flood, Load(in_window=0, today=99))
    assert is_over(flood, Load(in_window=0, today=98))


def test_it_is_not_over_while_its_mails_have_not_left() -> None:
    flood = floods.go_on(floods.begin(held=3, now=NOW), now=NOW + LIMITS.window)
    assert not is_over(flood, Load(in_window=20, today=20))
    assert is_over(flood, Load(in_window=19, today=20))


def test_the_word_of_it_is_the_last_mail_of_a_day() -> None:
    assert floods.may_tell(Load(in_window=20, today=99), LIMITS)
    assert not floods.may_tell(Load(in_window=20, today=100), LIMITS)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_what_is_held_adds_up_however_many_windows_it_takes(held: list[int]) -> None:
    first, *others = held
    flood = floods.begin(held=first, now=NOW)
    for number, more in enumerate(others, 1):
        flood = floods.go_on(flood, now=NOW + number * LIMITS.window)
        flood = floods.grow(flood, held=more)
    assert (flood.held, flood.held_in_window) == (sum(held), held[-1])
    assert flood.began_at == NOW
