"""From the store to the digest that people get."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import shipped
from f2b_enrich.config import MailSettings
from f2b_enrich.daemon.digests import DigestDesk, digest
from f2b_enrich.enrich.relations import Relations
from f2b_enrich.errors import DeliveryError
from f2b_enrich.mail.digest import Answered, Note
from f2b_enrich.model import OutboxState
from f2b_enrich.store import digests, outbox
from tests.digest_mail import body, sent, table
from tests.digests import add_digest, fold, many
from tests.stores import StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.mail.digest import Digest

SETTINGS = MailSettings(recipient="noc@admins.net")
NOTE = Note(host="web1", words=("something else",))


def nobody() -> Relations:
    return Relations(machine=(), own=(), ignoreip=("203.0.113.0/24",))


def told(store: StoreBuilder, row_id: int) -> Digest:
    with store.reading() as connection:
        row = outbox.row(connection, row_id)
        facts = digests.of(connection, row_id)
    assert row is not None
    desk = DigestDesk(
        host="web1.example.org",
        settings=SETTINGS,
        relations=nobody(),
        classifier=Classifier(shipped(), shipped_jails()),
        timezone=UTC,
        late_after=timedelta(minutes=15),
    )
    return digest(row, facts, desk=desk, notes=(NOTE,))


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    built = StoreBuilder(tmp_path / "bans.db")
    built.classify()
    return built


def test_each_of_10000_bans_is_in_an_alert_or_in_the_digest(
    store: StoreBuilder,
) -> None:
    ids = store.record(*many(10_000))
    alerts = ids[:20]
    for ban in alerts:
        store.mail(ban, state=OutboxState.SENT)
    row = add_digest(store)
    fold(store, ids[20:], row)

    made = told(store, row)
    message = sent(made)

    named = [*alerts, *(one["id"] for one in table(message))]
    assert len(ids) == len(set(ids)) == 10_000
    assert sorted(named) == sorted(ids)
    assert made.figures.fates == {"mailed": 20, "here": 9_980}
    shown = " ".join(body(message, "plain").split())
    assert "10,000 bans, 10,000 addresses, 50,000 failures." in shown
    assert "Mailed singly: 20 bans; only in this digest: 9,980 bans." in shown
    assert "This digest stands for 9,980 bans." in shown


def test_who_may_be_locked_out_is_told_once_a_jail(store: StoreBuilder) -> None:
    hour = timedelta(hours=1)
    first = event("203.0.113.20")
    again = event("203.0.113.20", at=first.at - hour)
    ids = store.record(
        again,
        first,
        event("203.0.113.20", jail="dovecot"),
        event("203.0.113.20", jail="recidive"),
        event("192.0.2.7"),
    )
    row = add_digest(store)
    fold(store, ids, row)

    made = told(store, row)

    assert [(one.ban.jail, one.ban.banned_at) for one in made.lock_outs] == [
        ("sshd", again.at),
        ("dovecot", first.at),
    ]
    assert {one.relation.kind for one in made.lock_outs} == {"friend"}
    assert made.notes == (NOTE,)
    assert str(sent(made)["Subject"]).endswith("; 3 to look at")


def test_who_asked_for_a_known_hole_and_was_given_it_is_told(
    store: StoreBuilder,
) -> None:
    hole = "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"
    lines = (
        _access("203.0.113.9", f"GET {hole}", 200),
        _access("203.0.113.9", f"POST {hole}", 200),
        _access("203.0.113.9", f"GET /index{hole}", 404),
        _access("203.0.113.9", "GET /", 200),
        # Quotation marks of clients are escaped: this was refused.
        _access("203.0.113.9", f'GET {hole}?\\" 200 1', 404),
    )
    store.record(
        event("203.0.113.9", jail="nginx-botsearch", lines=lines),
        event("203.0.113.10", jail="nginx-botsearch", lines=lines[2:]),
        event("203.0.113.11", jail="nginx-botsearch", lines=lines[3:4]),
    )
    store.classify()

    made = told(store, add_digest(store))

    assert made.answered == (
        Answered(
            host="web1",
            jail="nginx-botsearch",
            ip="203.0.113.9",
            cves=("CVE-2017-9841",),
            requests=2,
        ),
    )


def _access(ip: str, request: str, status: int) -> str:
    when = "21/Nov/2026:20:13:22 +0000"
    return f'{ip} - - [{when}] "{request} HTTP/1.1" {status} 162 "-" "-"'


def test_what_is_no_digest_is_not_sent(store: StoreBuilder) -> None:
    (ban,) = store.record(event())
    row = store.mail(ban)

    with pytest.raises(DeliveryError, match="no such digest") as caught:
        told(store, row)

    assert caught.value.permanent


def test_an_address_that_must_not_be_used_is_not(store: StoreBuilder) -> None:
    row = add_digest(store)
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET recipient = 'you@mail.com'")

    with pytest.raises(DeliveryError) as caught:
        told(store, row)

    assert caught.value.permanent
