"""Which bans `check` takes for a mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.enrich.relations import Relations
from f2b_enrich.health.check_banned import links as banned_links
from f2b_enrich.health.links import Level
from f2b_enrich.model import time_text
from tests.stores import NOW, StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path


def test_an_own_address_and_many_others_are_told_shortly(tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    recent, old = NOW - timedelta(days=1), NOW - timedelta(days=40)
    builder = StoreBuilder(file)
    builder.record(
        *(event(f"192.0.2.{last}", at=recent) for last in range(1, 7)),
        event("192.0.2.99", at=old),
        event("192.0.2.98", at=NOW - timedelta(days=20)),
        event("192.0.2.97", at=recent, bantime=-1),
    )
    with builder.writing() as store:
        unban = "UPDATE bans SET unbanned_at = ? WHERE ip = '192.0.2.97'"
        store.execute(unban, (time_text(NOW - timedelta(days=2)),))
    known = Relations(ignoreip=["192.0.2.0/24"])

    links = list(banned_links(file, known, now=NOW, seconds=5))
    none = list(banned_links(file, Relations(), now=NOW, seconds=5))
    in_a_hurry = list(banned_links(file, known, now=NOW, seconds=-1))

    assert len(links) == 4
    assert "add it to ignoreip" in links[0].cure
    assert links[-1].text == "3 more such addresses within 30 days"
    assert [link.level for link in none] == [Level.OK]
    assert "(the newest 0 read)" in in_a_hurry[0].text
