"""`check` tells when nobody looks for what passed us by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health.check_reconcile import CHORE, TIMER, links
from f2b_enrich.health.links import Level
from f2b_enrich.store import chores
from f2b_enrich.store.connection import open_writer, transaction
from tests.stores import NOW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("hours_ago", "active", "level", "words"),
    [
        (None, True, None, ""),
        (None, None, None, ""),
        (None, False, Level.WARN, f"systemctl enable --now {TIMER}"),
        (1, False, Level.WARN, "does not run"),
        (1, True, Level.OK, "today"),
        (23, None, Level.OK, "today"),
        (25, True, Level.WARN, "1 day 1 hour ago"),
        (25, None, Level.WARN, "f2b-enrich reconcile"),
    ],
)
def test_a_look_that_is_not_made_is_told_of(
    tmp_path: Path,
    *,
    hours_ago: int | None,
    active: bool | None,
    level: Level | None,
    words: str,
) -> None:
    path = tmp_path / "bans.db"
    with open_writer(path) as connection, transaction(connection):
        if hours_ago is not None:
            chores.done(connection, CHORE, now=NOW - timedelta(hours=hours_ago))

    found = list(links(path, now=NOW, is_active=lambda _: active))

    assert [link.level for link in found] == ([] if level is None else [level])
    assert all(words in str(link) for link in found)


def test_without_a_store_another_link_tells(tmp_path: Path) -> None:
    assert not list(links(tmp_path / "none.db", now=NOW, is_active=lambda _: False))
