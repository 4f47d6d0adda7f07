"""Which digests are made when, and what is folded into them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.daemon import digesting
from f2b_enrich.daemon.digests_due import begin, due
from f2b_enrich.errors import DeliveryError
from f2b_enrich.store import bounces, filling, outbox
from f2b_enrich.store.connection import transaction
from tests.alert_desk import RECIPIENT, AlertDesk

if TYPE_CHECKING:
    import sqlite3

    from f2b_enrich.model import OutboxRow

DOWN = DeliveryError("nobody answers", permanent=False)
REFUSED = DeliveryError("550 5.1.1 no such user", permanent=True)


def desk_of(
    store: sqlite3.Connection,
    *,
    digest: dict[str, Any] | None = None,
    start: str = "2026-11-21T12:00:00Z",
    **alerts: Any,
) -> AlertDesk:
    """Give one that was started before: what came before it is none of its business."""
    desk = AlertDesk(store, alerts=alerts, digest=digest, start=start)
    assert desk.digest() == []
    return desk


def rows_of(desk: AlertDesk, ids: list[int]) -> list[OutboxRow]:
    return [row for row in desk.rows() if row.id in ids]


def period(desk: AlertDesk, row_id: int) -> tuple[str, str, str]:
    row = desk.store.execute(
        "SELECT period, since_at, until_at FROM digests WHERE outbox_id = ?", (row_id,)
    ).fetchone()
    return tuple(row)


def test_what_waits_is_in_the_daily_digest(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="digest")
    held = [desk.ban(f"192.0.2.{number}") for number in range(3)]
    desk.sort()
    desk.clock.move(hours=18.9)
    assert desk.digest() == []
    desk.clock.move(hours=0.1)

    (made,) = desk.digest()

    (row,) = rows_of(desk, [made])
    assert (row.kind, row.about, row.recipient) == ("digest", "daily", RECIPIENT)
    assert (row.sender, row.state, row.due_at) == ("root@web1", "due", desk.clock())
    assert row.message_id.startswith("<daily.0.20261122T070000Z-")
    times = ("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")
    assert period(desk, made) == ("daily", *times)
    assert [desk.alert(ban).folded_into for ban in held] == [made] * 3
    assert desk.digest() == []


def test_a_day_is_told_of_although_each_ban_was_mailed(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(hours=19)
    assert len(desk.digest()) == 1


def test_an_empty_day_is_not_told_of_even_when_its_bans_come_later(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    desk.clock.move(hours=19)
    assert desk.digest() == []
    desk.ban(ago=12 * 3600)
    desk.sort()
    desk.clock.move(minutes=1)
    assert desk.digest() == []
    desk.clock.move(days=1)
    assert len(desk.digest()) == 1


def test_a_mail_that_came_back_is_told_of_on_a_day_without_bans(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    ban = desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(hours=19)
    assert len(desk.digest()) == 1
    desk.send()
    desk.clock.move(hours=1)
    returned = bounces.Returned(
        message_id=desk.alert(ban).message_id,
        recipient=RECIPIENT,
        status="5.1.1",
        diagnostic="no such user",
    )
    with transaction(store):
        assert bounces.note(store, returned, now=desk.clock()) is not None
    desk.clock.move(hours=23)
    (made,) = desk.digest()
    assert rows_of(desk, [made])[0].state == "due"
    desk.send()
    desk.clock.move(days=1)
    assert desk.digest() == []


def test_repetitions_alone_make_no_day(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="none")
    desk.ban(jail="recidive")
    desk.sort()
    desk.clock.move(hours=19)
    assert desk.digest() == []


def test_the_day_before_the_installation_is_not_told_of(
    store: sqlite3.Connection,
) -> None:
    desk = AlertDesk(store)
    desk.ban(ago=24 * 3600)
    desk.ban(ago=60)
    desk.sort()
    assert desk.digest() == []
    desk.clock.move(hours=19)
    assert len(desk.digest()) == 1


def test_a_digest_that_was_missed_is_made_at_the_start_the_newest_alone(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    ban = desk.ban()
    desk.sort()
    desk.clock.move(days=3)
    (made,) = desk.digest()
    times = ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z")
    assert period(desk, made) == ("daily", *times)
    assert desk.alert(ban).folded_into == made


def test_a_clock_that_was_ahead_stops_no_digest(store: sqlite3.Connection) -> None:
    desk = desk_of(store, start="2099-01-01T12:00:00Z")
    desk.clock.move(days=-365 * 72)
    desk.digest()
    desk.ban()
    desk.clock.move(days=1)
    assert len(desk.digest()) == 1


def test_each_recipient_has_a_digest_of_his_own(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="digest")
    bans = [
        desk.ban("192.0.2.1", dest="a@admins.net,b@admins.net"),
        desk.ban("192.0.2.2", dest="a@admins.net"),
    ]
    desk.sort()
    desk.clock.move(hours=19)
    made = rows_of(desk, desk.digest())
    # Whoever gets alerts by default hears of the day.
    whose = [row.recipient for row in made]
    assert whose == [RECIPIENT, "a@admins.net", "b@admins.net"]
    assert len({row.message_id for row in made}) == 3
    assert {desk.alert(ban).folded_into for ban in bans} <= {row.id for row in made}
    counts = [filling.count(store, row.id) for row in made]
    assert counts == [0, 2, 1]


def test_one_recipient_of_all_digests_gets_what_all_others_would(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(
        store, policy="digest", burst=1, digest={"recipient": "chief@admins.net"}
    )
    desk.ban(dest="a@admins.net,b@admins.net")
    desk.sort()
    desk.clock.move(hours=19)
    (row,) = rows_of(desk, desk.digest())
    assert row.recipient == "chief@admins.net"
    assert filling.count(store, row.id) == 1


def test_a_recipient_of_digests_that_is_refused_keeps_nobody_from_them(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest", digest={"recipient": "you@mail.com"})
    desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    (row,) = rows_of(desk, desk.digest())
    assert row.recipient == RECIPIENT


def test_without_any_digest_what_would_wait_is_left_out_and_says_so(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest", digest={"daily": ""})
    ban = desk.ban()
    desk.sort()
    desk.digest()
    assert desk.fate(ban) == "skipped"
    why = "policy digest; no digest is configured"
    assert desk.alert(ban).last_error == why


def test_without_any_digest_a_flood_still_has_one(store: sqlite3.Connection) -> None:
    desk = desk_of(store, burst=1, digest={"daily": ""})
    bans = [desk.ban(f"192.0.2.{number}") for number in range(3)]
    desk.sort()
    desk.send()
    desk.digest()
    assert [desk.fate(ban) for ban in bans] == ["sent", "held", "held"]
    desk.clock.move(minutes=10, seconds=1)

    (made,) = desk.digest()

    assert period(desk, made)[0] == "flood"
    assert [desk.fate(ban) for ban in bans] == ["sent", "folded", "folded"]


def test_a_floods_digest_leaves_what_the_policy_holds(
    store: sqlite3.Connection,
) -> None:
    rule = {"policy": "digest", "jails": ["dovecot"]}
    desk = desk_of(store, burst=1, rules={"mail": rule})
    policy = desk.ban("198.51.100.1", jail="dovecot")
    bans = [desk.ban(f"192.0.2.{number}") for number in range(2)]
    desk.sort()
    desk.send()
    desk.clock.move(minutes=11)
    assert len(desk.digest()) == 1
    assert [desk.fate(ban) for ban in (policy, *bans)] == ["held", "sent", "folded"]
    desk.send()
    desk.clock.move(hours=20)
    desk.digest()
    assert desk.fate(policy) == "folded"


def test_a_flood_has_no_digest_while_the_days_mails_are_used_up(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=5, per_day=3, digest={"daily": ""})
    bans = [desk.ban(f"192.0.2.{number}") for number in range(4)]
    desk.sort()
    desk.send()
    desk.clock.move(hours=11.9)
    assert desk.digest() == []
    desk.clock.move(hours=0.2)
    assert len(desk.digest()) == 1
    assert [desk.fate(ban) for ban in bans] == ["sent", "sent", "folded", "folded"]


def test_the_daily_digest_takes_a_flood_with_it_whatever_the_day_has_room_for(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, per_day=3, start="2026-11-21T05:00:00Z")
    bans = [desk.ban(f"192.0.2.{number}") for number in range(9)]
    desk.sort()
    desk.send()
    desk.clock.move(hours=2)
    (row,) = rows_of(desk, desk.digest())
    assert row.about == "daily"
    assert {desk.fate(ban) for ban in bans} == {"sent", "folded"}


@pytest.mark.parametrize(
    ("digest", "start", "kinds"),
    [
        ({"hourly": True}, "2026-11-21T12:30:00Z", ["hourly"]),
        ({"weekly": "sat 13:00"}, "2026-11-21T12:30:00Z", ["weekly"]),
        # All at once: one is sent before the next is made.
        (
            {"daily": "13:00", "weekly": "sat 13:00", "hourly": True},
            "2026-11-21T12:30:00Z",
            ["daily", "weekly", "hourly"],
        ),
    ],
)
def test_hourly_and_weekly_ones_come_too(
    store: sqlite3.Connection, digest: dict[str, Any], start: str, kinds: list[str]
) -> None:
    desk = desk_of(store, digest={"daily": ""} | digest, start=start)
    for day in range(1, 8):
        desk.ban(f"192.0.2.{day}", ago=day * 86_400)
    desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(minutes=30)
    found = []
    for _ in range(4):
        for row in rows_of(desk, desk.digest()):
            found.append(row.about)
            assert desk.digest() == []  # not before this one has left
        desk.send()
    assert found == kinds


def test_an_hourly_digest_waits_while_the_brake_holds(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, digest={"hourly": True, "daily": ""}, per_day=2)
    desk.ban()
    desk.sort()
    desk.send()
    desk.ban("192.0.2.8")
    desk.sort()
    desk.send()
    desk.clock.move(hours=1)
    assert desk.digest() == []
    desk.clock.move(hours=11)
    (row,) = rows_of(desk, desk.digest())
    assert row.about == "hourly"


def test_a_digest_that_cannot_leave_holds_up_the_next_one(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    first = desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    (one,) = desk.digest()
    desk.send(answer=DOWN)
    second = desk.ban("192.0.2.8")
    desk.sort()
    desk.clock.move(days=2)
    assert desk.digest() == []
    desk.send()
    (two,) = desk.digest()
    assert [desk.alert(ban).folded_into for ban in (first, second)] == [one, two]


def test_a_digest_that_was_refused_is_dead_and_the_next_one_is_made(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    (made,) = desk.digest()
    desk.send(answer=REFUSED)
    assert rows_of(desk, [made])[0].state == "dead"
    desk.ban("192.0.2.8")
    desk.sort()
    desk.clock.move(days=1)
    assert len(desk.digest()) == 1


def test_a_digest_that_was_being_filled_is_filled_on(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="digest")
    with transaction(store):
        for number in range(1500):
            desk.take(f"2001:db8:{number:x}::1")
    desk.sort_all()
    desk.clock.move(hours=19)
    now = desk.clock()
    (wanted,) = due(store, plan=desk.plan, now=now).wanted
    with transaction(store):
        begun = begin(store, wanted=wanted, plan=desk.plan, now=now)
    assert begun is not None
    with transaction(store):
        part = digesting.fill_some(store, begun=begun, bans=0, now=now)
    assert part == (1000, False)
    # It was killed here; nothing is made beside what was begun.
    desk.clock.move(minutes=1)
    assert due(store, plan=desk.plan, now=desk.clock()).wanted == ()
    assert desk.send() == []

    (left,) = filling.unfilled(store)
    desk.fill(left)

    assert left == begun
    assert filling.unfilled(store) == ()
    assert filling.count(store, begun.id) == 1500
    assert [row.id for row in desk.send()] == [begun.id]


def test_what_one_digest_cannot_hold_is_for_the_next(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digesting, "MOST_BANS", 5)
    desk = desk_of(store, burst=1, per_day=500)
    for number in range(13):
        desk.ban(f"192.0.2.{number}")
    desk.sort()
    desk.send()
    counts = []
    for _ in range(4):
        desk.clock.move(minutes=11)
        for made in desk.digest():
            counts.append(filling.count(store, made))
            desk.send()
    assert counts == [5, 5, 2]


def test_what_is_released_by_hand_is_in_no_digest(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="digest")
    ban = desk.ban()
    desk.sort()
    with transaction(store):
        outbox.retry(store, desk.alert(ban).id, sender="root@web1", now=desk.clock())
    desk.send()
    desk.clock.move(hours=19)
    (made,) = desk.digest()
    assert desk.fate(ban) == "sent"
    assert filling.count(store, made) == 0


def test_the_time_to_the_next_look_is_never_past(store: sqlite3.Connection) -> None:
    desk = desk_of(store)
    following = desk.plan.schedule.following(desk.clock(), desk.plan.timezone)
    assert following == desk.clock() + timedelta(hours=19)


def test_what_was_held_by_a_clock_that_was_ahead_is_in_the_next_digest(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    desk.clock.move(days=30)
    ban = desk.ban(dest="own@admins.net")
    desk.sort()
    desk.clock.move(days=-30)
    desk.digest()
    desk.clock.move(hours=19)
    (row,) = (row for row in rows_of(desk, desk.digest()) if row.recipient != RECIPIENT)
    assert desk.alert(ban).folded_into == row.id


def test_a_clock_set_back_a_little_makes_no_second_digest(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    assert len(desk.digest()) == 1
    desk.send()
    desk.clock.move(seconds=-20)
    assert desk.digest() == []
    desk.clock.move(seconds=20)
    assert desk.digest() == []


@pytest.mark.parametrize("is_set_later", [True, False])
def test_a_digest_is_filled_by_the_settings_that_it_was_begun_with(
    store: sqlite3.Connection,
    is_set_later: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    chief = {"recipient": "chief@admins.net"}
    own = desk_of(store, policy="digest")
    bossed = AlertDesk(store, alerts={"policy": "digest"}, digest=chief)
    bossed.digest()
    before, after = (own, bossed) if is_set_later else (bossed, own)
    for desk in (own, bossed):
        desk.clock.move(hours=1)
    bans = [
        before.ban(f"192.0.2.{number}", dest=f"{who}@admins.net")
        for number, who in enumerate("ab")
    ]
    before.sort()
    before.clock.move(hours=19)
    now = before.clock()
    begun = []
    for wanted in due(store, plan=before.plan, now=now).wanted:
        with transaction(store):
            each = begin(store, wanted=wanted, plan=before.plan, now=now)
        begun += [each] if each is not None else []
    # Reloaded here, before any of them was filled.
    after.clock.move(hours=19)
    after.digest()
    after.send()
    named = {ban: after.alert(ban).folded_into for ban in bans}
    to = {row.id: row.recipient for row in after.rows() if row.kind == "digest"}
    whose = [to[named[ban] or 0] for ban in bans]
    if is_set_later:
        assert whose == ["a@admins.net", "b@admins.net"]
    else:
        assert whose == ["chief@admins.net"] * 2


def test_a_digest_that_finds_nothing_any_more_is_not_sent(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=1)
    bans = [desk.ban(f"192.0.2.{number}", ago=2 * 86_400) for number in range(2)]
    desk.sort()
    desk.clock.move(hours=19)
    now = desk.clock()
    (wanted,) = due(store, plan=desk.plan, now=now).wanted
    with transaction(store):
        begun = begin(store, wanted=wanted, plan=desk.plan, now=now)
        for ban in bans:
            outbox.drop(store, desk.alert(ban).id)
    assert begun is not None
    desk.fill(begun)
    (row,) = rows_of(desk, [begun.id])
    assert (row.state, row.last_error) == ("skipped", "nothing to tell")


def test_a_digest_that_was_found_due_is_looked_at_again_before_it_is_made(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, digest={"hourly": True, "daily": ""}, per_day=3)
    desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(hours=1)
    now = desk.clock()
    (wanted,) = due(store, plan=desk.plan, now=now).wanted
    # While a rush of bans is made way for, the day is used up.
    desk.ban("192.0.2.8")
    desk.sort()
    with transaction(store):
        assert begin(store, wanted=wanted, plan=desk.plan, now=now) is None
    desk.clock.move(hours=11)
    desk.ban("192.0.2.9", ago=9000)
    desk.sort()
    (wanted,) = due(store, plan=desk.plan, now=desk.clock()).wanted
    with transaction(store):
        first = begin(store, wanted=wanted, plan=desk.plan, now=desk.clock())
        second = begin(store, wanted=wanted, plan=desk.plan, now=desk.clock())
    assert first is not None
    assert second is None


def test_nothing_is_folded_into_a_digest_that_has_left(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="digest")
    desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    (made,) = desk.digest()
    desk.send()
    ban = desk.ban("192.0.2.8")
    desk.sort()
    with transaction(store):
        folded = filling.fold_some(
            store, made, recipient=None, only_braked=False, limit=9
        )
    assert (folded, desk.fate(ban)) == (0, "held")


@pytest.mark.parametrize("own", ["root@localhost", "a@admins.net, b@admins.net", "x y"])
def test_digests_go_to_nobody_that_was_not_named(
    store: sqlite3.Connection, own: str
) -> None:
    desk = desk_of(store, policy="digest", digest={"recipient": own})
    desk.ban()
    desk.sort()
    desk.clock.move(hours=19)
    (row,) = rows_of(desk, desk.digest())
    assert row.recipient in {own, RECIPIENT}
