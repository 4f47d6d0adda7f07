"""`check` tells when nobody looks for what passed us by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from f2b_enrich.health.check_reconcile import CHORE, SERVICE, TIMER, links
from f2b_enrich.health.links import Level
from f2b_enrich.store import chores
from f2b_enrich.store.connection import open_writer, transaction
from tests.stores import NOW

if TYPE_CHECKING:
    from pathlib import Path

Shown: TypeAlias = "dict[str, dict[str, str]]"


def units(active: str, result: str = "success") -> Shown:
    return {TIMER: {"ActiveState": active}, SERVICE: {"Result": result}}


@pytest.mark.parametrize(
    ("hours_ago", "shown", "level", "words"),
    [
        (None, units("active"), None, ""),
        (None, {}, None, ""),
        (None, units("inactive"), Level.WARN, f"systemctl enable --now {TIMER}"),
        (None, units("active", "exit-code"), Level.WARN, f"journalctl -u {SERVICE}"),
        (None, units("active", "timeout"), Level.WARN, "failed (timeout)"),
        (1, units("inactive"), Level.WARN, "does not run"),
        (1, units("active"), Level.OK, "today"),
        # fail2ban may have been about to start again.
        (1, units("active", "exit-code"), Level.OK, "today"),
        (23, {}, Level.OK, "today"),
        (25, units("active"), Level.WARN, "1 day 1 hour ago"),
        (25, {}, Level.WARN, "f2b-enrich reconcile"),
    ],
)
def test_a_look_that_is_not_made_is_told_of(
    tmp_path: Path,
    *,
    hours_ago: int | None,
    shown: Shown,
    level: Level | None,
    words: str,
) -> None:
    path = tmp_path / "bans.db"
    with open_writer(path) as connection, transaction(connection):
        if hours_ago is not None:
            chores.done(connection, CHORE, now=NOW - timedelta(hours=hours_ago))

    found = list(links(path, now=NOW, shown=lambda *_: shown))

    assert [link.level for link in found] == ([] if level is None else [level])
    assert all(words in str(link) for link in found)


def test_without_a_store_another_link_tells(tmp_path: Path) -> None:
    assert not list(links(tmp_path / "none.db", now=NOW, shown=lambda *_: {}))
