"""Old bans in a store, as an import brings them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.store.connection import transaction
from f2b_enrich.store.intake import Brought, take_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from f2b_enrich.store.wishes import LookUp

FIRST = datetime(2016, 5, 1, tzinfo=UTC)
DAY = 86_400


def bring(
    connection: sqlite3.Connection,
    ips: Sequence[str],
    *,
    look_up: LookUp = "local",
    host: str = "web1",
) -> None:
    """Take bans of a log in, a day apart, an address after the other."""
    brought = defaultdict(list)
    for number, ip in enumerate(ips):
        at = int(FIRST.timestamp()) + number * DAY
        sighting = Sighting(
            kind="ban", precision="logged", origin="log", at=at, jail="sshd"
        )
        brought[host, ip].append(Brought(sighting=sighting, reference="fail2ban.log"))
    with transaction(connection):
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for (
            key,
            bans,
        ) in brought.items():  # rows of one batch have an order of their own
            take_in(connection, {key: bans}, now=datetime.now(UTC), look_up=look_up)
