"""`outbox list` on a screen of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich.cli.outbox_rows import table
from f2b_enrich.model import OutboxState
from f2b_enrich.store import lists
from tests.stores import StoreBuilder, filled

if TYPE_CHECKING:
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")


def shown(store: StoreBuilder, width: int) -> list[str]:
    with store.reading() as connection:
        mails = lists.mails(connection, lists.MailQuery())
        return list(table(tuple(mails), zone=BERLIN, width=width))


def test_a_narrow_screen_has_the_reason_on_a_line_of_its_own(
    store: StoreBuilder,
) -> None:
    assert shown(store, 80)[:5] == [
        "id  queued (CET)      state  next or sent  about",
        " 4  2026-11-21 21:15  due    21:15:03      sshd 2001:db8::7",
        "    to noc@admins.net, 0 attempts",
        " 3  2026-11-20 15:14  dead   -             sshd 192.0.2.9",
        "    to noc@admins.net, 1 attempt: 550 5.1.1 no such user",
    ]
    assert shown(store, 120)[0].endswith("  about             reason")


def test_no_line_is_longer_than_a_narrow_screen(store: StoreBuilder) -> None:
    store.mail(
        store.ids[0],
        state=OutboxState.DEAD,
        recipient=f"{'a' * 60}@{'b' * 60}.example",
        error="550 " + "no such user " * 20,
    )
    assert max(map(len, shown(store, 80))) == 80


def test_without_reasons_one_line_is_enough_where_it_fits(store: StoreBuilder) -> None:
    with store.writing() as connection:
        connection.execute("UPDATE outbox SET last_error = NULL")

    assert len(shown(store, 84)) == 5
    assert len(shown(store, 80)) == 9
