"""`check` tells when a report that somebody waits for does not come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from f2b_enrich.health.check_report import SERVICE, TIMER, has_extra, links
from f2b_enrich.health.links import Level
from f2b_enrich.store import outbox, report_mails
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.report_mails import REPORT, About
from tests.stores import NOW

if TYPE_CHECKING:
    from pathlib import Path

Shown: TypeAlias = "dict[str, dict[str, str]]"


def units(active: str, result: str = "success") -> Shown:
    return {TIMER: {"ActiveState": active}, SERVICE: {"Result": result}}


def add(path: Path, state: str) -> None:
    mail = outbox.NewMail(
        kind=REPORT,
        ban_id=None,
        recipient="noc@admins.net",
        sender="root@web1",
        message_id="<report.0@web1>",
        due_at=NOW,
        about="October 2026",
    )
    about = About(since=NOW - timedelta(days=30), until=NOW, filters="{}")
    with open_writer(path) as connection, transaction(connection):
        report_mails.add(connection, mail, about, b"", now=NOW)
        connection.execute(
            "UPDATE outbox SET state = ?, last_error = '550 too large'", (state,)
        )


@pytest.mark.parametrize(
    ("state", "shown", "draws", "level", "words"),
    [
        (None, {}, False, None, ""),
        (None, units("inactive"), False, None, ""),
        (None, units("inactive", "exit-code"), False, None, ""),
        ("sent", units("inactive"), False, None, ""),
        (None, units("active"), True, Level.OK, "on the first of the next"),
        ("sent", units("active"), True, Level.OK, "on the first of the next"),
        (None, units("active"), False, Level.WARN, "./install.sh --with report"),
        ("sent", units("active", "exit-code"), True, Level.WARN, "journalctl -u"),
        ("dead", units("active"), True, Level.WARN, "given up: 550 too large"),
        ("dead", {}, False, Level.WARN, "f2b-enrich outbox retry 1"),
    ],
)
def test_a_report_that_does_not_come_is_told_of(
    tmp_path: Path,
    *,
    state: str | None,
    shown: Shown,
    draws: bool,
    level: Level | None,
    words: str,
) -> None:
    path = tmp_path / "bans.db"
    if state is not None:
        add(path, state)

    found = list(links(path, shown=lambda *_: shown, draws=lambda: draws))

    assert [link.level for link in found] == ([] if level is None else [level])
    assert all(words in str(link) for link in found)


def test_what_draws_is_found() -> None:
    assert has_extra()
