"""Reports in the store: found again, and not kept longer than they must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from f2b_enrich.store import outbox, report_mails
from f2b_enrich.store.report_mails import REPORT, About
from tests.cli import run
from tests.stores import NOW, StoreBuilder

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = About(
    since=NOW - timedelta(days=60), until=NOW - timedelta(days=30), filters="{}"
)
NOC, BOARD = "noc@admins.net", "board@admins.net"


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def add(store: StoreBuilder, about: About = ABOUT, recipient: str = NOC) -> int:
    mail = outbox.NewMail(
        kind=REPORT,
        ban_id=None,
        recipient=recipient,
        sender="root@web1",
        message_id=f"<report.{about.until:%d}@web1>",
        due_at=NOW,
        about="October 2026",
    )
    with store.writing() as connection:
        return report_mails.add(connection, mail, about, b"Subject: x\r\n", now=NOW)


def queued(
    store: StoreBuilder, about: About = ABOUT, recipient: str = NOC
) -> int | None:
    with store.reading() as connection:
        row = report_mails.queued(connection, about, recipient)
    return None if row is None else row.id


def message(store: StoreBuilder, row_id: int) -> bytes | None:
    with store.reading() as connection:
        return report_mails.message(connection, row_id)


def test_the_same_report_is_found_again(store: StoreBuilder) -> None:
    first, again = add(store), add(store)

    assert queued(store) == again > first
    assert queued(store, recipient=BOARD) is None
    assert queued(store, replace(ABOUT, filters='{"hosts": ["web1"]}')) is None
    assert queued(store, replace(ABOUT, until=NOW)) is None


def test_it_is_due_at_once_and_no_brake_holds_it(store: StoreBuilder) -> None:
    row_id = add(store)
    with store.writing() as connection:
        (row,) = outbox.claim_due(connection, now=NOW, limit=5)

    assert (row.id, row.kind, row.about) == (row_id, REPORT, "October 2026")
    assert row.state is OutboxState.SENDING


def test_a_mail_that_was_taken_is_not_kept(store: StoreBuilder) -> None:
    row_id, other = add(store), add(store, recipient=BOARD)
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        outbox.sent(connection, row, now=NOW)

    assert message(store, row_id) is None
    assert message(store, other) is not None
    assert queued(store) == row_id


def test_one_that_was_refused_is_kept_to_be_tried_anew(store: StoreBuilder) -> None:
    row_id = add(store)
    with store.writing() as connection:
        row = outbox.row(connection, row_id)
        assert row is not None
        dead = OutboxState.DEAD
        outbox.failed(connection, row, state=dead, due_at=NOW, error="550 no")

    assert message(store, row_id) is not None


def test_a_report_goes_with_the_lines_of_its_time(store: StoreBuilder) -> None:
    old = replace(ABOUT, until=NOW - timedelta(days=3650))
    first, second = add(store, old), add(store, replace(ABOUT, until=NOW))

    ran = run("purge", "--db", store.path)

    assert ran.code == 0, ran.err
    assert message(store, first) is None
    assert message(store, second) is not None


def test_a_merged_store_sends_none(store: StoreBuilder, tmp_path: Path) -> None:
    add(store)
    other = StoreBuilder(tmp_path / "other.db")
    add(other, recipient=BOARD)
    merged = tmp_path / "merged.db"

    ran = run("merge", store.path, other.path, "--output", merged)

    assert ran.code == 0, ran.err
    both = StoreBuilder(merged)
    assert {queued(both), queued(both, recipient=BOARD)} == {None}
    with both.reading() as connection:
        rows = connection.execute(
            "SELECT message, state FROM report_mails JOIN outbox ON id = outbox_id"
        )
        assert [tuple(row) for row in rows] == [(None, "skipped")] * 2
