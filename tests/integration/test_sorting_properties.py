"""Whatever comes, each ban ends in one way, and nobody gets more mails than agreed."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f2b_enrich.errors import DeliveryError
from f2b_enrich.store import outbox
from f2b_enrich.store.connection import open_writer, transaction
from tests.alert_desk import RECIPIENT, AlertDesk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.model import OutboxRow

DOWN = DeliveryError("nobody answers", permanent=False)
REFUSED = DeliveryError("550 5.1.1 no such user", permanent=True)

POLICIES = st.sampled_from(["all", "first", "digest", "none"])
ALERTS = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(["all"] * 6 + ["first", "digest", "none"]),
        "burst": st.integers(1, 4),
        "burst_minutes": st.sampled_from([1, 10, 90]),
        "per_day": st.sampled_from([2, 5, 12, 40]),
        "merge_seconds": st.sampled_from([0, 60]),
        "min_ban_count": st.sampled_from([1, 1, 2]),
        "quiet_hours": st.sampled_from(["", "", "22:00-07:00"]),
        "rules": st.dictionaries(
            st.just("mail"),
            st.fixed_dictionaries({"policy": POLICIES, "jails": st.just(["dovecot"])}),
        ),
    }
)
BANS = st.fixed_dictionaries(
    {
        "ip": st.sampled_from(
            [
                *(f"192.0.2.{number}" for number in range(9)),
                "2001:db8::1",
                "odd.example",
            ]
        ),
        "jail": st.sampled_from(["sshd", "dovecot", "recidive"]),
        "ago": st.sampled_from([0.0] * 6 + [30.0, 7200.0]),
        "count": st.integers(1, 2),
        "dest": st.sampled_from(
            [None, None, None, None, "a@admins.net,b@admins.net", "x@y.invalid"]
        ),
    }
)
STEPS = st.lists(
    st.one_of(
        st.lists(BANS, min_size=1, max_size=12),
        st.sampled_from([1, 20, 60, 600, 3600, 3600, 43_200, 3 * 86_400]),
        st.sampled_from([None, DOWN, DOWN, REFUSED]),
    ),
    min_size=1,
    max_size=40,
)


@contextlib.contextmanager
def a_desk(alerts: dict[str, Any]) -> Iterator[AlertDesk]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_writer(Path(folder) / "bans.db") as store,
    ):
        store.execute("PRAGMA synchronous = OFF")
        yield AlertDesk(store, alerts=alerts, tells_of_floods=True)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(ALERTS, STEPS)
def test_each_ban_ends_in_one_way_and_the_limits_hold(
    alerts: dict[str, Any], steps: list[Any]
) -> None:
    with a_desk(alerts) as desk:
        answer = None
        for step in steps:
            match step:
                case list():
                    for ban in step:
                        desk.ban(**ban)
                case int():
                    desk.clock.move(seconds=step)
                case _:
                    answer = step
            desk.sort_all()
            desk.send(answer=answer)
        settle(desk)

        rows = desk.rows()
        assert_each_ends_in_one_way(rows, alerts)
        assert_limits_hold(rows, alerts)
        assert_floods_add_up(desk, rows)


def settle(desk: AlertDesk) -> None:
    """Let the mail server be there again, until nothing waits any more."""
    for _ in range(3):
        desk.clock.move(days=1)
        desk.sort_all()
        desk.send()


def assert_each_ends_in_one_way(rows: list[OutboxRow], alerts: dict[str, Any]) -> None:
    by_id = {row.id: row for row in rows}
    policies = {
        alerts["policy"],
        *(each["policy"] for each in alerts["rules"].values()),
    }
    for row in rows:
        match row.state:
            case "sent":
                assert row.released_at is not None
                assert row.folded_into is None
            case "dead":
                assert row.last_error
            case "held":
                assert row.last_error
                assert row.released_at is None
            case "skipped":
                assert row.last_error == "policy none"
                assert "none" in policies
            case "folded":
                assert row.folded_into is not None
                into = by_id[row.folded_into]
                assert (into.kind, into.recipient) == ("alert", row.recipient)
                assert into.state in {"sent", "dead"}
            case _:
                pytest.fail(f"{row} is still under way")
    alerted = Counter((row.ban_id, row.recipient) for row in rows if row.ban_id)
    assert set(alerted.values()) <= {1}


def assert_limits_hold(rows: list[OutboxRow], alerts: dict[str, Any]) -> None:
    window = timedelta(minutes=alerts["burst_minutes"])
    for recipient in {row.recipient for row in rows}:
        mails = [
            (row.sent_at, row.kind)
            for row in rows
            if row.recipient == recipient and row.sent_at is not None
        ]
        by_day = Counter(at.date() for at, _ in mails)
        assert max(by_day.values(), default=0) <= alerts["per_day"]
        alerts_at = sorted(at for at, kind in mails if kind == "alert")
        for first, at in enumerate(alerts_at):
            close = [other for other in alerts_at[first:] if other - at < window]
            assert len(close) <= alerts["burst"]


def assert_floods_add_up(desk: AlertDesk, rows: list[OutboxRow]) -> None:
    braked = Counter(
        row.recipient for row in rows if str(row.last_error).startswith("brake: ")
    )
    counted: Counter[str] = Counter()
    for flood in desk.floods():
        counted[flood["recipient"]] += flood["held"]
        assert flood["ended_at"] is not None
    assert counted == braked


def test_ten_thousand_bans_in_a_minute_are_twenty_alerts_and_one_word(
    tmp_path: Path,
) -> None:
    with open_writer(tmp_path / "bans.db") as store:
        desk = AlertDesk(store, tells_of_floods=True)
        for second in range(60):
            with transaction(store):
                for number in range(167):
                    desk.take(f"198.51.{second + 100}.{number}")
            desk.sort_all()
            desk.send()
            desk.clock.move(seconds=1)

        states = Counter((row.kind, str(row.state)) for row in desk.rows())

        held = 60 * 167 - 20
        assert states == {("alert", "sent"): 20, ("alert", "held"): held} | {
            ("flood", "sent"): 1
        }
        assert [flood["held"] for flood in desk.floods()] == [held]


@pytest.mark.parametrize("days", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_one_ban_a_minute_is_no_more_than_a_hundred_mails_a_day_and_the_digest(
    tmp_path: Path, days: int
) -> None:
    """The daily digest takes what is held, as it will be sent at seven o'clock."""
    with open_writer(tmp_path / "bans.db") as store:
        store.execute("PRAGMA synchronous = OFF")
        desk = AlertDesk(store, tells_of_floods=True, start="2026-11-01T00:00:00Z")
        for minute in range(days * 1440):
            desk.ban(f"2001:db8:{minute:x}::1")
            desk.sort()
            desk.send()
            if minute % 1440 == 7 * 60:
                daily_digest(desk)
            desk.clock.move(minutes=1)
        rows = desk.rows()

    mails = Counter(row.sent_at.date() for row in rows if row.sent_at is not None)
    assert max(mails.values()) <= 101
    assert len(mails) == days
    named = Counter(str(row.state) for row in rows if row.kind == "alert")
    assert sum(named.values()) == days * 1440
    # What the last seven hours of each day held is in the next day's digest.
    assert named["sent"] + named["folded"] >= (days - 1) * 1440 + 7 * 60
    assert set(named) == {"sent", "folded", "held"}
    assert {row.about for row in rows if row.kind == "flood"} == {"began", "ended"}


def daily_digest(desk: AlertDesk) -> None:
    mail = outbox.NewMail(
        kind="digest",
        ban_id=None,
        recipient=RECIPIENT,
        sender="root@web1",
        message_id=f"<daily.{desk.clock():%Y%m%d}@web1>",
        due_at=desk.clock(),
        about="daily",
    )
    with transaction(desk.store):
        row_id = outbox.add(desk.store, mail, now=desk.clock())
        desk.store.execute(
            "UPDATE outbox SET state = 'folded', folded_into = ? WHERE state = 'held'",
            (row_id,),
        )
