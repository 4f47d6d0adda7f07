"""`bans list` and `show` say what became of a ban's mail."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli.bans import table
from f2b_enrich.figures import Period
from f2b_enrich.model import OutboxState, start_of_day
from f2b_enrich.store import lists, outbox
from tests.cli import run
from tests.digests import add_digest, fold
from tests.integration.cli_show.page import page
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
MIDNIGHT = start_of_day(NOW, BERLIN)
FULL = NOW.replace(minute=0, second=0)

PERIODS = {
    "digest 2026-11-20": Period(
        kind="daily", since=MIDNIGHT - 24 * HOUR, until=MIDNIGHT
    ),
    "hourly 2026-11-21 20:00": Period(kind="hourly", since=FULL - HOUR, until=FULL),
    "weekly 2026-11-14": Period(
        kind="weekly", since=MIDNIGHT - 168 * HOUR, until=MIDNIGHT
    ),
    "flood digest 21:24": Period(
        kind="flood", since=NOW, until=NOW + timedelta(minutes=10)
    ),
    "flood digest 2026-11-22 00:14": Period(
        kind="flood", since=NOW, until=NOW + 3 * HOUR
    ),
}


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def in_list(store: StoreBuilder, width: int | None = None) -> list[str]:
    with store.reading() as connection:
        found = tuple(lists.logged(connection, lists.BanQuery()))
    return list(table(found, now=NOW, zone=BERLIN, width=width))


def in_page(store: StoreBuilder) -> str:
    """Give the mail cell of the one ban there is."""
    return re.split("  +", page(store, "192.0.2.7")[-2])[-1]


def put(
    store: StoreBuilder,
    row_id: int,
    state: str,
    *,
    sent_at: str | None = None,
    last_error: str | None = None,
) -> None:
    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET state = ?, sent_at = ?, last_error = ? WHERE id = ?",
            (state, sent_at, last_error, row_id),
        )


def come_back(store: StoreBuilder, row_id: int) -> None:
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO bounces (outbox_id, bounced_at) VALUES (?, ?)",
            (row_id, "2026-11-22T06:01:00Z"),
        )


def test_an_alert_that_came_back_is_not_only_sent(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    come_back(store, store.mail(ban, state=OutboxState.SENT))

    assert in_page(store) == "sent 21:14:03, came back"
    assert "sent 21:14:03, came back" in re.split("  +", in_list(store)[1])


def test_what_tells_instead_may_come_back_too(store: StoreBuilder) -> None:
    first, second = store.record(event(), event("192.0.2.8"))
    digest = add_digest(store, PERIODS["digest 2026-11-20"])
    alert = store.mail(second, state=OutboxState.SENT)
    fold(store, (first,), digest)
    put(store, digest, "sent", sent_at="2026-11-22T06:00:02Z")
    come_back(store, digest)
    assert in_page(store) == "digest 2026-11-20, came back"

    with store.writing() as connection:
        connection.execute(
            "UPDATE outbox SET folded_into = ? WHERE ban_id = ?", (alert, first)
        )
    come_back(store, alert)
    assert in_page(store) == f"in mail {alert}, sent 21:14:03, came back"
    listed = run("outbox", "list", "--db", store.path).out
    assert f"in mail {alert}, sent " in listed
    assert listed.count("came back") == 3


@pytest.mark.parametrize(("words", "period"), PERIODS.items())
def test_a_digest_that_was_sent_is_named_by_what_it_is_about(
    store: StoreBuilder, words: str, period: Period
) -> None:
    ids = store.record(event())
    digest = add_digest(store, period)
    fold(store, ids, digest)
    put(store, digest, "sent", sent_at="2026-11-22T06:00:02Z")

    assert in_page(store) == words
    assert words in re.split("  +", in_list(store)[1])


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("held", None, "digest 2026-11-20, is being filled"),
        ("due", None, "digest 2026-11-20, due 21:14:03"),
        ("due", "451 later", "digest 2026-11-20, due 21:14:03: 451 later"),
        ("dead", "550 no", "digest 2026-11-20, dead: 550 no"),
        ("skipped", "dropped by hand", "digest 2026-11-20, left out: dropped by hand"),
    ],
)
def test_one_that_was_not_sent_says_so(
    store: StoreBuilder, state: str, reason: str | None, words: str
) -> None:
    ids = store.record(event())
    digest = add_digest(store, PERIODS["digest 2026-11-20"])
    fold(store, ids, digest)
    put(store, digest, state, last_error=reason)

    assert in_page(store) == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (OutboxState.SENT, "in mail 1, sent 21:14:03"),
        (OutboxState.DUE, "in mail 1, due 21:14:03"),
        (OutboxState.DEAD, "in mail 1, dead: 550 5.1.1 no such user"),
    ],
)
def test_an_alert_that_tells_of_more_is_named_by_its_number(
    store: StoreBuilder, state: OutboxState, words: str
) -> None:
    one, two = store.record(event("192.0.2.8"), event())
    fold(store, [two], store.mail(one, state=state))

    assert in_page(store) == words


@pytest.mark.parametrize(
    ("state", "reason", "one", "many"),
    [
        ("held", "quiet hours", "waits for a digest: quiet hours", None),
        ("held", None, "waits for a digest", None),
        ("skipped", "policy none", "left out: policy none", "left out: policy none"),
        ("skipped", None, "left out", "left out"),
        ("dead", "\x1b no", "dead: \u241b no", "dead: \u241b no"),
        ("sending", None, "sending", "sending"),
        ("folded", None, "folded", "folded"),
    ],
)
def test_one_that_is_not_sent_says_why(
    store: StoreBuilder, state: str, reason: str | None, one: str, many: str | None
) -> None:
    (ban,) = store.record(event())
    put(store, store.mail(ban), state, last_error=reason)

    assert in_page(store) == one
    many = many or "waits for a digest"
    assert many in re.split("  +", in_list(store)[1])
    (other,) = store.record(event(at=NOW - HOUR))
    store.mail(other, state=OutboxState.SENT)
    assert page(store, "192.0.2.7")[-3].endswith(many)


def test_the_mail_is_cut_where_a_list_has_no_room_for_the_reason(
    store: StoreBuilder,
) -> None:
    (ban,) = store.record(event())
    store.mail(ban, state=OutboxState.DEAD, error="550 " + 80 * "x")

    (cell,) = re.findall(r"dead: \S+ \S+", in_list(store)[1])

    assert len(cell) == 29
    assert cell.endswith("x\u2026")
    assert len(max(in_list(store, 80), key=len)) <= 80


def test_programs_get_the_mail_that_tells_of_a_ban(store: StoreBuilder) -> None:
    ids = store.record(event())
    period = PERIODS["digest 2026-11-20"]
    digest = add_digest(store, period)
    fold(store, ids, digest)

    told = json.loads(run("show", "192.0.2.7", "--json", "--db", store.path).out)
    (row,) = json.loads(run("bans", "list", "--json", "--db", store.path).out)

    (mail,) = told["bans"][0]["mails"]
    assert mail["state"] == "folded"
    assert mail["told_in"] == {
        "id": digest,
        "kind": "digest",
        "state": "due",
        "sent_at": None,
        "last_error": None,
        "period": {
            "kind": "daily",
            "since": "2026-11-19T23:00:00Z",
            "until": "2026-11-20T23:00:00Z",
            "before": None,
        },
    }
    assert (row["mail_state"], row["mail_id"], row["told_at"]) == (
        *("folded", digest, None),
    )
    with store.writing() as connection:
        sent = outbox.row(connection, digest)
        assert sent is not None
        outbox.sent(connection, sent, now=NOW)
    (row,) = json.loads(run("bans", "list", "--json", "--db", store.path).out)
    assert row["told_at"] == "2026-11-21T20:14:03Z"


def test_programs_get_none_where_a_mail_stands_for_itself(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    store.mail(ban)

    told = json.loads(run("show", ban, "--json", "--db", store.path).out)

    assert told["bans"][0]["mails"][0]["told_in"] is None
