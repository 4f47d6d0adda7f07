"""A flood begins with the first ban that is too much, and ends when none is."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.alerts import floods
from f2b_enrich.alerts.brake import Limits, Load

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = Limits()
QUIET = Load(in_window=0, today=20)


def test_it_goes_on_while_bans_are_held_and_ends_after_a_window_without() -> None:
    flood = floods.grow(floods.begin(held=3, now=NOW), held=4)
    assert (flood.held, flood.held_in_window) == (7, 7)
    assert not floods.is_over(flood, QUIET, LIMITS)

    later = floods.go_on(flood, now=NOW + LIMITS.window)

    assert (later.began_at, later.held, later.held_in_window) == (NOW, 7, 0)
    assert floods.is_over(later, QUIET, LIMITS)
    assert not floods.is_over(floods.grow(later, held=1), QUIET, LIMITS)


def test_it_is_not_over_before_the_day_is() -> None:
    flood = floods.go_on(floods.begin(held=3, now=NOW), now=NOW + LIMITS.window)
    assert not floods.is_over(flood, Load(in_window=0, today=99), LIMITS)
    assert floods.is_over(flood, Load(in_window=0, today=98), LIMITS)


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
