"""`status`: what was mailed, what waits for a digest, and who gets no more for now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.alerts import floods as rules
from f2b_enrich.cli.status_mail import _near
from f2b_enrich.figures import DigestKind, Period
from f2b_enrich.model import OutboxState
from f2b_enrich.store import floods, outbox
from tests.cli import run
from tests.digests import add_digest
from tests.integration.cli_status.place import BERLIN
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from tests.integration.cli_status.place import Place

HOUR = timedelta(hours=1)
OTHER = "b@admins.net"


@pytest.fixture
def store(place: Place) -> StoreBuilder:
    builder = StoreBuilder(place.db)
    builder.record(event())
    return builder


def send(store: StoreBuilder, count: int, *, ago: timedelta = HOUR, to: str) -> None:
    for _ in range(count):
        store.mail(store.ids[0], state=OutboxState.SENT, at=NOW - ago, recipient=to)


def flood(store: StoreBuilder, *, held: int, ago: timedelta, to: str) -> None:
    with store.writing() as connection:
        found = rules.begin(held=held, now=NOW - ago)
        floods.begin(connection, to, "root@web1", found)


def send_digest(store: StoreBuilder, kind: DigestKind, at: datetime) -> None:
    row_id = add_digest(store, Period(kind=kind, since=at - HOUR, until=at))
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        outbox.sent(connection, row, now=at)
        sql = "UPDATE outbox SET about = ? WHERE id = ?"
        connection.execute(sql, (kind, row_id))


def test_what_left_today_and_what_waits_is_counted(
    place: Place, store: StoreBuilder
) -> None:
    (ban,) = store.ids
    send(store, 2, to="noc@admins.net")
    send(store, 1, ago=22 * HOUR, to="noc@admins.net")
    send_digest(store, "daily", NOW - 14 * HOUR)
    for state in (OutboxState.HELD, OutboxState.SENDING, OutboxState.SKIPPED):
        store.mail(ban, state=state)
    store.mail(ban, state=OutboxState.DEAD, error="\x1b[31m" + "x" * 300)
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET kind = 'flood' "
            "WHERE id = (SELECT min(id) FROM outbox WHERE state = 'sent')"
        )

    lines = place.told()["mail"].splitlines()

    assert lines[1] == (
        "today 1 alert, 1 digest, 1 flood mail; 1 ban for the digest; "
        "1 due, 1 dead; oldest due queued 0 s ago; last taken 20:14:03"
    )
    assert lines[2].startswith("newest dead: ")
    assert "\x1b" not in lines[2]
    assert len(lines[2]) < 300


def test_of_several_recipients_each_has_bans_for_its_digest(
    place: Place, store: StoreBuilder
) -> None:
    for to in ("noc@admins.net", OTHER):
        store.mail(store.ids[0], state=OutboxState.HELD, recipient=to)

    line = place.told()["mail"].splitlines()[1]

    assert "; 1 ban for the digests of 2 recipients; " in line


def test_one_digest_for_all_is_told_by_its_recipient(
    place: Place, store: StoreBuilder
) -> None:
    for to in ("noc@admins.net", OTHER):
        store.mail(store.ids[0], state=OutboxState.HELD, recipient=to)

    place.configure('digest.recipient = "team@admins.net"\n')
    line = place.told()["mail"].splitlines()[1]
    assert "; 1 ban for the digest to team@admins.net; " in line

    place.configure('digest.recipient = "you@mail.com"\n')  # refused
    assert "; 1 ban for the digests of 2 " in place.told()["mail"].splitlines()[1]


@pytest.mark.parametrize(
    ("sent", "ago", "more", "words"),
    [
        (12, HOUR, "", "open (12 of 100 today)"),
        (19, timedelta(0), "", "open (19 of 100 today)"),
        (20, timedelta(0), "", "shut (20 mails in 10 minutes, 20 of 100 today)"),
        (3, HOUR, "alerts.per_day = 4\n", "shut until midnight (3 of 4 today)"),
        (
            *(1, timedelta(0), "alerts.burst = 1\nalerts.burst_minutes = 1\n"),
            "shut (1 mail in 1 minute, 1 of 100 today)",
        ),
    ],
)
def test_the_brake_tells_what_may_go_yet(
    place: Place, store: StoreBuilder, sent: int, ago: timedelta, more: str, words: str
) -> None:
    place.configure(f'{more}digest.daily = ""\n')
    send(store, sent, ago=ago, to="noc@admins.net")

    assert place.told()["brake"] == f"{words}; no digest is configured"


@pytest.mark.parametrize(
    ("ago", "since"),
    [(HOUR, "20:14"), (30 * HOUR, "2026-11-20 15:14")],
)
def test_a_flood_is_told_since_when_it_goes_on(
    place: Place, store: StoreBuilder, ago: timedelta, since: str
) -> None:
    send(store, 21, to="noc@admins.net")
    flood(store, held=4310, ago=ago, to="noc@admins.net")

    assert place.told()["brake"].startswith(
        f"flood since {since}, 4,310 bans held (21 of 100 today)\ndaily digest next"
    )


def test_the_recipient_of_a_flood_comes_before_the_busiest(
    place: Place, store: StoreBuilder
) -> None:
    send(store, 20, ago=timedelta(0), to="noc@admins.net")
    flood(store, held=1, ago=HOUR, to=OTHER)
    first, rest = place.told()["brake"].splitlines()[0].split("; ")
    assert first == f"{OTHER} flood since 20:14, 1 ban held (0 of 100 today)"
    assert rest == "1 other recipient: 1 shut"

    flood(store, held=1, ago=HOUR, to="noc@admins.net")
    assert "1 other recipient: 1 in a flood\n" in place.told()["brake"]


def test_the_busiest_recipient_is_named_and_the_others_counted(
    place: Place, store: StoreBuilder
) -> None:
    send(store, 3, to=OTHER)
    store.mail(store.ids[0], state=OutboxState.HELD, recipient="c@admins.net")

    assert place.told()["brake"].startswith(
        f"{OTHER} open (3 of 100 today); 2 other recipients open\ndaily digest "
    )


def test_digests_are_told_when_they_come_and_were_taken(
    place: Place, store: StoreBuilder
) -> None:
    place.configure('digest.hourly = true\ndigest.weekly = "mon 07:00"\n')
    send_digest(store, "daily", NOW - timedelta(hours=14, seconds=1))
    send_digest(store, "weekly", NOW - timedelta(days=12))

    assert place.told()["brake"].split("; ", 1)[1] == (
        "daily digest next Sun 07:00, last taken Sat 07:14:02; "
        "hourly digest next Sat 22:00, none taken yet; "
        "weekly digest next Mon 07:00, last taken 2026-11-09 21:14:03"
    )


def test_a_refused_recipient_has_no_brake(place: Place, store: StoreBuilder) -> None:
    text = place.config.read_text().replace("noc@admins.net", "you@mail.com")
    place.config.write_text(f'{text}digest.daily = ""\n')
    assert store.ids

    assert place.told()["brake"] == "no digest is configured"


def test_a_day_far_away_is_named_by_its_date() -> None:
    assert _near(NOW + timedelta(days=5), NOW, BERLIN) == "Thu 21:14"
    assert _near(NOW + timedelta(days=6), NOW, BERLIN) == "2026-11-27 21:14"


def test_json_has_the_same_figures(place: Place, store: StoreBuilder) -> None:
    flood(store, held=7, ago=HOUR, to=OTHER)
    store.mail(store.ids[0], state=OutboxState.HELD, recipient=OTHER)

    ran = run("status", "--json", "--config", place.config)

    found = json.loads(ran.out)["store"]["records"]["mail"]
    assert (found["per_day"], found["burst_minutes"]) == (100, 10)
    assert found["figures"]["held"][0]["count"] == 1
    first = found["brakes"][0]
    assert (first["recipient"], first["flood"]["flood"]["held"]) == (OTHER, 7)
    assert first["room"] == 0
    assert found["digests"][0]["kind"] == "daily"
