"""What the store knows that makes lines of a log doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.model import time_text
from f2b_enrich.store import repeats
from f2b_enrich.store.plain import is_apart, known_until

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from f2b_enrich.intake.portions import EventRun


class Doubts:
    """Tells of which addresses a log alone may not tell all."""

    def __init__(self, connection: sqlite3.Connection, *, now: datetime) -> None:
        """Look into the store each time that it is asked."""
        self._connection = connection
        self._now = time_text(now)

    def in_run(self, run: EventRun) -> set[str]:
        """Name the addresses of which others may have told, or whose bans repeat."""
        return self._repeated(run) | self._told_by_others(run)

    def _repeated(self, run: EventRun) -> set[str]:
        repeating = repeats.jails(self._connection)
        if repeating.isdisjoint(run.jails):
            return set()
        addresses = zip(run.jails, run.ips, strict=True)
        return {ip for jail, ip in addresses if jail in repeating}

    def _told_by_others(self, run: EventRun) -> set[str]:
        keys = {(run.host, ip) for ip in run.ips}
        until = {ip: at for (_, ip), at in known_until(self._connection, keys).items()}
        if not until:
            return set()
        first: dict[str, int] = {}
        for at, ip in zip(run.ats, run.ips, strict=True):
            if ip in until:
                first[ip] = min(at, first.get(ip, at))
        return {
            ip for ip, at in first.items() if not is_apart(until[ip], at, now=self._now)
        }
