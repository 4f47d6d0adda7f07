"""The page that `show` makes of a store, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from f2b_enrich.cli.show import told
from f2b_enrich.cli.show_facts import gather
from tests.stores import NOW, StoreBuilder

if TYPE_CHECKING:
    from datetime import datetime

BERLIN = ZoneInfo("Europe/Berlin")


def page(
    store: StoreBuilder,
    key: str,
    *,
    most: int | None = 10,
    lines: bool = False,
    now: datetime = NOW,
) -> list[str]:
    with store.reading() as connection:
        found = gather(
            connection, key, host="web1", most=most, with_lines=lines, now=now
        )
        text = "\n".join(told(found, now=now, zone=BERLIN, width=None))
    return text.splitlines()
