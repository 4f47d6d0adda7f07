"""A source that fails rests, and is not stormed when the rest is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from f2b_enrich.enrich.cooldown import Cooldown, Rest, SourceFault
from f2b_enrich.errors import ProviderError
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cooldown(clock: Clock) -> Cooldown:
    return Cooldown("IPinfo", now=clock)


def fail(
    cooldown: Cooldown, rest: Rest = Rest.SHORT, at_least: timedelta = timedelta()
) -> None:
    with pytest.raises(SourceFault), cooldown.request():
        raise SourceFault("it broke", rest=rest, at_least=at_least)


def answer_nothing_of_use(cooldown: Cooldown) -> None:
    with pytest.raises(ProviderError, match="no record"), cooldown.request():
        raise ProviderError("no record", retryable=True)


def succeed(cooldown: Cooldown) -> None:
    with cooldown.request():
        pass


def refused(cooldown: Cooldown) -> ProviderError:
    with pytest.raises(ProviderError) as caught, cooldown.request():
        pytest.fail("asked while it rests")
    return caught.value


def test_rests_double_up_to_a_quarter_of_an_hour(
    clock: Clock, cooldown: Cooldown
) -> None:
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900):
        fail(cooldown)
        clock.move(seconds=seconds - 0.5)
        refused(cooldown)
        clock.move(seconds=0.5)


@pytest.mark.parametrize(
    ("asked_for", "seconds"), [(0.1, 1), (120, 120), (3600, 3600), (86_400, 3600)]
)
def test_a_source_may_ask_for_a_longer_rest_up_to_an_hour(
    clock: Clock, cooldown: Cooldown, asked_for: float, seconds: float
) -> None:
    fail(cooldown, at_least=timedelta(seconds=asked_for))

    clock.move(seconds=seconds - 0.5)
    refused(cooldown)
    clock.move(seconds=0.5)

    succeed(cooldown)


def test_an_answer_of_no_use_starts_no_rest(cooldown: Cooldown) -> None:
    answer_nothing_of_use(cooldown)

    succeed(cooldown)


def test_an_answer_of_no_use_ends_a_rest_that_is_over(
    clock: Clock, cooldown: Cooldown
) -> None:
    fail(cooldown)
    clock.move(seconds=1)
    answer_nothing_of_use(cooldown)

    fail(cooldown)
    clock.move(seconds=1)

    succeed(cooldown)


def test_a_success_ends_the_doubling(clock: Clock, cooldown: Cooldown) -> None:
    fail(cooldown)
    clock.move(seconds=1)
    succeed(cooldown)
    succeed(cooldown)

    fail(cooldown)
    clock.move(seconds=1)

    succeed(cooldown)


def test_a_refusal_says_why_and_until_when(cooldown: Cooldown) -> None:
    fail(cooldown)

    error = refused(cooldown)

    assert str(error) == "it broke; not asked again before 2026-11-21T12:00:01Z"
    assert error.retryable


def test_requests_that_fail_together_count_once(
    clock: Clock, cooldown: Cooldown
) -> None:
    first, second = cooldown.request(), cooldown.request()
    first.__enter__()
    second.__enter__()
    fault = SourceFault("it broke", rest=Rest.SHORT)
    for request in (first, second):
        assert not request.__exit__(SourceFault, fault, None)

    clock.move(seconds=1)

    succeed(cooldown)


def test_a_straggler_does_not_end_a_rest(cooldown: Cooldown) -> None:
    straggler = cooldown.request()
    straggler.__enter__()
    fail(cooldown)

    straggler.__exit__(None, None, None)

    refused(cooldown)


def test_after_a_rest_one_probe_goes_first(clock: Clock, cooldown: Cooldown) -> None:
    fail(cooldown)
    clock.move(seconds=1)
    with cooldown.request():
        refused(cooldown)

    succeed(cooldown)


def test_a_probe_that_was_cancelled_makes_way_for_another(
    clock: Clock, cooldown: Cooldown
) -> None:
    fail(cooldown)
    clock.move(seconds=1)
    with pytest.raises(KeyboardInterrupt), cooldown.request():
        raise KeyboardInterrupt

    succeed(cooldown)


def test_the_quota_of_a_token_is_tried_hourly_across_midnight() -> None:
    clock = Clock("2026-11-21T21:30:00Z")
    cooldown = Cooldown("IPinfo", now=clock)
    for _ in range(4):
        fail(cooldown, Rest.HOUR)
        clock.move(minutes=60, seconds=-1)
        refused(cooldown)
        clock.move(seconds=1)

    succeed(cooldown)


@pytest.mark.parametrize(
    "start",
    [
        "2026-11-21T00:00:00Z",
        "2026-11-21T12:34:56.789Z",
        "2026-11-21T23:59:59Z",
        "2026-11-22T05:00:00+09:00",
    ],
)
def test_the_quota_of_a_day_is_back_at_midnight_exactly(start: str) -> None:
    clock = Clock(start)
    cooldown = Cooldown("IPinfo", now=clock)
    fail(cooldown, Rest.DAY)

    assert "before 2026-11-22T00:00:00Z" in str(refused(cooldown))
    clock.time = datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC)
    refused(cooldown)
    clock.time = datetime(2026, 11, 22, tzinfo=UTC)

    succeed(cooldown)


def test_a_source_given_up_is_never_asked_again(
    clock: Clock, cooldown: Cooldown
) -> None:
    fail(cooldown, Rest.FOR_GOOD)
    clock.move(hours=10_000)

    error = refused(cooldown)

    assert not error.retryable
    assert "before a reload" in str(error)


def test_a_clock_set_back_does_not_prolong_a_rest(
    clock: Clock, cooldown: Cooldown
) -> None:
    fail(cooldown)
    clock.move(hours=-5)

    succeed(cooldown)


def test_each_rest_is_one_line_in_the_log(cooldown: Cooldown) -> None:
    with capture_logs() as lines:
        fail(cooldown)
        refused(cooldown)
        refused(cooldown)

    assert lines == [
        {
            "event": "source rests",
            "log_level": "warning",
            "source": "IPinfo",
            "reason": "it broke",
            "until": "2026-11-21T12:00:01Z",
        }
    ]


def test_giving_up_is_logged_as_an_error(cooldown: Cooldown) -> None:
    with capture_logs() as lines:
        fail(cooldown, Rest.FOR_GOOD)

    assert [line["log_level"] for line in lines] == ["error"]


def test_a_source_given_up_is_told_once_a_day_while_it_is_missed(
    clock: Clock, cooldown: Cooldown
) -> None:
    told = []
    fail(cooldown, Rest.FOR_GOOD)
    for hour in range(1, 72):
        clock.move(hours=1)
        with capture_logs() as lines:
            refused(cooldown)
            refused(cooldown)
        told += [(hour, line["log_level"], line["reason"]) for line in lines]

    assert told == [(24, "error", "it broke"), (48, "error", "it broke")]


def test_nobody_is_reminded_of_a_source_that_is_not_missed(
    clock: Clock, cooldown: Cooldown
) -> None:
    fail(cooldown, Rest.FOR_GOOD)
    with capture_logs() as lines:
        clock.move(hours=1000)

    assert lines == []
