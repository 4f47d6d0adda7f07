"""What becomes of an alert: policy, merged bans, repetitions, the brake, floods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.errors import DeliveryError
from f2b_enrich.store import floods, outbox, removal
from f2b_enrich.store.connection import transaction
from tests.alert_desk import RECIPIENT, AlertDesk

if TYPE_CHECKING:
    import sqlite3

DOWN = DeliveryError("nobody answers", permanent=False)
REFUSED = DeliveryError("550 5.1.1 no such user", permanent=True)


def desk_of(store: sqlite3.Connection, **alerts: Any) -> AlertDesk:
    return AlertDesk(store, alerts=alerts)


# Policy


@pytest.mark.parametrize(
    ("alerts", "fate", "why"),
    [
        ({}, "released", None),
        ({"policy": "digest"}, "held", "policy digest"),
        ({"policy": "none"}, "skipped", "policy none"),
        ({"min_ban_count": 3}, "held", "ban 2 of 3 that it takes"),
        ({"quiet_hours": "11:00-13:00"}, "held", "quiet hours"),
        ({"quiet_hours": "22:00-07:00"}, "released", None),
        *(
            ({"rules": {"own": {"policy": "none", **of}}}, fate, why)
            for of, fate, why in (
                ({"jails": ["sshd"]}, "skipped", "policy none"),
                ({"jails": ["dovecot"]}, "released", None),
                ({"services": ["ssh"]}, "skipped", "policy none"),
                ({"services": ["web"]}, "released", None),
                ({"countries": ["NL"]}, "skipped", "policy none"),
                ({"countries": ["DE"]}, "released", None),
                ({"networks": ["192.0.2.0/25"]}, "skipped", "policy none"),
                ({"networks": ["198.51.100.0/24"]}, "released", None),
            )
        ),
    ],
)
def test_the_policy_decides(
    store: sqlite3.Connection, alerts: dict[str, Any], fate: str, why: str | None
) -> None:
    desk = AlertDesk(store, alerts=alerts)
    ban = desk.ban(count=2)
    desk.place("192.0.2.7")
    assert desk.sort().count == 1
    assert (desk.fate(ban), desk.alert(ban).last_error) == (fate, why)
    assert desk.sort().count == 0


def test_a_country_that_is_not_known_meets_no_rule(store: sqlite3.Connection) -> None:
    desk = desk_of(store, rules={"nl": {"policy": "none", "countries": ["NL"]}})
    ban = desk.ban()
    desk.sort()
    assert desk.fate(ban) == "released"


@pytest.mark.parametrize(
    ("earlier", "later", "days", "fate"),
    [
        ("192.0.2.7", "192.0.2.7", 1, "held"),
        ("192.0.2.7", "192.0.2.7", 31, "released"),
        ("192.0.2.8", "192.0.2.7", 1, "released"),
        ("2001:db8:5::1", "2001:db8:5::1", 1, "held"),
        ("2001:db8:5::1", "2001:db8:5::beef", 29, "held"),
        ("2001:db8:5::1", "2001:db8:5::beef", 31, "released"),
        ("2001:db8:5:1::1", "2001:db8:5:2::1", 1, "released"),
        ("203.0.113.0/24", "203.0.113.0/24", 1, "held"),
        ("attacker.example", "attacker.example", 1, "held"),
        ("fe80::1%eth0", "fe80::2%eth0", 1, "held"),
    ],
)
def test_only_the_first_of_an_address_is_mailed(
    store: sqlite3.Connection, earlier: str, later: str, days: int, fate: str
) -> None:
    desk = desk_of(store, policy="first")
    first = desk.ban(earlier)
    desk.sort()
    desk.send()
    desk.clock.move(days=days)

    second = desk.ban(later, jail="dovecot")
    desk.sort()

    assert (desk.fate(first), desk.fate(second)) == ("sent", fate)
    if fate == "held":
        assert desk.alert(second).last_error == "not the first of the address"


def test_of_two_first_ones_in_a_second_that_came_first_is_the_first(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, policy="first", merge_seconds=0)
    bans = [desk.ban(jail=jail) for jail in ("dovecot", "sshd")]
    desk.sort()
    assert [desk.fate(ban) for ban in bans] == ["released", "held"]


def test_a_64_with_very_many_addresses_is_known(store: sqlite3.Connection) -> None:
    desk = desk_of(store, policy="first")
    with transaction(store):
        for number in range(60):
            desk.take(f"2001:db8:5::{number:x}")
    desk.clock.move(days=40)
    ban = desk.ban("2001:db8:5::ffff")
    desk.sort_all()
    assert desk.fate(ban) == "held"


# Late ones


def test_a_ban_that_is_told_of_late_is_never_mailed(store: sqlite3.Connection) -> None:
    desk = desk_of(store)
    late, in_time = desk.ban(ago=901), desk.ban("192.0.2.8", ago=899)
    desk.sort()
    row = desk.alert(late)
    assert (row.last_error, row.about) == ("told of more than 15 minutes late", None)
    assert (desk.fate(late), desk.fate(in_time)) == ("held", "released")
    assert desk.floods() == []


def test_a_late_ban_to_a_refused_recipient_is_dead_with_the_reason(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    ban = desk.ban(ago=9000, dest="you@mail.com")
    assert desk.fate(ban) == "dead"
    assert "sample address" in str(desk.alert(ban).last_error)


@pytest.mark.parametrize("policy", ["first", "digest", "all"])
def test_a_late_ban_that_nobody_wants_to_hear_of_is_left_out(
    store: sqlite3.Connection, policy: str
) -> None:
    rules = {"nl": {"policy": "none", "countries": ["NL"]}}
    desk = desk_of(store, policy=policy, rules=rules)
    here, there = desk.ban(ago=901), desk.ban("192.0.2.8", ago=901)
    desk.place("192.0.2.7")
    desk.sort()
    assert [desk.fate(ban) for ban in (here, there)] == ["skipped", "held"]


# Bans of one address by several jails


@pytest.mark.parametrize(
    ("seconds", "other", "fate"),
    [
        (60, {"jail": "dovecot"}, "folded"),
        (61, {"jail": "dovecot"}, "released"),
        (60, {"jail": "sshd"}, "released"),
        (60, {"jail": "dovecot", "host": "web2"}, "released"),
        (60, {"jail": "dovecot", "ip": "192.0.2.8"}, "released"),
        (60, {"jail": "dovecot", "dest": "other@admins.net"}, "released"),
    ],
)
@pytest.mark.parametrize("is_sent", [True, False])
def test_another_jails_ban_of_an_address_is_no_mail_of_its_own(
    store: sqlite3.Connection,
    seconds: int,
    other: dict[str, Any],
    fate: str,
    is_sent: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    desk = desk_of(store)
    one = desk.ban()
    desk.sort()
    if is_sent:
        desk.send()
    desk.clock.move(seconds=seconds)

    two = desk.ban(**other)
    desk.sort()

    assert desk.fate(one) == ("sent" if is_sent else "released")
    if fate == "released":
        assert desk.fate(two) == "released"
    elif is_sent:  # a mail that has left cannot name it: the next digest does
        assert desk.fate(two) == "held"
        why = "the address was mailed within 60 s, for another jail"
        assert desk.alert(two).last_error == why
    else:
        assert desk.fate(two) == "folded"
        assert desk.alert(two).folded_into == desk.alert(one).id


def test_bans_of_several_jails_that_are_sorted_together_are_one_mail(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    ids = [desk.ban(jail=jail, ago=ago) for jail, ago in (("sshd", 0), ("dovecot", 9))]
    desk.sort()
    assert [desk.fate(ban) for ban in ids] == ["released", "folded"]


def test_nothing_is_merged_where_that_is_switched_off(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, merge_seconds=0)
    ids = [desk.ban(jail=jail) for jail in ("sshd", "dovecot")]
    desk.sort()
    assert [desk.fate(ban) for ban in ids] == ["released", "released"]


@pytest.mark.parametrize("jail", ["dovecot", "recidive"])
def test_who_wants_to_hear_of_no_ban_does_not_hear_of_it_with_another(
    store: sqlite3.Connection, jail: str
) -> None:
    desk = desk_of(store, rules={"own": {"policy": "none", "jails": [jail]}})
    one, two = desk.ban(ago=1), desk.ban(jail=jail)
    desk.sort()
    assert [desk.fate(ban) for ban in (one, two)] == ["released", "skipped"]


@pytest.mark.parametrize("policy", ["digest", "none"])
def test_what_is_not_mailed_takes_no_other_ban_in(
    store: sqlite3.Connection, policy: str
) -> None:
    rule = {"policy": policy, "jails": ["sshd"]}
    desk = desk_of(store, rules={"ssh": rule})
    desk.ban()
    two = desk.ban(jail="dovecot")
    desk.sort()
    assert desk.fate(two) == "released"


def test_a_ban_whose_merged_alert_was_given_up_is_mailed_itself(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one = desk.ban()
    desk.sort()
    desk.send(answer=REFUSED)
    two = desk.ban(jail="dovecot")
    desk.sort()
    assert (desk.fate(one), desk.fate(two)) == ("dead", "released")


# Repetitions


def test_a_repetition_is_folded_into_the_ban_that_it_repeats(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one = desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(hours=2)
    two = desk.ban(jail="recidive")
    desk.sort()
    assert desk.fate(two) == "folded"
    assert desk.alert(two).folded_into == desk.alert(one).id


def test_a_repetition_of_a_folded_ban_goes_where_that_went(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one = desk.ban(ago=2)
    two = desk.ban(jail="dovecot", ago=1)
    three = desk.ban(jail="recidive")
    desk.sort()
    fates = [desk.fate(ban) for ban in (one, two, three)]
    assert fates == ["released", "folded", "folded"]
    assert desk.alert(three).folded_into == desk.alert(one).id


@pytest.mark.parametrize("is_in_digest", [True, False])
def test_a_repetition_of_what_waits_for_a_digest_waits_too(
    store: sqlite3.Connection,
    is_in_digest: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    desk = desk_of(store, rules={"ssh": {"policy": "digest", "services": ["ssh"]}})
    one = desk.ban()
    desk.sort()
    if is_in_digest:
        digest_of_held(desk, about="flood")
    desk.clock.move(seconds=90)
    two = desk.ban(jail="recidive")
    desk.sort()
    assert desk.fate(one) == ("folded" if is_in_digest else "held")
    assert desk.fate(two) == "held"
    assert desk.alert(two).last_error == "repeats a ban that is in a digest"


@pytest.mark.parametrize("gone", ["dead", "skipped", "another recipient", "no ban"])
def test_a_repetition_of_what_nobody_heard_of_is_told(
    store: sqlite3.Connection, gone: str
) -> None:
    rules = (
        {"ssh": {"policy": "none", "services": ["ssh"]}} if gone == "skipped" else {}
    )
    desk = desk_of(store, rules=rules)
    if gone != "no ban":
        to = {"dest": "other@admins.net"} if gone == "another recipient" else {}
        desk.ban(ago=90, **to)
        desk.sort()
        desk.send(answer=REFUSED if gone == "dead" else None)
    two = desk.ban(jail="recidive")
    desk.sort()
    assert desk.fate(two) == "released"


def test_a_repetition_waits_for_the_ban_that_waits_for_its_time(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one = desk.ban()
    later = "2026-11-21T12:00:10Z"
    store.execute("UPDATE outbox SET due_at = ?", (later,))
    two = desk.ban(jail="recidive")
    desk.sort()
    assert (desk.fate(one), desk.fate(two)) == ("unsorted", "unsorted")
    assert desk.sort().count == 0

    desk.clock.move(seconds=10)
    desk.sort()

    assert (desk.fate(one), desk.fate(two)) == ("released", "folded")


# The brake


def test_a_burst_is_held_and_so_it_stays_until_there_is_room(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=2)
    ids = [desk.ban(f"192.0.2.{number}") for number in range(4)]
    done = desk.sort()
    assert [desk.fate(ban) for ban in ids] == ["released"] * 2 + ["held"] * 2
    row = desk.alert(ids[3])
    assert (row.last_error, row.about) == ("brake: 2 mails in 10 minutes", "brake")
    assert (done.began, done.ended) == ((RECIPIENT,), ())
    desk.send()
    desk.clock.move(minutes=10)
    assert desk.sort().ended == ()  # of those two, two were mailed
    desk.clock.move(minutes=9)
    held = desk.ban("192.0.2.8")
    assert desk.sort().ended == ()
    assert desk.fate(held) == "held"  # there is room, but the flood goes on

    desk.clock.move(minutes=1)
    sent = desk.ban("192.0.2.10")
    assert desk.sort().ended == (RECIPIENT,)

    assert desk.fate(sent) == "released"
    assert desk.fate(ids[3]) == "held"


def test_each_recipient_has_a_brake_of_its_own(store: sqlite3.Connection) -> None:
    desk = desk_of(store, burst=1)
    ids = [
        desk.ban(f"192.0.2.{number}", dest=dest)
        for number, dest in enumerate(("a@admins.net", "b@admins.net", "a@admins.net"))
    ]
    done = desk.sort()
    assert [desk.fate(ban) for ban in ids] == ["released", "released", "held"]
    assert done.began == ("a@admins.net",)


def test_unsent_mails_keep_their_place(store: sqlite3.Connection) -> None:
    desk = desk_of(store, burst=2)
    ids = []
    for number in range(48):
        ids.append(desk.ban(f"192.0.2.{number}"))
        desk.sort()
        desk.send(answer=DOWN)
        desk.clock.move(hours=1)

    desk.clock.move(hours=7)
    sent = desk.send()

    assert [row.ban_id for row in sent if row.kind == "alert"] == ids[:2]
    assert [desk.fate(ban) for ban in ids[2:]] == ["held"] * 46
    now = desk.ban("198.51.100.1")
    desk.sort()
    assert desk.fate(now) == "held"


def test_a_day_has_so_many_mails_and_a_new_one_anew(store: sqlite3.Connection) -> None:
    desk = AlertDesk(store, alerts={"per_day": 4}, start="2026-11-21T20:00:00Z")
    ids = []
    for number in range(6):
        ids.append(desk.ban(f"192.0.2.{number}"))
        desk.sort()
        desk.send()
        desk.clock.move(hours=1)
    fates = [desk.fate(ban) for ban in ids]
    assert fates == ["sent", "sent", "sent", "held", "sent", "sent"]
    assert desk.alert(ids[3]).last_error == "brake: 4 mails a day"


def test_a_daily_digest_takes_no_alerts_place_but_any_other_does(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=1)
    digest_of_held(desk, about="daily")
    desk.send()
    one = desk.ban()
    desk.sort()
    assert desk.fate(one) == "released"

    desk.clock.move(minutes=20)
    digest_of_held(desk, about="hourly")
    two = desk.ban("192.0.2.8")
    desk.sort()
    assert desk.fate(two) == "held"


def digest_of_held(desk: AlertDesk, *, about: str) -> None:
    """Queue a digest of all that is held, as its sender would."""
    mail = outbox.NewMail(
        kind="digest",
        ban_id=None,
        recipient=RECIPIENT,
        sender="root@web1",
        message_id=f"<{about}.{desk.clock():%Y%m%d%H%M}@web1>",
        due_at=desk.clock(),
        about=about,
    )
    with transaction(desk.store):
        row_id = outbox.add(desk.store, mail, now=desk.clock())
        desk.store.execute(
            "UPDATE outbox SET state = 'folded', folded_into = ? WHERE state = 'held'",
            (row_id,),
        )


# Floods


def test_a_flood_is_counted_told_of_and_ends(store: sqlite3.Connection) -> None:
    desk = AlertDesk(store, alerts={"burst": 2})
    with transaction(store):
        for number in range(5):
            desk.take(f"192.0.2.{number}")
    assert desk.sort().began == (RECIPIENT,)
    (notice,) = (row for row in desk.rows() if row.kind == "flood")
    assert (notice.about, notice.sender) == ("began", "root@web1")
    assert notice.message_id == "<flood-began.0.20261121T120000Z-1@web1>"
    assert [row.kind for row in desk.send()] == ["alert", "alert", "flood"]
    found = floods.of_mail(store, notice.id)
    assert found is not None
    assert (found.flood.held, found.ended_at) == (3, None)

    desk.clock.move(minutes=5)
    desk.ban("192.0.2.9")
    assert desk.sort().began == ()
    assert desk.floods()[0]["held"] == 4
    desk.clock.move(minutes=5)
    assert desk.sort().ended == ()
    desk.clock.move(minutes=10)
    assert desk.sort().ended == (RECIPIENT,)

    (flood,) = desk.floods()
    assert (flood["held"], flood["ended_at"]) == (4, "2026-11-21T12:20:00Z")
    (over,) = (row for row in desk.rows() if row.about == "ended")
    assert over.state == "due"
    assert flood["ended_mail"] == over.id
    ended = floods.of_mail(store, over.id)
    assert ended is not None
    assert ended.ended_at == desk.clock()
    assert desk.sort().ended == ()


def test_no_flood_is_told_of_beyond_a_days_mails(store: sqlite3.Connection) -> None:
    desk = AlertDesk(
        store,
        alerts={"burst": 1, "burst_minutes": 1, "per_day": 2},
    )
    for number in range(60):
        desk.ban(f"192.0.2.{number}")
        desk.sort()
        desk.send()
        desk.clock.move(minutes=4)
    assert [row.kind for row in desk.rows() if row.state == "sent"] == [
        *("alert", "flood")
    ]
    assert len(desk.floods()) == 1
    desk.clock.move(hours=12)
    assert desk.sort().ended == ()  # it is another day, whose first window begins
    desk.clock.move(minutes=1)
    assert desk.sort().ended == (RECIPIENT,)


def test_where_other_mails_used_up_the_day_nobody_hears_of_a_flood(
    store: sqlite3.Connection,
) -> None:
    desk = AlertDesk(store, alerts={"per_day": 2})
    for _ in range(2):
        digest_of_held(desk, about="hourly")
    ban = desk.ban()
    assert desk.sort().began == (RECIPIENT,)
    assert desk.fate(ban) == "held"
    assert {row.kind for row in desk.rows()} == {"digest", "alert"}


def test_a_mail_that_tells_of_no_flood_has_none(store: sqlite3.Connection) -> None:
    assert floods.of_mail(store, 1) is None


# What is spoiled or gone


def test_an_alert_whose_ban_is_gone_goes_on_to_be_given_up(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    ban = desk.ban()
    store.execute("DELETE FROM bans")
    desk.sort()
    assert desk.fate(ban) == "released"


@pytest.mark.parametrize("jail", ["sshd", "recidive"])
def test_a_spoiled_ban_holds_up_no_other(store: sqlite3.Connection, jail: str) -> None:
    desk = desk_of(store, policy="first")
    one, two = desk.ban(jail=jail), desk.ban("192.0.2.8")
    store.execute("UPDATE bans SET banned_at = 'soon' WHERE id = ?", (one,))
    desk.sort()
    assert (desk.fate(one), desk.fate(two)) == ("released", "released")


def test_a_ban_that_is_removed_takes_its_alert_with_it_and_no_other(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one, two = desk.ban(), desk.ban(jail="dovecot")
    desk.sort()
    with transaction(store):
        removal.remove_ban(store, one)
    (row,) = desk.rows()
    assert (row.ban_id, row.state, row.folded_into) == (two, "due", None)
    desk.sort()
    assert desk.fate(two) == "released"


def test_what_was_told_of_with_a_removed_ban_is_told_of_once(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    one, two = desk.ban(), desk.ban(jail="dovecot")
    desk.sort()
    desk.send()
    with transaction(store):
        removal.remove_ban(store, one)
    (row,) = desk.rows()
    assert (row.ban_id, row.state, row.folded_into) == (two, "folded", None)


# A clock that is set back


def test_a_clock_that_was_ahead_does_not_shut_the_brake(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=2, per_day=9)
    desk.clock.move(days=30)
    for number in range(4):
        desk.ban(f"192.0.2.{number}")
    desk.sort()
    desk.send()
    desk.clock.move(days=-30)
    desk.sort()
    ban = desk.ban("198.51.100.1")
    desk.sort()
    assert desk.fate(ban) == "released"
    assert desk.floods()[0]["ended_at"] is not None


def test_what_was_queued_by_a_clock_that_was_ahead_leaves_now(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store)
    desk.clock.move(days=30)
    one = desk.ban()
    two = desk.ban("192.0.2.8")
    desk.sort()
    three = desk.ban("192.0.2.9")
    desk.clock.move(days=-30)
    desk.sort()
    assert [desk.fate(ban) for ban in (one, two, three)] == ["released"] * 3
    assert len(desk.send()) == 3


def test_mails_of_a_clock_that_is_set_back_a_little_still_count(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=1)
    desk.ban()
    desk.sort()
    desk.send()
    desk.clock.move(minutes=-2)
    ban = desk.ban("192.0.2.8")
    desk.sort()
    assert desk.fate(ban) == "held"


def test_one_mailbox_has_one_brake_however_its_domain_is_written(
    store: sqlite3.Connection,
) -> None:
    desk = desk_of(store, burst=1)
    one = desk.ban("192.0.2.1", dest="noc@Admins.NET")
    two = desk.ban("192.0.2.2", dest="noc@admins.net")
    desk.sort()
    assert [desk.fate(ban) for ban in (one, two)] == ["released", "held"]
