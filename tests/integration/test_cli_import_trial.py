"""Imports under odd names and odd circumstances: a line, a tally, and no ban lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.intake.daemon_lock import seeing_daemon
from f2b_enrich.store.connection import held_by_daemon

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("held", "seen"), [("bans.db", "link.db"), ("link.db", "bans.db")]
)
def test_a_daemon_is_seen_however_the_store_is_named(
    tmp_path: Path, held: str, seen: str
) -> None:
    (tmp_path / "link.db").symlink_to("bans.db")
    is_there = seeing_daemon(tmp_path / seen)
    with held_by_daemon(tmp_path / held):
        assert is_there()
        with pytest.raises(StoreError, match="another daemon works on it"):
            held_by_daemon(tmp_path / seen).__enter__()
    assert not is_there()
