"""What fail2ban tells brought into a store in which others write meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.cli.reconcile_lists import HeldLists
from f2b_enrich.cli.reconciling import NOBODY, Reconciling
from f2b_enrich.config import Settings
from f2b_enrich.daemon.intake import Intake
from f2b_enrich.importing.fail2ban_rows import Core, Row, ban_of
from f2b_enrich.model import Event, EventKind
from f2b_enrich.store import bans
from f2b_enrich.store.connection import open_writer, transaction
from tests.cli import run
from tests.stores import shipped_analysis

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from f2b_enrich.importing.fail2ban_rows import StoredBan

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
IP = "192.0.2.7"
AGO = 3600
NOTHING = HeldLists(bans={}, unread={})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path / "bans.db") as connection:
        yield connection


def reconciling(store: sqlite3.Connection, *, later: int = 0) -> Reconciling:
    """Begin a run so many seconds later."""
    settings = Settings.model_validate(
        {"host": "web1", "mail": {"recipient": "noc@admins.net"}}
    )
    known_jail = shipped_analysis().known_jail
    return Reconciling(
        store,
        settings,
        Intake(settings, waits_for_look_up=False, known_jail=known_jail),
        now=NOW + timedelta(seconds=later),
        clock=lambda: 0.0,
        pause=lambda _: None,
        tell=lambda _: None,
    )


def report(store: sqlite3.Connection, kind: EventKind, *, ago: int) -> None:
    event = Event(
        kind=kind,
        jail="sshd",
        ip=IP,
        failed_at=NOW.timestamp() - AGO,
        at=NOW - timedelta(seconds=ago),
        bantime_seconds=86_400,
        failures=3,
    )
    with transaction(store):
        bans.record(store, event, host="web1", jail="sshd", now=NOW)


def row(jail: str, ip: str, *, ago: int = AGO) -> StoredBan:
    failed_at = NOW.timestamp() - ago
    values = Row(jail.encode(), ip.encode(), failed_at, 86_400, 1, b"{}")
    return ban_of(Core(jail, ip, failed_at), values)


def unbanned_at(store: sqlite3.Connection) -> str | None:
    found: str | None = store.execute("SELECT unbanned_at FROM bans").fetchone()[0]
    return found


def test_an_end_is_noted_when_it_is_seen(store: sqlite3.Connection) -> None:
    report(store, EventKind.BAN, ago=AGO)
    look = reconciling(store)

    look.close(look.standing(["sshd"]), NOTHING, whenever=False)

    assert look.found.ended == 1
    assert unbanned_at(store) == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize(
    ("kind", "left"), [(EventKind.UNBAN, "2026-11-21T11:59:50Z"), (EventKind.BAN, None)]
)
def test_what_is_reported_meanwhile_stays_as_it_is_told(
    store: sqlite3.Connection, kind: EventKind, left: str | None
) -> None:
    report(store, EventKind.BAN, ago=AGO)
    look = reconciling(store)
    standing = look.standing(["sshd"])
    report(store, kind, ago=10)

    look.close(standing, NOTHING, whenever=False)

    assert look.found.ended == 0
    assert unbanned_at(store) == left


def test_only_bans_of_jails_that_reported_at_the_last_look_are_told_of(
    store: sqlite3.Connection,
) -> None:
    reconciling(store).finish(["gone"])
    reconciling(store, later=1).finish(["sshd"])
    look = reconciling(store, later=2)
    jails = ("sshd", "nginx", "gone")

    rows = [row(jail, f"192.0.2.{at}") for at, jail in enumerate(jails)]
    look.take_rows(rows, frozenset(jails), lambda _: NOBODY)

    assert look.found.bans == 3
    mailed = store.execute(
        "SELECT jail FROM outbox JOIN bans ON bans.id = outbox.ban_id"
    ).fetchall()
    assert [found["jail"] for found in mailed] == ["sshd"]


def test_a_ban_stands_unless_a_row_of_it_was_read(store: sqlite3.Connection) -> None:
    report(store, EventKind.BAN, ago=AGO)
    look = reconciling(store)
    rows = [row("sshd", IP, ago=ago) for ago in (AGO + 1, AGO)]

    marks = [
        look.take_rows([each], frozenset({"sshd"}), lambda _: NOBODY) for each in rows
    ]

    standing = [[ban.at for ban in look.standing(["sshd"], but=mark)] for mark in marks]
    first, second = (int(NOW.timestamp()) - ago for ago in (AGO + 1, AGO))
    assert standing == [[second], [first]]


@pytest.mark.parametrize("folder", ["spool", "run/spool"])
def test_reports_in_the_spool_come_first(tmp_path: Path, folder: str) -> None:
    with open_writer(tmp_path / "bans.db"):
        pass
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "1-2-3.ban").touch()
    (tmp_path / "config.toml").write_text(
        f'[store]\npath = "{tmp_path}/bans.db"\n[daemon]\n'
        f'spool = "{tmp_path}/spool"\nsocket = "{tmp_path}/run/f2b-enrich.sock"\n'
    )
    words = ("reconcile", "--config", tmp_path / "config.toml")

    ran = run(*words)
    found = json.loads(run(*words, "--json").out)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "nothing compared: 1 report in the spool waits for the daemon\n"
    assert found["waiting"] == 1
