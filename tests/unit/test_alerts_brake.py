"""However many bans come, a recipient gets so many mails and no more."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.alerts.brake import Limits, Load, is_day_used_up, room

LIMITS = st.builds(
    Limits,
    burst=st.integers(1, 50),
    window=st.timedeltas(timedelta(minutes=1), timedelta(hours=2)),
    per_day=st.integers(1, 300),
)


def test_a_burst_ends_at_twenty_and_a_day_at_a_hundred() -> None:
    limits = Limits()
    assert room(Load(in_window=0, today=0), limits) == 20
    assert room(Load(in_window=19, today=19), limits) == 1
    assert room(Load(in_window=20, today=20), limits) == 0
    # One of the hundred is for the word that a flood began.
    assert room(Load(in_window=0, today=98), limits) == 1
    assert room(Load(in_window=0, today=99), limits) == 0
    assert not is_day_used_up(Load(in_window=20, today=98), limits)
    assert is_day_used_up(Load(in_window=0, today=99), limits)


@given(LIMITS, st.lists(st.integers(0, 90), max_size=600))
def test_no_window_and_no_day_brings_more(limits: Limits, gaps: list[int]) -> None:
    """Bans come `gaps` seconds apart; each is mailed as soon as there is room."""
    sent: list[int] = []
    now = 0
    for gap in gaps:
        now += gap
        in_window = sum(now - at < limits.window.total_seconds() for at in sent)
        if room(Load(in_window=in_window, today=len(sent)), limits):
            sent.append(now)
    assert len(sent) <= max(limits.per_day - 1, 0)
    seconds = limits.window.total_seconds()
    for first, at in enumerate(sent):
        assert sum(at <= other < at + seconds for other in sent[first:]) <= limits.burst
