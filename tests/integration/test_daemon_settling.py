"""Live reports of bans that old records told of first: mailed as any other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.intake import Brought, take_in
from tests.alert_desk import AlertDesk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.joining.sightings import Origin, Precision

IP = "192.0.2.7"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path / "bans.db") as connection:
        yield connection


def bring(
    store: sqlite3.Connection, origin: Origin, precision: Precision, *, ago: int
) -> None:
    told = Sighting(
        kind="ban",
        precision=precision,
        origin=origin,
        at=int(NOW.timestamp()) - ago,
        jail="sshd",
    )
    with transaction(store):
        brought = {("web1", IP): [Brought(sighting=told, reference="f")]}
        take_in(store, brought, now=NOW, look_up="none")


@pytest.mark.parametrize(
    ("origin", "precision"), [("fail2ban-db", "failure"), ("log", "logged")]
)
def test_a_ban_that_was_imported_first_is_mailed_once(
    store: sqlite3.Connection, origin: Origin, precision: Precision
) -> None:
    bring(store, origin, precision, ago=0)
    desk = AlertDesk(store, waits=True)
    desk.place(IP)
    assert desk.rows() == []

    ban = desk.ban(IP)
    assert desk.ban(IP) == ban
    desk.sort_all()

    (mail,) = desk.rows()
    assert (mail.ban_id, mail.state, mail.due_at) == (ban, "due", NOW)
    assert desk.fate(ban) == "released"
    assert store.execute("SELECT count(*) FROM bans").fetchone()[0] == 1


def test_a_ban_that_is_told_of_hours_late_is_left_to_a_digest(
    store: sqlite3.Connection,
) -> None:
    bring(store, "fail2ban-db", "failure", ago=7200)
    desk = AlertDesk(store)

    ban = desk.ban(IP, ago=7200)
    desk.sort_all()

    assert desk.fate(ban) == "held"


def test_a_ban_whose_mail_was_queued_when_it_was_found_is_mailed_once(
    store: sqlite3.Connection,
) -> None:
    """`reconcile` finds it, and later its report comes out of the spool."""
    bring(store, "fail2ban-db", "failure", ago=3600)
    desk = AlertDesk(store)
    ban = str(store.execute("SELECT id FROM bans").fetchone()[0])
    desk.complete(ban, IP, ago=3600)
    (queued,) = desk.rows()

    assert desk.ban(IP, ago=3600) == ban
    desk.complete(ban, IP, ago=3600)

    assert desk.rows() == [queued]
