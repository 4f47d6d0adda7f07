from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.errors import DeliveryError
from f2b_enrich.model import OutboxRow, OutboxState
from f2b_enrich.outbox import after_failure, gives_up, message_id, next_attempt

NOW = datetime(2026, 11, 21, 19, 14, 3, tzinfo=UTC)
BAN_ID = "5f0c2a9e-1d0c-5c55-9d5c-0a1b2c3d4e5f"


def a_row(*, attempts: int = 1, age: timedelta = timedelta(0)) -> OutboxRow:
    return OutboxRow(
        id=1,
        kind="alert",
        ban_id=BAN_ID,
        recipient="root",
        sender="root@web1",
        state=OutboxState.SENDING,
        attempts=attempts,
        created_at=NOW - age,
        due_at=NOW,
        message_id="<1@web1>",
    )


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 30), (1, 30), (2, 60), (3, 120), (10, 15_360), (11, 21_600), (9999, 21_600)],
)
def test_the_wait_doubles_from_half_a_minute_to_six_hours(
    attempts: int, seconds: int
) -> None:
    longest = next_attempt(attempts, now=NOW, jitter=1.0)

    assert longest - NOW == timedelta(seconds=seconds)


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_jitter_takes_away_at_most_half(attempts: int, jitter: float) -> None:
    whole = next_attempt(attempts, now=NOW, jitter=1.0) - NOW

    assert whole / 2 <= next_attempt(attempts, now=NOW, jitter=jitter) - NOW <= whole


def test_a_mail_is_given_up_after_five_days() -> None:
    assert not gives_up(NOW - timedelta(days=5) + timedelta(seconds=1), now=NOW)
    assert gives_up(NOW - timedelta(days=5), now=NOW)


def test_a_clock_that_was_set_back_gives_nothing_up() -> None:
    assert not gives_up(NOW + timedelta(days=900), now=NOW)


def test_a_passing_failure_is_tried_again() -> None:
    error = DeliveryError("451 4.7.1 later\x1b[31m\n", permanent=False)

    verdict = after_failure(a_row(attempts=2), error, now=NOW, jitter=0.0)

    assert verdict.state is OutboxState.DUE
    assert verdict.due_at == NOW + timedelta(seconds=30)
    assert verdict.last_error == "451 4.7.1 later\u241b[31m\u240a"


def test_a_failure_for_good_is_dead_at_once_with_the_words_kept() -> None:
    error = DeliveryError("550 5.1.1 nobody " + "x" * 600, permanent=True)

    verdict = after_failure(a_row(), error, now=NOW, jitter=0.5)

    assert verdict.state is OutboxState.DEAD
    assert verdict.last_error.startswith("550 5.1.1 nobody xxx")
    assert len(verdict.last_error) == 500


def test_the_last_attempt_falls_on_the_end_of_five_days() -> None:
    error = DeliveryError("refused", permanent=False)
    nearly = a_row(attempts=30, age=timedelta(days=5) - timedelta(minutes=5))

    verdict = after_failure(nearly, error, now=NOW, jitter=0.5)
    last = after_failure(
        a_row(attempts=31, age=timedelta(days=5)), error, now=NOW, jitter=0.5
    )

    assert verdict.state is OutboxState.DUE
    assert verdict.due_at == NOW + timedelta(minutes=5)
    assert last.state is OutboxState.DEAD
    assert last.last_error == "given up after 5 days: refused"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web1.example.org", "web1.example.org"),
        ("", "localhost"),
        (" . ", "localhost"),
        ("web 1", "web-1"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("a..b", "a.b"),
        ("we\r\nb1>", "we-b1"),
        ("\ud800", "localhost"),
        ("2001:db8::1", "2001-db8-1"),
    ],
)
def test_a_message_id_is_made_of_what_does_not_change(host: str, expected: str) -> None:
    assert message_id(BAN_ID, "alert", 0, host) == f"<alert.0.{BAN_ID}@{expected}>"


def test_message_ids_differ_by_ban_kind_number_and_host() -> None:
    ids = {
        message_id(BAN_ID, "alert", 0, "web1"),
        message_id(BAN_ID, "alert", 1, "web1"),
        message_id(BAN_ID, "digest", 0, "web1"),
        message_id("other", "alert", 0, "web1"),
        message_id(BAN_ID, "alert", 0, "web2"),
    }

    assert len(ids) == 5


@given(st.text(), st.text(), st.integers(0, 10**9), st.text(max_size=400))
def test_a_message_id_is_sound_whatever_it_is_made_of(
    ban_id: str, kind: str, number: int, host: str
) -> None:
    made = message_id(ban_id, kind, number, host)

    parsed = message_from_bytes(f"Message-ID: {made}\r\n\r\n".encode(), policy=SMTP)
    assert parsed["Message-ID"] == made
    assert not parsed["Message-ID"].defects
    assert made.isascii()
    assert len(made) < 400
