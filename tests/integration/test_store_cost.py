"""What the daemon asks for again and again costs the same in a large store."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.store import bans, enrichments, floods, outbox, sorting
from f2b_enrich.store import facts as store_facts
from f2b_enrich.store.connection import transaction
from tests.events import HOST, a_ban, clock
from tests.steps import sqlite_steps

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, MANY = 20, 4000


def fill(store: sqlite3.Connection, numbers: range) -> None:
    """Record bans with their mails: almost all sent, all looked up but the last."""
    with transaction(store):
        for number in numbers:
            ip = f"2001:db8:{number:x}::5"
            taken = bans.record(
                store, a_ban(ip=ip), host=HOST, jail="sshd", now=clock(number)
            )
            mail = outbox.NewMail(
                kind="alert",
                ban_id=taken.ban_id,
                recipient="noc@alerts.example",
                sender="root@web1.example",
                message_id=f"<{number}@web1.example>",
                due_at=clock(number),
            )
            outbox.add(store, mail, now=clock(number))
        store.execute(
            "UPDATE outbox SET state = 'sent', released_at = created_at, "
            "sent_at = created_at WHERE id % 100 != 0"
        )
        store.execute(
            "INSERT INTO floods (recipient, sender, began_at, ended_at, held, "
            "window_at, held_in_window) SELECT recipient, sender, created_at, "
            "created_at, 1, created_at, 0 FROM outbox"
        )
        store.execute(
            "INSERT INTO enrichments "
            "(ip, looked_up_at, source, complete, field_sources, raw) "
            "SELECT ip, received_at, 'local', 1, '{}', '{}' FROM bans "
            "WHERE enrichment_id IS NULL"
        )
        store.execute(
            "UPDATE bans SET enrichment_id = "
            "(SELECT id FROM enrichments AS e WHERE e.ip = bans.ip) "
            "WHERE rowid < (SELECT max(rowid) FROM bans)"
        )


IP = "2001:db8:5::5"


def an_unsorted() -> tuple[sorting.Unsorted, sorting.AlertedBan]:
    ban = sorting.AlertedBan(
        id="x",
        number=1,
        host=HOST,
        jail="recidive",
        service="ssh",
        ip=IP,
        ip_version=6,
        subnet="2001:db8:5::/64",
        country_code=None,
        banned_at="2023-11-14T22:13:20Z",
        ban_count=1,
        repeats=None,
    )
    mail = sorting.Unsorted(
        id=1,
        recipient="noc@alerts.example",
        sender="root@web1.example",
        late=None,
        ban=ban,
    )
    return mail, ban


A_BAN_ID = "SELECT id FROM bans WHERE ip = '2001:db8:5::5'"

ASKED: dict[str, Callable[[sqlite3.Connection], object]] = {
    "record": lambda db: bans.record(
        db, a_ban(ip="2001:db8:1::1"), host=HOST, jail="sshd", now=clock(1)
    ),
    "record again": lambda db: bans.record(
        db, a_ban(ip=IP), host=HOST, jail="sshd", now=clock(1)
    ),
    "next due": outbox.next_due_at,
    "claim": lambda db: outbox.claim_due(db, now=clock(-9), limit=20),
    "is any unsorted": lambda db: sorting.is_any_due(db, now=clock(-9)),
    "sort": lambda db: sorting.unsorted(db, now=clock(-9), limit=20),
    "load": lambda db: sorting.load(
        db,
        "noc@alerts.example",
        window_at=clock(9e4),
        midnight=clock(9e4),
        now=clock(9e4),
    ),
    "sibling": lambda db: sorting.sibling(db, *an_unsorted(), seconds=60),
    "told": lambda db: sorting.told(
        db, db.execute(A_BAN_ID).fetchone()[0], "noc@alerts.example"
    ),
    "first": lambda db: sorting.is_first(db, an_unsorted()[1], days=30),
    "floods": lambda db: floods.to_judge(db, since=clock(9e4), now=clock(9e4)),
    "release all": outbox.release_all,
    "hasten": lambda db: outbox.hasten(db, db.execute(A_BAN_ID).fetchone()[0]),
    "stop waiting": lambda db: outbox.stop_waiting(db, IP),
    "attach": lambda db: enrichments.attach_fresh(
        db, IP, complete_since=clock(0), incomplete_since=clock(0)
    ),
    "to look up": lambda db: enrichments.waiting(db, after=0, limit=10),
    "facts": lambda db: store_facts.of(db, db.execute(A_BAN_ID).fetchone()[0]),
    "row of the view": lambda db: db.execute(
        f"SELECT * FROM ban_log WHERE id = ({A_BAN_ID})"  # noqa: S608
    ).fetchall(),
    "origins": lambda db: db.execute(
        "SELECT * FROM ban_origins WHERE ban_id = 'x'"
    ).fetchall(),
}


@pytest.mark.parametrize("name", ASKED)
def test_it_costs_no_more_in_a_large_store(
    store: sqlite3.Connection, name: str
) -> None:
    ask = ASKED[name]
    fill(store, range(FEW))
    few = sqlite_steps(store, lambda: ask(store))
    fill(store, range(FEW, MANY))
    many = sqlite_steps(store, lambda: ask(store))
    assert 0 < many < few * 2 + 100
