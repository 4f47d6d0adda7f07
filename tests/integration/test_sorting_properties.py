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

from f2b_enrich.daemon.digests_due import begin, due
from f2b_enrich.errors import DeliveryError
from f2b_enrich.store import digests
from f2b_enrich.store.connection import open_writer, transaction
from tests.alert_desk import AlertDesk

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
DIGEST = st.fixed_dictionaries(
    {
        "daily": st.sampled_from(["07:00", "07:00", "23:30", ""]),
        "hourly": st.sampled_from([False, False, True]),
        "weekly": st.sampled_from(["", "sun 00:15"]),
    },
    optional={"recipient": st.sampled_from(["chief@admins.net", "you@mail.com"])},
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
        st.sampled_from(["clock back", "killed", "new settings"]),
    ),
    min_size=1,
    max_size=40,
)


@contextlib.contextmanager
def a_desk(alerts: dict[str, Any], digest: dict[str, Any]) -> Iterator[AlertDesk]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_writer(Path(folder) / "bans.db") as store,
    ):
        store.execute("PRAGMA synchronous = OFF")
        yield AlertDesk(store, alerts=alerts, digest=digest)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(ALERTS, DIGEST, STEPS)
def test_each_ban_ends_in_one_way_and_the_limits_hold(
    alerts: dict[str, Any], digest: dict[str, Any], steps: list[Any]
) -> None:
    with a_desk(alerts, digest) as first:
        desk, answer = first, None
        for step in steps:
            if step is None or isinstance(step, DeliveryError):
                answer = step
            elif step == "new settings":
                other = {"recipient": "other@admins.net"}
                desk = AlertDesk(
                    first.store, alerts=alerts, digest=other, clock=first.clock
                )
            else:
                come_about(desk, step)
            work(desk, answer)
        settle(desk)

        rows = desk.rows()
        assert_each_ends_in_one_way(rows, alerts)
        if "clock back" not in steps:
            assert_limits_hold(rows, alerts)
        assert_floods_add_up(desk, rows)


def come_about(desk: AlertDesk, step: Any) -> None:
    match step:
        case list():
            for ban in step:
                desk.ban(**ban)
        case "clock back":
            desk.clock.move(days=-2)
        case "killed":
            begin_digests(desk)
        case _:
            desk.clock.move(seconds=step)


def begin_digests(desk: AlertDesk) -> None:
    """Begin the digests that are due, and fill none of them."""
    now = desk.clock()
    for wanted in due(desk.store, plan=desk.plan, now=now).wanted:
        with transaction(desk.store):
            begin(desk.store, wanted=wanted, plan=desk.plan, now=now)


def work(desk: AlertDesk, answer: DeliveryError | None) -> None:
    desk.sort_all()
    desk.digest()
    desk.send(answer=answer)


def settle(desk: AlertDesk) -> None:
    """Let the mail server be there again, until nothing waits any more."""
    for _ in range(10):
        for hours in (7, 1, 16.6):
            desk.clock.move(hours=hours)
            work(desk, None)


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
            case "skipped":
                why = str(row.last_error)
                assert (
                    why.endswith("; no digest is configured")
                    or (why == "policy none" and "none" in policies)
                    or (why == "nothing to tell" and row.kind == "digest")
                )
            case "folded":
                assert row.folded_into is not None
                into = by_id[row.folded_into]
                assert into.kind in {"alert", "digest"}
                assert into.kind == "digest" or into.recipient == row.recipient
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
            if row.recipient == recipient
            and row.sent_at is not None
            and row.about != "daily"
        ]
        by_day = Counter(at.date() for at, _ in mails)
        assert max(by_day.values(), default=0) <= alerts["per_day"]
        # The words that a flood began and ended come beside.
        sent_at = sorted(at for at, kind in mails if kind != "flood")
        for first, at in enumerate(sent_at):
            close = [other for other in sent_at[first:] if other - at < window]
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


def test_ten_thousand_bans_in_a_minute_are_each_named_once(tmp_path: Path) -> None:
    with open_writer(tmp_path / "bans.db") as store:
        desk = AlertDesk(store)
        for second in range(60):
            with transaction(store):
                for number in range(167):
                    desk.take(f"198.51.{second + 100}.{number}")
            work(desk, None)
            desk.clock.move(seconds=1)
        began = desk.clock()
        for _ in range(30):
            desk.clock.move(minutes=1)
            work(desk, None)

        rows = desk.rows()
        first = [
            (row.kind, row.about)
            for row in rows
            if row.sent_at is not None and row.sent_at < began
        ]
        assert Counter(first) == {("alert", None): 20, ("flood", "began"): 1}
        after = [(row.kind, row.about) for row in rows if row.ban_id is None]
        assert after == [("flood", "began"), ("digest", "flood"), ("flood", "ended")]
        assert named(desk) == Counter(row.ban_id for row in rows if row.ban_id)
        assert len(named(desk)) == 60 * 167


def named(desk: AlertDesk) -> Counter[str | None]:
    """Count how often the mails that were sent name each ban."""
    found: Counter[str | None] = Counter()
    for row in desk.rows():
        if row.state != "sent":
            continue
        found.update(ban.id for ban in digests.folded(desk.store, row.id))
        if row.kind == "alert":
            found[row.ban_id] += 1
    return found


@pytest.mark.parametrize("days", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_one_ban_a_minute_is_no_more_than_a_hundred_mails_a_day_and_the_digest(
    tmp_path: Path, days: int
) -> None:
    with open_writer(tmp_path / "bans.db") as store:
        store.execute("PRAGMA synchronous = OFF")
        desk = AlertDesk(store, start="2026-11-01T00:00:00Z")
        for minute in range(days * 1440):
            desk.ban(f"2001:db8:{minute:x}::1")
            work(desk, None)
            desk.clock.move(minutes=1)
        for _ in range(2 * 1440):  # until the last of them is in a digest
            desk.clock.move(minutes=1)
            work(desk, None)
        rows = desk.rows()
        found = named(desk)

    mails = Counter(row.sent_at.date() for row in rows if row.sent_at is not None)
    assert max(mails.values()) <= 101
    alerts = [row.ban_id for row in rows if row.kind == "alert"]
    assert found == Counter(alerts)
    assert len(found) == days * 1440
    assert {row.about for row in rows if row.kind == "flood"} == {"began", "ended"}
    by_kind = Counter(row.about for row in rows if row.kind == "digest")
    assert set(by_kind) == {"daily", "flood"}
    assert by_kind["daily"] == days + 1
